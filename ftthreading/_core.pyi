"""Types of the compiled half: the primitives whose every call matters."""

from types import TracebackType
from typing import final

@final
class Lock:
    """A mutual exclusion lock: one thread holds it, others wait in `acquire`.

    It is not owned: any thread may release it. It cannot be subclassed. The rules are those of
    `threading.Lock`; where a waiter's order is concerned, whoever has waited for more than a
    millisecond is served before a newcomer.
    """

    def __new__(cls) -> Lock: ...
    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; return whether it was taken.

        blocking: False tries once, and fails only if the lock is held.
        timeout: seconds to wait at most, on the monotonic clock, rounded up to nanoseconds;
            -1 waits for ever.

        Raises ValueError for any other negative timeout, for NaN, and for a timeout without
        blocking; OverflowError beyond TIMEOUT_MAX; TypeError for what is no number;
        PythonFinalizationError if it would have to wait while the interpreter is finalizing.
        In the main thread signal handlers run during the wait, and if one raises, the lock is
        not taken. May be called from any thread.
        """

    def release(self) -> None:
        """Release the lock. Never waits.

        Any thread may, and so may signal handlers, finalizers and weakref callbacks. Raises
        RuntimeError if the lock is not locked.
        """

    def locked(self) -> bool:
        """Return whether some thread holds the lock at this moment. Raises nothing."""

    def acquire_lock(self, blocking: bool = True, timeout: float = -1) -> bool:
        """The old name of `acquire`."""

    def release_lock(self) -> None:
        """The old name of `release`."""

    def locked_lock(self) -> bool:
        """The old name of `locked`."""

    def __enter__(self) -> bool:
        """The same as ``acquire()``."""

    def __exit__(
        self,
        type: type[BaseException] | None = None,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
        /,
    ) -> None:
        """The same as ``release()``."""

    def _at_fork_reinit(self) -> None:
        """Make the lock unlocked with nobody waiting, in the child of a fork."""

class RLock:
    """A lock that its owner may acquire again, and releases as often.

    It may be subclassed, and then leaves the arguments of the constructor to the subclass.
    """

    def __init__(self) -> None: ...
    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, once more if this thread has it already; return whether it was taken.

        Arguments and errors are those of `Lock.acquire`; OverflowError also when this thread
        has acquired it too often to count. If a signal handler that runs during the wait takes
        the lock and keeps it, the wait succeeds.
        """

    def release(self) -> None:
        """Undo one `acquire`; the last one releases the lock. Never waits.

        Raises RuntimeError if this thread does not own the lock.
        """

    def locked(self) -> bool:
        """Return whether some thread, this one included, holds the lock. Raises nothing."""

    def __enter__(self) -> bool:
        """The same as ``acquire()``."""

    def __exit__(
        self,
        type: type[BaseException] | None = None,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
        /,
    ) -> None:
        """The same as ``release()``."""

    def _is_owned(self) -> bool:
        """Return whether this thread owns the lock."""

    def _recursion_count(self) -> int:
        """Return how often this thread has acquired the lock and not released it."""

    def _release_save(self) -> tuple[int, int]:
        """Release the lock however often it was acquired; return what puts it back.

        Raises RuntimeError if this thread does not own the lock.
        """

    def _acquire_restore(self, state: tuple[int, int], /) -> None:
        """Take the lock as often as `_release_save` gave it up.

        An exception from a signal handler is raised only once the lock is held.
        """

    def _at_fork_reinit(self) -> None:
        """Make the lock unlocked with nobody waiting, in the child of a fork."""
