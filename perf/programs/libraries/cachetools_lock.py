"""Eight threads that call one function behind `cachetools.cached` with an LRU cache and a lock."""

import random
import threading
import zlib

import cachetools
from measured import Program

THREADS = 8
CALLS = 14_000  # of each thread
KEYS = 400
SIZE = 256


def work(key: int) -> int:
    return zlib.crc32(b"key %d;" % key * 64)


class Service:
    """Answers from the cache where it can."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.lock = threading.RLock()
        self.lookup = cachetools.cached(cachetools.LRUCache(SIZE), lock=self.lock)(work)
        self.totals: dict[int, int] = {}

    def thread(self, number: int) -> None:
        total = 0
        for key in keys(number, self.calls):
            total += self.lookup(key)
        self.totals[number] = total

    def run(self) -> None:
        threads = [threading.Thread(target=self.thread, args=(i,)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def keys(number: int, calls: int) -> list[int]:
    """Return the keys that a thread asks for: some much more often than others."""
    chance = random.Random(number)
    return [int(KEYS * chance.random() ** 3) for _ in range(calls)]


def main() -> None:
    program = Program(__doc__)
    service = Service(max(1, round(CALLS * program.parse())))
    with program.timed():
        service.run()

    right = {i: sum(map(work, keys(i, service.calls))) for i in range(THREADS)}
    faults = [] if service.totals == right else ["the sums differ from those without a cache"]
    program.finish(f"{THREADS * service.calls} calls, sum {sum(right.values())}", faults)


if __name__ == "__main__":
    main()
