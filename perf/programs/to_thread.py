"""Twenty tasks of one event loop that hand small calls to threads by `asyncio.to_thread`."""

import asyncio
import zlib

from measured import Program

TASKS = 20
CALLS = 300  # of each task


def work(task: int, call: int) -> int:
    return zlib.crc32(b"task %d call %d" % (task, call) * 16)


async def run_task(task: int, calls: int) -> int:
    total = 0
    for call in range(calls):
        total += await asyncio.to_thread(work, task, call)
    return total


async def run(calls: int) -> int:
    return sum(await asyncio.gather(*(run_task(task, calls) for task in range(TASKS))))


def main() -> None:
    program = Program(__doc__)
    calls = max(1, round(CALLS * program.parse()))
    with program.timed():
        total = asyncio.run(run(calls))

    right = sum(work(task, call) for task in range(TASKS) for call in range(calls))
    faults = [] if total == right else [f"the sum is {total}, not {right}"]
    program.finish(f"{TASKS * calls} calls, sum {total}", faults)


if __name__ == "__main__":
    main()
