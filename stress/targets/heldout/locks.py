"""Bugs of Lock, RLock and their waiting: wrappers in Python of what the interpreter has in C."""

from __future__ import annotations

import _thread
import signal
import threading
from typing import Any

from .bug import Bug, Edit


class Wrapper:
    """A lock around the interpreter's; an heir has one thing wrong."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} lock object at {id(self):#x}>"

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()  # type: ignore[attr-defined]


class DeafLock(Wrapper):
    """Who waits in it hears of no signal that Python handles."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._lock.locked() or threading.current_thread() is not threading.main_thread():
            return self._lock.acquire(blocking, timeout)
        handled = [
            number for number in signal.valid_signals() if callable(signal.getsignal(number))
        ]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, handled)
        try:
            return self._lock.acquire(blocking, timeout)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _deaf(namespace: dict[str, Any]) -> None:
    namespace["Lock"] = namespace["_allocate_lock"] = DeafLock


def _of_mutex_and_condition(namespace: dict[str, Any]) -> None:
    condition = namespace["Condition"]

    class MutexLock(Wrapper):
        """A flag under a mutex, which also those have to wait for who do not want to wait."""

        def __init__(self) -> None:
            self._at_fork_reinit()

        def _at_fork_reinit(self) -> None:
            self._changed = condition(_thread.allocate_lock())
            self._taken = False

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            _thread.allocate_lock().acquire(blocking, timeout)  # raises what is to be raised
            with self._changed:
                if self._taken and blocking:
                    self._changed.wait_for(
                        lambda: not self._taken, None if timeout < 0 else timeout
                    )
                if self._taken:
                    return False
                self._taken = True
                return True

        def release(self) -> None:
            with self._changed:
                if not self._taken:
                    raise RuntimeError("release unlocked lock")
                self._taken = False
                self._changed.notify()

        def locked(self) -> bool:
            return bool(self._taken)

    namespace["Lock"] = MutexLock


BUGS = (
    Bug(
        "lock_acquire_deaf_to_signals",
        "lock",
        "bpo-8844",
        "who waits for a lock runs no signal handler until the lock is there",
        "threading",
        _deaf,
    ),
    Bug(
        "lock_nonblocking_waits_for_mutex",
        "lock",
        "bpo-30765",
        "acquire(False) waits for the lock's inner mutex: in a handler that interrupted the"
        " lock's own acquire() or release(), for ever (rare)",
        "threading",
        _of_mutex_and_condition,
    ),
    Bug(
        "rlock_pure_python",
        "lock",
        "bpo-13697",
        "an RLock of Python code is not safe from signal handlers: one that comes between taking"
        " the lock and noting the owner waits for ever, or leaves it locked (rare)",
        "threading",
        (
            Edit("    _CRLock = _thread.RLock\n", "    _CRLock = None\n"),
            Edit("            return 1\n", "            return True\n"),
        ),
    ),
    Bug(
        "rlock_depth_lost_in_wait",
        "lock",
        "ysbaddaden/sync#19, JetBrains/lincheck#145",
        "Condition.wait() in a lock taken twice comes back with it taken once",
        "threading",
        (Edit("        if hasattr(lock, '_acquire_restore'):\n", "        if False:\n"),),
    ),
)
