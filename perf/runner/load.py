"""A load: one busy process on each usable core, while something else is measured.

The processes end with the `with` block. Should this process be killed in it, they notice within
moments that they have another parent, and end themselves.
"""

import os
import sys
from types import TracebackType
from typing import Self

from toolkit.child import Process

BUSY = """
import os, sys
parent, core = map(int, sys.argv[1:])
if core >= 0:
    os.sched_setaffinity(0, {core})
print("busy", flush=True)
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


def cores() -> list[int]:
    """Return the usable cores; -1 stands for one that a process cannot be bound to."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return [-1] * (os.cpu_count() or 1)


class Load:
    """The busy processes; they have the niceness of this one."""

    def __init__(self) -> None:
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        """Start one process on each core, and wait until all are busy."""
        try:
            for core in cores():
                command = [sys.executable, "-I", "-S", "-c", BUSY, str(os.getpid()), str(core)]
                self._processes.append(Process(command))
            for process in self._processes:
                while not process.stdout and not process.wait(0.01):
                    pass
        except BaseException:
            self.stop()
            raise
        return self

    def whole(self) -> bool:
        """Say whether all processes still run."""
        return all(process.exit_code() is None for process in self._processes)

    def stop(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.end()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
