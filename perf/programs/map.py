"""`ThreadPoolExecutor.map` over many small tasks."""

import concurrent.futures
import zlib

from measured import Program

TASKS = 24_000
WORKERS = 8


def work(task: int) -> int:
    return zlib.crc32(b"task %d;" % task * 8)


def run(tasks: int) -> int:
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(work, range(tasks)))


def main() -> None:
    program = Program(__doc__)
    tasks = max(1, round(TASKS * program.parse()))
    with program.timed():
        total = run(tasks)

    right = sum(map(work, range(tasks)))
    faults = [] if total == right else [f"the sum is {total}, not {right}"]
    program.finish(f"{tasks} tasks, sum {total}", faults)


if __name__ == "__main__":
    main()
