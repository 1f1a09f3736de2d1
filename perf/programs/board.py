"""A bounded board written by hand: one `Condition`, producers and consumers wait on it.

All wait on the same condition, for different things, so that each change must notify them all.
"""

import collections
import threading

from measured import Program

WORKERS = 4  # of each stage
JOBS = 6_000  # of each producer
ROOM = 8


class Board:
    """A bounded buffer that can be closed."""

    def __init__(self, room: int) -> None:
        self._cond = threading.Condition()
        self._jobs: collections.deque[int] = collections.deque()
        self._room = room
        self._closed = False

    def put(self, job: int) -> None:
        """Add a job; wait for room."""
        with self._cond:
            while len(self._jobs) >= self._room:
                self._cond.wait()
            self._jobs.append(job)
            self._cond.notify_all()

    def take(self) -> int | None:
        """Take the oldest job; wait for one. None: the board is closed and empty."""
        with self._cond:
            while not self._jobs and not self._closed:
                self._cond.wait()
            if not self._jobs:
                return None
            job = self._jobs.popleft()
            self._cond.notify_all()
            return job

    def close(self) -> None:
        """Let those who wait for jobs go."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()


class Pipeline:
    """Producers, a first board, workers who double, a second board, and consumers who add up."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.raw = Board(ROOM)
        self.doubled = Board(ROOM)
        self.lock = threading.Lock()
        self.count = 0
        self.total = 0

    def produce(self, first: int) -> None:
        for job in range(first, first + self.jobs):
            self.raw.put(job)

    def double(self) -> None:
        while (job := self.raw.take()) is not None:
            self.doubled.put(2 * job)

    def consume(self) -> None:
        while (job := self.doubled.take()) is not None:
            with self.lock:
                self.count += 1
                self.total += job

    def run(self) -> None:
        producers = [
            threading.Thread(target=self.produce, args=(i * self.jobs,)) for i in range(WORKERS)
        ]
        doublers = [threading.Thread(target=self.double) for _ in range(WORKERS)]
        consumers = [threading.Thread(target=self.consume) for _ in range(WORKERS)]
        for thread in consumers + doublers + producers:
            thread.start()
        for thread in producers:
            thread.join()
        self.raw.close()
        for thread in doublers:
            thread.join()
        self.doubled.close()
        for thread in consumers:
            thread.join()


def main() -> None:
    program = Program(__doc__)
    pipeline = Pipeline(max(1, round(JOBS * program.parse())))
    with program.timed():
        pipeline.run()

    count = WORKERS * pipeline.jobs
    found = f"{pipeline.count} jobs, sum {pipeline.total}"
    right = f"{count} jobs, sum {2 * sum(range(count))}"
    program.finish(found, [] if found == right else [f"{found}; put were {right}"])


if __name__ == "__main__":
    main()
