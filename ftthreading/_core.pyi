"""Types of the compiled half: the primitives whose every call matters."""

from collections.abc import Callable
from threading import Thread
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, Protocol, Self, final

from typing_extensions import disjoint_base

class _AnyLock(Protocol):
    """What Condition asks of a lock, at the least."""

    # Properties, so that any signature will do.
    @property
    def acquire(self) -> Callable[..., Any]: ...
    @property
    def release(self) -> Callable[..., Any]: ...

@final
class Lock:
    """A mutual exclusion lock: one thread holds it, others wait in `acquire`.

    It is not owned: any thread may release it. It cannot be subclassed. The rules are those of
    `threading.Lock`. A newcomer may take a free lock before those who wait; but the oldest of them
    is handed it once it has waited for a millisecond, at most once a millisecond.
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

@disjoint_base
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

@disjoint_base
class Condition:
    """Lets threads that hold a lock wait until another one notifies them.

    lock: a Lock, an RLock, or any object with `acquire` and `release`; None makes an RLock.

    A notified thread takes the lock again before `wait` returns. A subclass may override
    `_release_save`, `_acquire_restore` and `_is_owned` for a lock that has none of its own.
    """

    def __init__(self, lock: _AnyLock | None = None) -> None: ...
    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Call the lock's `acquire`."""

    def release(self) -> None:
        """Call the lock's `release`."""

    def locked(self) -> bool:
        """Call the lock's `locked`."""

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait for a notification, take the lock again.

        timeout: seconds to wait for the notification at most, on the monotonic clock, rounded
            up to nanoseconds; None waits for ever. The lock is waited for without limit.

        Returns True if this thread was notified, False if not in time. There are no wake-ups
        without a notification.

        Raises RuntimeError if the lock is not held; OverflowError beyond TIMEOUT_MAX; TypeError
        for what is no number; PythonFinalizationError while the interpreter is finalizing.
        In the main thread signal handlers run during the wait; if one raises, a notification that
        had come goes to another thread. However it ends, the lock is held again, as often as
        before, with one exception: while the lock is wanted back, exceptions of handlers are set
        aside, but the second KeyboardInterrupt ends the wait without the lock. A lock that is not
        ours and has no `_is_owned` is asked for once.
        """

    def wait_for[T](self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until ``predicate()`` is true, which is called with the lock held.

        timeout: seconds for the whole, from the first time that the predicate is false; then it
        waits at least once. Returns the predicate's last result, which is false if
        the time ran out. Raises as `wait`, and what the predicate raises.
        """

    def notify(self, n: int = 1) -> None:
        """Let the `n` threads go on that have waited longest, or all if they are fewer.

        Only threads that still wait count, none whose time has run out. Never waits. A signal
        handler may call it that interrupted `wait`, once it holds the lock. Raises RuntimeError
        if the lock is not held, TypeError for what is no whole number.
        """

    def notify_all(self) -> None:
        """Notify all threads that wait. Raises as `notify`."""

    def notifyAll(self) -> None:
        """The old name of `notify_all`; warns that it is deprecated."""

    def __enter__(self) -> bool:
        """Call the lock's `__enter__`, or `acquire` if it has none."""

    def __exit__(self, *args: object) -> None:
        """Call the lock's `__exit__`, or `release` if it has none."""

    def _release_save(self) -> Any:
        """Call the lock's `_release_save`, or `release` if it has none."""

    def _acquire_restore(self, x: Any) -> Any:
        """Call the lock's `_acquire_restore`, or `acquire` if it has none."""

    def _is_owned(self) -> bool:
        """Call the lock's `_is_owned`, or find out whether anybody holds it."""

    @property
    def _lock(self) -> Any:
        """The lock."""

    @property
    def _waiters(self) -> tuple[None, ...]:
        """As long as there are threads that wait at this moment."""

    def _at_fork_reinit(self) -> None:
        """Make the lock free and forget the waiters, in the child of a fork."""

@disjoint_base
class Semaphore:
    """A number of permits that threads take and give.

    value: permits at first. Raises ValueError if it is negative, TypeError if it is no whole
    number, OverflowError beyond 2**61 - 1.
    """

    def __init__(self, value: int = 1) -> None: ...
    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take a permit; return whether one was taken.

        blocking: False tries once.
        timeout: seconds to wait at most, on the monotonic clock, rounded up to nanoseconds;
            None waits for ever, 0 or less tries once.

        Raises ValueError for a timeout without blocking, and if it has to wait: OverflowError
        beyond TIMEOUT_MAX, TypeError for what is no number, PythonFinalizationError while the
        interpreter is finalizing. In the main thread signal handlers run during the wait; if
        one raises, no permit is taken and none is lost.
        """

    def release(self, n: int = 1) -> None:
        """Give `n` permits, and so let up to `n` waiting threads go on. Never waits.

        Any thread may, and so may signal handlers, finalizers and weakref callbacks, even those
        that interrupt another call on the same semaphore. Raises ValueError if `n` is less than
        one, OverflowError if there would be more than 2**61 - 1.
        """

    def __enter__(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """The same as ``acquire()``."""

    def __exit__(
        self,
        t: type[BaseException] | None,
        v: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """The same as ``release()``."""

    _value: int
    """Permits that nobody has at this moment; may be set."""

    _cond: Any
    """The condition of `acquire` and `release`, once a program has asked for it."""

class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits than at first.

    Its `release` then raises ValueError, and gives none.
    """

    _initial_value: int
    """Permits at first, and at most; may be set."""

