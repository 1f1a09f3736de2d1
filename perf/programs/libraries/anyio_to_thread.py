"""Twenty tasks of one event loop that hand small calls to threads by `anyio.to_thread.run_sync`."""

import zlib

import anyio
import anyio.to_thread
from measured import Program

TASKS = 20
CALLS = 250  # of each task


def work(task: int, call: int) -> int:
    return zlib.crc32(b"task %d call %d" % (task, call) * 16)


class Calls:
    """Adds up what the threads return; only the event loop's thread adds."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.total = 0

    async def run_task(self, task: int) -> None:
        for call in range(self.calls):
            result = await anyio.to_thread.run_sync(work, task, call)
            self.total += result

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            for task in range(TASKS):
                group.start_soon(self.run_task, task)


def main() -> None:
    program = Program(__doc__)
    calls = Calls(max(1, round(CALLS * program.parse())))
    with program.timed():
        anyio.run(calls.run)

    right = sum(work(task, call) for task in range(TASKS) for call in range(calls.calls))
    faults = [] if calls.total == right else [f"the sum is {calls.total}, not {right}"]
    program.finish(f"{TASKS * calls.calls} calls, sum {calls.total}", faults)


if __name__ == "__main__":
    main()
