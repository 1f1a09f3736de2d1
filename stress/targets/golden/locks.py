"""Lock and RLock."""

from __future__ import annotations

import _thread
from _thread import TIMEOUT_MAX
from types import TracebackType

from .waiting import Primitive, Waiter, deadline_of


def limit_of(blocking: bool, timeout: float) -> float | None:
    """Return the time to wait in seconds, None for no limit. Raises as `threading` does."""
    if timeout != timeout:
        raise ValueError("cannot convert NaN to a time")
    if not blocking:
        if timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return 0.0
    if timeout == -1:
        return None
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return timeout


class Lock(Primitive):
    """Handed over by release() to the first in the queue."""

    def __init__(self) -> None:
        super().__init__()
        self._locked = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        limit = limit_of(blocking, timeout)
        with self._guard:
            if not self._locked:
                self._locked = True
                return True
            if not blocking:
                return False
            waiter = Waiter()
            self._queue.append(waiter)
        return self._wait(waiter, deadline_of(limit))

    def release(self) -> None:
        with self._guard:
            if not self._locked:
                raise RuntimeError("release unlocked lock")
            self._give_back()

    def _give_back(self) -> None:
        if self._queue:
            self._queue.pop(0).grant()
        else:
            self._locked = False

    def locked(self) -> bool:
        return self._locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()


class RLock(Primitive):
    """Who has it is granted it again; a release by another is refused."""

    def __init__(self) -> None:
        super().__init__()
        self._owner = 0
        self._count = 0

    def __repr__(self) -> str:
        return f"<golden RLock owner={self._owner} count={self._count}>"

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        limit = limit_of(blocking, timeout)
        me = _thread.get_ident()
        with self._guard:
            if self._owner == me:
                self._count += 1
                return True
            if not self._owner:
                self._take(me, 1)
                return True
            if not blocking:
                return False
            waiter = Waiter()
            self._queue.append(waiter)
        return self._wait(waiter, deadline_of(limit))

    def release(self) -> None:
        with self._guard:
            if self._owner != _thread.get_ident():
                raise RuntimeError("cannot release un-acquired lock")
            self._give_back()

    def _take(self, owner: int, count: int) -> None:
        self._owner = owner
        self._count = count

    def _give_back(self) -> None:
        self._count -= 1
        if self._count == 0:
            self._pass_on()

    def _pass_on(self) -> None:
        self._owner = 0
        if self._queue:
            owner = self._queue[0].thread
            self._take(owner, 0)
            # A thread waits twice if a handler of its own waits, too: both have it then.
            for waiter in [waiter for waiter in self._queue if waiter.thread == owner]:
                self._queue.remove(waiter)
                self._count += 1
                waiter.grant()

    def _is_owned(self) -> bool:
        return self._owner == _thread.get_ident()

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _release_save(self) -> int:
        with self._guard:
            if self._owner != _thread.get_ident():
                raise RuntimeError("cannot release un-acquired lock")
            count = self._count
            self._count = 0
            self._pass_on()
            return count

    def _acquire_restore(self, count: int) -> None:
        self.acquire()
        with self._guard:
            self._count = count

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()
