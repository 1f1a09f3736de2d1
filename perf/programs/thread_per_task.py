"""A new thread for each small task, at most sixteen at a time."""

import threading
import zlib

from measured import Program

TASKS = 1_300
AT_ONCE = 16


def work(task: int) -> int:
    return zlib.crc32(b"task %d;" % task * 32)


class Tasks:
    """Starts a thread a task, and collects the results."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.room = threading.Semaphore(AT_ONCE)
        self.lock = threading.Lock()
        self.results: dict[int, int] = {}

    def task(self, number: int) -> None:
        try:
            result = work(number)
            with self.lock:
                self.results[number] = result
        finally:
            self.room.release()

    def run(self) -> None:
        threads = []
        for number in range(self.count):
            self.room.acquire()
            thread = threading.Thread(target=self.task, args=(number,))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()


def main() -> None:
    program = Program(__doc__)
    tasks = Tasks(max(1, round(TASKS * program.parse())))
    with program.timed():
        tasks.run()

    faults = []
    if tasks.results != {number: work(number) for number in range(tasks.count)}:
        faults.append(f"{len(tasks.results)} results, not those of {tasks.count} tasks")
    program.finish(f"{tasks.count} tasks, sum {sum(tasks.results.values())}", faults)


if __name__ == "__main__":
    main()
