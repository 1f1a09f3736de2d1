"""A latch: closed at first, then open for ever. What Event and Barrier are made of.

It needs no lock. `open` first says that it is open and then empties the queue; `wait` first
joins the queue and then looks again. Both touch the queue through atomic methods, so either
`open` finds the waiter, or the waiter finds the latch open. Nobody can be woken by mistake,
because a latch never closes: an event that is cleared begins a new one.
"""

from __future__ import annotations

from collections import deque

from ._core import Lock
from ._steps import wake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._steps import Waiters


class Latch:
    """Lets threads wait until it is opened, once.

    Every method may be called from any thread, a signal handler or a finalizer, even from one
    that interrupted the same call.

    Attributes:
        is_open: whether `open` was called. Set it by `open` only.
    """

    __slots__ = ("_waiters", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._waiters: Waiters = deque()

    def open(self) -> None:
        """Open the latch and wake all who wait.

        To open an open latch does nothing, except that it completes a call that an exception
        from a signal handler has cut short.
        """
        if self.is_open and not self._waiters:
            return
        self.is_open = True
        try:
            # Most often nobody waits. The plain look at a deque's length is not atomic on a
            # free-threaded build, but any method is: with this one before it, a waiter that
            # the look misses has yet to join, and will find the latch open.
            self._waiters.rotate(0)
            if self._waiters:
                wake(self._waiters)
        except BaseException:
            wake(self._waiters)
            raise

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the latch is open; return whether it is.

        timeout: seconds, or None to wait for ever; zero or less only looks.

        Raises what a signal handler raises meanwhile, TypeError or ValueError for what is no
        number of seconds, OverflowError beyond TIMEOUT_MAX.
        """
        already_open = self.is_open
        if already_open:
            return True
        waiter = Lock()
        waiter.acquire()
        try:
            self._waiters.append(waiter)
            if self.is_open:
                return True
            if timeout is None:
                waiter.acquire()
            elif timeout > 0:
                waiter.acquire(True, timeout)
            return self.is_open
        finally:
            try:
                self._waiters.remove(waiter)
            except ValueError:  # open() has taken it off
                pass

    def forget_waiters(self) -> None:
        """Drop all waiters, in the child of a fork: their threads are not there."""
        self._waiters.clear()
