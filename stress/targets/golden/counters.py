"""Semaphore, BoundedSemaphore and Event."""

from __future__ import annotations

from types import TracebackType

from .waiting import Primitive, Waiter, deadline_of


class Semaphore(Primitive):
    """release() gives permits to waiters first; only what is left is counted."""

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        super().__init__()
        self._value = value

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        deadline = deadline_of(timeout)
        with self._guard:
            if self._value > 0:
                self._value -= 1
                return True
            if not blocking:
                return False
            waiter = Waiter()
            self._queue.append(waiter)
        return self._wait(waiter, deadline)

    def release(self, n: int = 1) -> None:
        if n < 1:
            raise ValueError("n must be one or more")
        with self._guard:
            self._check(n)
            for _ in range(n):
                self._give_back()

    def _check(self, n: int) -> None:
        """Refuse what is too much."""

    def _give_back(self) -> None:
        if self._queue:
            self._queue.pop(0).grant()
        else:
            self._value += 1

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()


class BoundedSemaphore(Semaphore):
    """Never above its first value."""

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._most = value

    def _check(self, n: int) -> None:
        if self._value + n > self._most:
            raise ValueError("Semaphore released too many times")


class Event(Primitive):
    """set() grants all who wait, even if clear() follows at once."""

    def __init__(self) -> None:
        super().__init__()
        self._flag = False

    def is_set(self) -> bool:
        return self._flag

    def set(self) -> None:
        with self._guard:
            self._flag = True
            for waiter in self._queue:
                waiter.grant()
            self._queue.clear()

    def clear(self) -> None:
        with self._guard:
            self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        deadline = deadline_of(timeout)
        with self._guard:
            if self._flag:
                return True
            waiter = Waiter()
            self._queue.append(waiter)
        return self._wait(waiter, deadline)
