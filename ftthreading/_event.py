"""Event, in Python: a latch for every time that the flag goes from false to true.

To clear the event is to begin a new latch, so a thread that waits answers to one rise of the
flag and no other: `set` followed at once by `clear` still lets everyone go who waited before,
and nobody who came after.
"""

from __future__ import annotations

from ._condition import Condition
from ._core import Lock, RLock
from ._latch import Latch
from ._steps import holding


class Event:
    """A flag that threads can wait for. It is false at first.

    Every method may be called from any thread. `set`, `clear` and `is_set` never wait for
    another thread's `set` or `wait`, and may be called from a signal handler or a finalizer,
    even from one that interrupted the same call.
    """

    __module__ = "ftthreading"  # where it is public; shown by repr() and used by pickle

    def __init__(self) -> None:
        self._latch = Latch()
        # Held only while clear() puts a new latch in the place of an open one: two threads
        # doing so at once could strand those who wait on the latch of the first.
        self._mutex = RLock()

    def __repr__(self) -> str:
        cls = type(self)
        state = "set" if self.is_set() else "unset"
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: {state}>"

    def _at_fork_reinit(self) -> None:
        """In the child of a fork: forget waiters that are not there. The flag stays."""
        self._mutex._at_fork_reinit()
        self._latch.forget_waiters()
        self.__dict__.pop("_shown_condition", None)

    @property
    def _flag(self) -> bool:
        """The flag, for programs that read `threading`'s attribute of this name, or set it."""
        return self._latch.is_open

    @_flag.setter
    def _flag(self, flag: object) -> None:
        if flag:
            self.set()
        else:
            self.clear()

    @property
    def _cond(self) -> Condition:
        """A condition with a plain lock, as `threading`'s event has one. This event uses none."""
        condition: Condition = self.__dict__.setdefault("_shown_condition", Condition(Lock()))
        return condition

    def is_set(self) -> bool:
        """Return whether the flag is true. Raises nothing."""
        return self._latch.is_open

    def isSet(self) -> bool:
        """Return whether the flag is true: the deprecated name of `is_set`."""
        import warnings

        warnings.warn(
            "isSet() is deprecated, use is_set() instead", DeprecationWarning, stacklevel=2
        )
        return self.is_set()

    def set(self) -> None:
        """Make the flag true and wake every thread that waits for it.

        Returns without waiting for anything. Raises only what a signal handler raises
        meanwhile; even then every waiter was woken, or nothing was done.
        """
        self._latch.open()

    def clear(self) -> None:
        """Make the flag false: whoever waits from now on, waits for the next `set`."""
        if self._latch.is_open:
            holding(self._mutex, self._renew, Latch())

    def _renew(self, latch: Latch) -> None:
        # No call stands between the test and the assignment, so that no handler does.
        if self._latch.is_open:
            self._latch = latch

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is true. Return False if the time ran out first, else True.

        timeout: seconds, or None to wait for ever; zero or less only looks.

        A thread that waited when `set` was called gets True even if the flag was cleared
        again before it could run (gh-57711). Raises what a signal handler raises meanwhile,
        TypeError or ValueError for what is no number of seconds, OverflowError beyond
        TIMEOUT_MAX.
        """
        return self._latch.wait(timeout)
