"""Semaphore and BoundedSemaphore, in Python: a count, and a condition for those who find none.

The condition's lock is reentrant and the count changes in single steps, so that `release` can
be called by a signal handler or a finalizer that interrupted `acquire` or `release`.

One rule keeps permits from getting lost: whoever was woken and leaves without a permit, for
whatever reason, passes the wake-up on while there is a permit.
"""

from __future__ import annotations

from time import monotonic

from ._condition import Condition
from ._core import RLock
from ._steps import holding, wake


class Semaphore:
    """A number of permits: `acquire` takes one, waiting if there is none, `release` adds some.

    value: permits at the start. Raises ValueError if it is negative.

    `release` may be called from any thread, also by a signal handler or a finalizer that
    interrupted a call of the same semaphore.
    """

    __module__ = "ftthreading"  # where it is public; shown by repr() and used by pickle

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._cond = Condition(RLock())
        self._value = value

    def __repr__(self) -> str:
        cls = type(self)
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: value={self._value}>"

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take a permit; return whether one was got.

        blocking: whether to wait for a permit if there is none.
        timeout: how many seconds to wait at most; None: without end.

        Raises ValueError for a timeout without blocking. Raises what a signal handler raises
        meanwhile, TypeError for what is no number of seconds, OverflowError beyond TIMEOUT_MAX:
        then no permit was taken and none is lost.
        """
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        taken: list[bool] = []
        try:
            return holding(self._cond._lock, self._take, blocking, timeout, taken)
        except BaseException:
            holding(self._cond._lock, self._pass_on, taken)
            raise

    __enter__ = acquire

    def _take(self, blocking: bool, timeout: float | None, taken: list[bool]) -> bool:
        deadline = None
        while self._value == 0:
            if not blocking:
                return False
            if timeout is not None:
                if deadline is None:
                    deadline = monotonic() + timeout
                else:
                    timeout = deadline - monotonic()
                    if not timeout > 0:  # also if it is NaN
                        return False
            self._cond.wait(timeout)
        # From the test above until the entry is in the list, no handler can run.
        self._value -= 1
        taken.append(True)
        return True

    def _pass_on(self, taken: list[bool]) -> None:
        """Give back what was taken, and let somebody else try."""
        if taken:
            self._value += 1
            taken.clear()
        if self._value > 0:
            wake(self._cond._waiters, 1)

    def release(self, n: int = 1) -> None:
        """Add `n` permits, and wake as many of those who wait for one.

        Returns without waiting for other threads' acquire. Raises ValueError if `n` is less
        than one.
        """
        if n < 1:
            raise ValueError("n must be one or more")
        holding(self._cond._lock, self._add, n)

    def _add(self, n: int) -> None:
        self._value += n
        if not self._cond._waiters:
            return
        try:
            self._cond.notify(n)
        except BaseException:  # interrupted by a handler; one wake-up too many does no harm
            self._cond.notify(n)
            raise

    def __exit__(self, t: object, v: object, tb: object) -> None:
        self.release()


class BoundedSemaphore(Semaphore):
    """A semaphore that cannot have more permits than at the start.

    value: permits at the start, and at most. Raises ValueError if it is negative.
    """

    __module__ = "ftthreading"  # where it is public; shown by repr() and used by pickle

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def __repr__(self) -> str:
        cls = type(self)
        return (
            f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}:"
            f" value={self._value}/{self._initial_value}>"
        )

    def release(self, n: int = 1) -> None:
        """Add `n` permits, and wake as many of those who wait for one.

        Returns without waiting for other threads' acquire. Raises ValueError, and changes
        nothing, if `n` is less than one or there would be more permits than at the start.
        """
        if n < 1:
            raise ValueError("n must be one or more")
        holding(self._cond._lock, self._add_within_bound, n)

    def _add_within_bound(self, n: int) -> None:
        if self._value + n > self._initial_value:
            raise ValueError("Semaphore released too many times")
        self._add(n)
