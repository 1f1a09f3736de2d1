"""Four threads count words, and take one lock for each."""

import threading

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"] * 2000

counts: dict[str, int] = {}
lock = threading.Lock()


def count() -> None:
    """Count all words: the lock is held for the slow part, too."""
    for word in WORDS:
        with lock:
            key = "".join(sorted(word.lower()))
            counts[key] = counts.get(key, 0) + 1


threads = [threading.Thread(target=count, name=f"counter-{i}") for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(counts.values()), "words")
