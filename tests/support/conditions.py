"""What tests of Condition need: a thread in wait(), and the least that a lock can be."""

from __future__ import annotations

from collections import deque
from typing import Any

from ftthreading import Lock
from tests.support import start_threads, wait_until


class DuckLock:
    """The least that a lock can be, in Python."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.log: deque[str] = deque()

    def acquire(self, blocking: bool = True) -> bool:
        self.log.append("acquire")
        return self.lock.acquire(blocking)

    def release(self) -> None:
        self.log.append("release")
        self.lock.release()


class Waiter:
    """A thread in cond.wait()."""

    def __init__(self, cond: Any, timeout: float | None = None) -> None:
        self.cond = cond
        self.inside = False
        self.running = start_threads(1, self._main, timeout)
        wait_until(self.waits, what="the thread waits for the condition")

    def _main(self, _: int, timeout: float | None) -> Any:
        self.cond.acquire()
        try:
            self.inside = True
            return self.cond.wait(timeout)
        finally:
            self.cond.release()

    def waits(self) -> bool:
        # Who has the lock while the thread is inside knows that it waits.
        if not self.inside or not self.cond.acquire(False):
            return False
        self.cond.release()
        return True

    def result(self) -> Any:
        return self.running.join()[0]