@disjoint_base
class Event:
    """A flag that threads can wait for; false at first."""

    def __init__(self) -> None: ...
    def is_set(self) -> bool:
        """Return whether the flag is true at this moment. Raises nothing."""

    def isSet(self) -> bool:
        """The old name of `is_set`; warns that it is deprecated."""

    def set(self) -> None:
        """Make the flag true and let every thread go on that waits at this moment.

        They go on even if `clear` follows at once. Never waits. Any thread may, and so may
        signal handlers, finalizers and weakref callbacks, even those that interrupt another
        call on the same event. Raises nothing.
        """

    def clear(self) -> None:
        """Make the flag false: `wait` waits again. Never waits itself. Raises nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is true; return whether it was, or was set meanwhile.

        timeout: seconds to wait at most, on the monotonic clock, rounded up to nanoseconds;
            None waits for ever, 0 or less only looks.

        If it has to wait, raises OverflowError beyond TIMEOUT_MAX, TypeError for what is no
        number, PythonFinalizationError while the interpreter is finalizing. In the main thread
        signal handlers run during the wait; a `set` by one of them counts, and an exception of
        one ends the wait.
        """

    _cond: Any
    """The condition that `set`, `clear` and `wait` go through, once a program has asked for it."""

    _flag: bool
    """The same as `is_set`; setting it is the same as `set` and `clear`."""

    def _at_fork_reinit(self) -> None:
        """Forget the waiters, in the child of a fork; the flag stays."""

@disjoint_base
class Barrier:
    """A point that a number of threads pass together, again and again.

    parties: how many. Raises ValueError if it is less than one.
    action: called by one of the threads once all have come, before any goes on. No lock is held
        meanwhile: it may call any method.
    timeout: the default of `wait`, in seconds; None waits for ever.
    """

    def __init__(
        self,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
    ) -> None: ...
    def wait(self, timeout: float | None = None) -> int:
        """Wait until all parties have called this; return a number from 0 to parties - 1.

        Each gets another number, the last one the highest.

        timeout: seconds, on the monotonic clock, rounded up to nanoseconds; None takes the
            barrier's own. When it runs out before all have come, the barrier breaks.

        Raises BrokenBarrierError if the barrier is broken, or breaks or is reset during the
        wait or the action; in the thread that runs it what the action raises; OverflowError
        beyond TIMEOUT_MAX; TypeError for what is no number; PythonFinalizationError if it would
        have to wait while the interpreter is finalizing. In the main thread signal handlers run
        during the wait, and if one raises, it is as if this thread had not come.
        """

    def reset(self) -> None:
        """Make the barrier as new; threads that wait get BrokenBarrierError. Never waits."""

    def abort(self) -> None:
        """Break the barrier for all who wait or come later, until `reset`. Never waits."""

    @property
    def parties(self) -> int:
        """Threads that it takes to pass."""

    @property
    def n_waiting(self) -> int:
        """Threads that wait at this moment."""

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken."""

def get_native_id() -> int:
    """Return the number by which the kernel knows the calling thread.

    It may be used again when the thread has ended. Raises nothing.
    """

@final
class _Launch:
    """What a new thread calls first and last."""

    def __new__(
        cls, thread: Thread, bootstrap: Callable[[], None], forget: Callable[[Thread], None]
    ) -> Self: ...
    def __call__(self, *args: Any, **kwargs: Any) -> None: ...
    def run(
        self,
        lock: Any,
        limbo: Any,
        handle: Any,
        steps: Callable[[Any, _Launch, Any], None],
    ) -> None: ...
    def wait(self, timeout: float, /) -> bool: ...
    def pause(self, microseconds: int, /) -> None: ...
    failed: bool
    listed: bool
    has_ended: bool
    started: Event
    ended: Event

def _speed_up(current_thread: Callable[[], Thread], /) -> None: ...
def _enter(thread: Thread, /) -> None: ...
def _leave() -> None: ...
def _holding[*P, T](lock: Any, function: Callable[[*P], T], *arguments: *P) -> T: ...
def _join(
    thread: Thread,
    timeout: float | None,
    join: Callable[[Thread, float | None], None],
    ended: Event | None,
    /,
) -> None: ...
def _barrier_parts(
    barrier: Barrier,
    /,
) -> tuple[int, Callable[[], object] | None, float | None, bool, int] | None: ...
def _give_up_barrier(barrier: Barrier, /) -> bool: ...
def _adopt(kind: type, name: str, function: FunctionType) -> bool: ...
def _spin_limit() -> int: ...
def _calls() -> list[tuple[int, int, object, int, int | None, bool, bool]]: ...
def _numbers() -> dict[int, int]: ...
def _number() -> int: ...
def _holder(lock: object, /) -> tuple[int, bool] | None: ...
def _stack(
    thread: int, began: int, frame: FrameType, most: int, /
) -> list[tuple[CodeType, int, dict[str, object], dict[str, object]]] | None: ...
def _forks() -> int: ...
def _write_on_signal(signum: int, descriptor: int, /) -> None: ...
def _throw(thread: int, began: int, exception: BaseException, /) -> bool: ...

type _Trace = tuple[tuple[CodeType, int], ...]
type _Entry = tuple[int, int, type | None, _Trace | None, _Trace, float, float, float, int, str]

def _profile_start() -> bool: ...
def _profile_stop() -> bool: ...
def _profile_read() -> tuple[int, list[_Entry]] | None: ...
def _threads_time() -> int: ...
def _stand_in(kind: type, original: type | None, /) -> None: ...
def _show_class(kind: type, shown: property | None, /) -> None: ...
def _trace(*recorder: Callable[[Any, bool, bool], object] | None) -> None: ...
