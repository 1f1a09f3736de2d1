"""Condition, in Python: a queue of waiters beside a lock.

Three promises that `threading`'s own does not keep (reproduced on CPython 3.13 and 3.14):

- A notification goes to a thread that still waits. Who times out leaves the queue before he
  asks for the lock again, and leaving and being notified exclude each other (see `Waiters`).
- `wait` ends with the lock held, whatever a signal handler raises in it and wherever
  (gh-118433).
- A notification that reached a thread which then leaves by an exception goes to the next.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from time import monotonic

from ._compat import CONDITION_HAS_LOCKED
from ._core import Lock, RLock
from ._steps import in_one_step, wake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._steps import Waiters

# How often to ask for the lock again when asking raises. Each exception of a signal handler
# uses up one turn; only a lock that can never be taken uses them all.
_ATTEMPTS = 10_000


class Condition:
    """Lets threads that hold a lock wait for a notification of others that hold it.

    lock: anything with `acquire` and `release`; a new RLock if not given or None. If it has
    `_release_save`, `_acquire_restore` or `_is_owned`, these are used, as `threading` does.

    The promises about exceptions hold for locks whose methods are C functions, such as Lock
    and RLock. A lock written in Python may have been interrupted inside its own methods. And
    they hold for one exception at a time: a second one, if it strikes in the few instructions
    between the first and the next attempt to take the lock, still gets through; to stop that
    one takes C.
    """

    __module__ = "ftthreading"  # where it is public; shown by repr() and used by pickle

    def __init__(self, lock: Any = None) -> None:
        if lock is None:
            lock = RLock()
        self._lock = lock
        self.acquire: Callable[..., bool] = lock.acquire
        self.release: Callable[[], None] = lock.release
        if CONDITION_HAS_LOCKED and hasattr(lock, "locked"):
            self.locked: Callable[[], bool] = lock.locked
        if hasattr(lock, "_release_save"):
            self._release_save = lock._release_save  # type: ignore[method-assign]
        if hasattr(lock, "_acquire_restore"):
            self._acquire_restore = lock._acquire_restore  # type: ignore[method-assign]
        if hasattr(lock, "_is_owned"):
            self._is_owned = lock._is_owned  # type: ignore[method-assign]
        self._waiters: Waiters = deque()

    def _at_fork_reinit(self) -> None:
        """In the child of a fork: free the lock and forget waiters that are not there."""
        self._lock._at_fork_reinit()
        self._waiters.clear()

    def __enter__(self) -> Any:
        try:
            enter = self._lock.__enter__
        except AttributeError:  # not every lock is a context manager
            enter = self._lock.acquire
        return enter()

    def __exit__(self, *args: object) -> Any:
        try:
            leave = self._lock.__exit__
        except AttributeError:
            return self._lock.release()
        return leave(*args)

    def __repr__(self) -> str:
        return f"<Condition({self._lock}, {len(self._waiters)})>"

    def _release_save(self) -> Any:
        """Release the lock; return what `_acquire_restore` needs to put it back as it was."""
        self._lock.release()

    def _acquire_restore(self, x: Any) -> None:
        """Acquire the lock again, as it was before `_release_save`."""
        self._lock.acquire()

    def _is_owned(self) -> bool:
        """Return whether the lock is held, by this thread as far as the lock can tell."""
        lock = self._lock
        if type(lock) is Lock:
            return lock.locked()
        if lock.acquire(False):
            lock.release()
            return False
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait until notified, acquire the lock again.

        timeout: seconds, or None to wait for ever; zero or less waits only as long as it
        takes to let go of the lock and get it back.

        Returns True if this thread was notified, False if the time ran out first. There are no
        wake-ups without a notification.

        Raises RuntimeError if the lock is not held (for a plain Lock: by anybody). Raises what
        a signal handler raises meanwhile, TypeError or ValueError for what is no number of
        seconds, OverflowError beyond TIMEOUT_MAX: in all these cases the lock is held again,
        however many times it was, and a notification that had come was passed on.
        """
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        waiter = Lock()
        waiter.acquire()
        # A step is done if its list has an entry; see in_one_step().
        released: list[Any] = []
        withdrawn: list[None] = []
        restored: list[Any] = []
        release, acquire, takes_state = self._steps()
        try:
            self._waiters.append(waiter)
            in_one_step(released, release)
            if timeout is None:
                notified = waiter.acquire()
            elif timeout > 0:
                notified = waiter.acquire(True, timeout)
            else:
                notified = False
            if not notified:
                notified = not self._withdraw(waiter, withdrawn)
            in_one_step(restored, acquire, *(released if takes_state else ()))
            return notified
        except BaseException:
            forward = not withdrawn and not self._withdraw(waiter, withdrawn)
            if released and not restored:
                self._restore(restored, acquire, *(released if takes_state else ()))
            if forward:
                wake(self._waiters, 1)
            raise

    def _withdraw(self, waiter: Lock, withdrawn: list[None]) -> bool:
        """Take the waiter off the queue; return False if a notification came first."""
        try:
            in_one_step(withdrawn, self._waiters.remove, waiter)
        except ValueError:
            return False
        return True

    def _steps(self) -> tuple[Callable[..., Any], Callable[..., Any], bool]:
        """How to release, how to acquire again, and whether that takes what releasing returned.

        Goes past this class's own `_release_save` and `_acquire_restore`: they are Python, in
        which an exception could strike after the lock has changed hands.
        """
        release: Callable[..., Any] = self._release_save
        acquire: Callable[..., Any] = self._acquire_restore
        if getattr(release, "__func__", None) is Condition._release_save:
            release = self._lock.release
        if getattr(acquire, "__func__", None) is Condition._acquire_restore:
            return release, self._lock.acquire, False
        return release, acquire, True

    def _restore(
        self, restored: list[Any], acquire: Callable[..., Any], *arguments: object
    ) -> None:
        """Acquire the lock again after an exception; further ones are dropped for the first."""
        is_owned = getattr(self._lock, "_is_owned", None)
        for turn in range(_ATTEMPTS):
            try:
                if restored or (is_owned is not None and is_owned()):
                    return
                in_one_step(restored, acquire, *arguments)
            except PythonFinalizationError:  # nobody will release it any more
                raise
            except BaseException:
                if turn == _ATTEMPTS - 1:
                    raise

    def wait_for[T](self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until `predicate` returns something true, and return that.

        predicate: called with the lock held, at the start and after every notification.
        timeout: seconds for the whole, or None to wait for ever. If they run out, the last
        value of the predicate is returned, which is false.

        Raises as `wait` does, and what the predicate raises.
        """
        result = predicate()
        if timeout is None:
            while not result:
                self.wait()
                result = predicate()
            return result
        if not result:
            remaining = timeout
            deadline = monotonic() + timeout
            while True:
                self.wait(remaining)
                result = predicate()
                remaining = deadline - monotonic()
                if result or remaining <= 0:
                    break
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the `n` threads that have waited longest, or as many as wait.

        They return from `wait` once they have the lock, so not before it is released here.
        May be called from a signal handler that interrupted another call of this condition,
        if the lock is an RLock.

        Raises RuntimeError if the lock is not held (for a plain Lock: by anybody).
        """
        if not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        waiters = self._waiters
        if waiters and n > 0:
            wake(waiters, ceil(min(n, len(waiters))))

    def notify_all(self) -> None:
        """Wake all threads that wait. Raises as `notify` does."""
        self.notify(len(self._waiters))

    def notifyAll(self) -> None:
        """Wake all threads that wait: the deprecated name of `notify_all`."""
        import warnings

        warnings.warn(
            "notifyAll() is deprecated, use notify_all() instead", DeprecationWarning, stacklevel=2
        )
        self.notify_all()
