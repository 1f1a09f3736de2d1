"""Count the words of the interpreter's own library with a pipeline over `queue.Queue`.

Readers cut each `.py` file into blocks of lines and put them into a bounded queue; counters
take blocks and count words; a merger adds the counters' results up. The queue is the meeting
point of all threads: readers wait when it is full, counters when it is empty.
"""

import argparse
import collections
import hashlib
import itertools
import json
import pathlib
import queue
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator

READERS = 3
COUNTERS = 3
BLOCK_LINES = 32
QUEUE_BLOCKS = 128

Words = collections.Counter[str]


def library_files(scale: float) -> list[pathlib.Path]:
    """Return the library's `.py` files, without what was installed into it later."""
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    files = sorted(
        path for path in root.rglob("*.py") if "site-packages" not in path.relative_to(root).parts
    )
    if scale >= 1:
        return files * round(scale)
    step = max(1, round(1 / scale))
    return files[::step]


def read_blocks(path: pathlib.Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        while block := "".join(itertools.islice(lines, BLOCK_LINES)):
            yield block


def read(paths: "queue.Queue[pathlib.Path]", blocks: "queue.Queue[str | None]") -> None:
    while True:
        try:
            path = paths.get_nowait()
        except queue.Empty:
            return
        for block in read_blocks(path):
            blocks.put(block)


def count(blocks: "queue.Queue[str | None]", results: "queue.Queue[Words | None]") -> None:
    words: Words = collections.Counter()
    while (block := blocks.get()) is not None:
        words.update(block.split())
        blocks.task_done()
    blocks.task_done()
    results.put(words)


def merge(results: "queue.Queue[Words | None]", total: Words) -> None:
    while (words := results.get()) is not None:
        total.update(words)


def run(files: list[pathlib.Path]) -> Words:
    paths: queue.Queue[pathlib.Path] = queue.Queue()
    blocks: queue.Queue[str | None] = queue.Queue(maxsize=QUEUE_BLOCKS)
    results: queue.Queue[Words | None] = queue.Queue()
    total: Words = collections.Counter()
    for path in files:
        paths.put(path)

    readers = [threading.Thread(target=read, args=(paths, blocks)) for _ in range(READERS)]
    counters = [threading.Thread(target=count, args=(blocks, results)) for _ in range(COUNTERS)]
    merger = threading.Thread(target=merge, args=(results, total))
    for thread in [*readers, *counters, merger]:
        thread.start()
    for thread in readers:
        thread.join()
    for _ in counters:
        blocks.put(None)
    blocks.join()
    for thread in counters:
        thread.join()
    results.put(None)
    merger.join()
    return total


def expected(files: list[pathlib.Path]) -> Words:
    """Count the same words with one thread, file by file."""
    total: Words = collections.Counter()
    for path in files:
        total.update(path.read_text(encoding="utf-8", errors="replace").split())
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    scale = parser.parse_args().scale
    if scale <= 0:
        parser.error("--scale must be positive")

    files = library_files(scale)
    cpu = time.process_time()
    begin = time.perf_counter()
    words = run(files)
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - cpu

    right = expected(files)
    if words != right:
        print(
            f"pipeline: wrong count: {words.total()} words, {len(words)} different; "
            f"one thread counts {right.total()}, {len(right)} different",
            file=sys.stderr,
        )
        return 1
    table = "".join(f"{word} {n}\n" for word, n in sorted(words.items()))
    digest = hashlib.sha256(table.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    answer = f"{len(files)} files, {words.total()} words, {len(words)} different, {digest}"
    found = {"program": "pipeline", "answer": answer, "seconds": seconds, "cpu": cpu}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
