"""Private names of the interpreter's `threading`, and what differs between its versions.

Only names that our start() needs and that no public function offers; tests/core/test_cpython.py
fails when a version changes them. Where one is missing, `KNOWN` is false, and Thread, Timer and
current_thread stay as they are.
"""

from __future__ import annotations

import _thread
import sys
import threading
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Read through the module each time: tests and debuggers replace these names.
private: Any = threading

HANDLE = "_os_thread_handle" if sys.version_info >= (3, 14) else "_handle"
"""The attribute of a Thread that holds its `_thread._ThreadHandle`."""

_THREAD_NAMES = (HANDLE, "_initialized", "_started", "_bootstrap", "_bootstrap_inner")

KNOWN = (
    all(
        hasattr(threading, name)
        for name in ("_start_joinable_thread", "_active_limbo_lock", "_active", "_limbo")
    )
    and all(hasattr(threading.main_thread(), name) for name in _THREAD_NAMES)
    and all(hasattr(_thread, name) for name in ("start_joinable_thread", "_ThreadHandle"))
)

IN_MAIN_INTERPRETER: bool = getattr(_thread, "_is_main_interpreter", lambda: False)()

JOIN_MAY_HANG_AT_EXIT = sys.version_info < (3, 14)
"""Whether joining a thread that the finalizing interpreter has stopped waits for ever."""


def wait_for_threads() -> None:
    """What the interpreter does first when it ends: wait for all threads that are no daemons."""
    getattr(threading, "_shutdown", lambda: None)()


def is_own(function: object) -> bool:
    """Return whether it is the interpreter's own function of `threading`, not a tool's."""
    return isinstance(function, FunctionType) and function.__globals__ is vars(threading)


_bootstrap_inner: Any = getattr(threading.Thread, "_bootstrap_inner", None)
_start_joinable_thread: Any = getattr(_thread, "start_joinable_thread", None)
_ThreadHandle: Any = getattr(_thread, "_ThreadHandle", None)


def start_unlisted(function: Callable[[], object]) -> Callable[[float], object]:
    """Run it in a thread that `threading` knows nothing of, and that no exit waits for.

    Returns what waits until that thread has ended, for at most so many seconds.
    """
    if _start_joinable_thread is not None:
        join: Callable[[float], object] = _start_joinable_thread(function, daemon=True).join
        return join
    ended = _thread.allocate_lock()
    ended.acquire()

    def run() -> None:
        try:
            function()
        finally:
            ended.release()

    _thread.start_new_thread(run, ())
    return lambda seconds: ended.acquire(timeout=seconds)


def is_plain(handle: object) -> bool:
    """Return whether the handle is, and will stand for, a thread of the system.

    Green threads and tests bring a way of their own to start one.
    """
    return (
        private._start_joinable_thread is _start_joinable_thread and type(handle) is _ThreadHandle
    )


_RegistryLock: Any = type(getattr(threading, "_active_limbo_lock", None))


def depth_of_registry(lock: Any) -> int | None:
    """Return how often the caller holds the registry's lock; None if it is a tool's own kind."""
    count = getattr(lock, "_recursion_count", None) if type(lock) is _RegistryLock else None
    return None if count is None else count()


def registers_itself(thread: threading.Thread) -> bool:
    """Return whether we know that it leaves `_limbo` for `_active` once `_started` is set.

    Not if it overrides the method that does, or if it cannot before we return: a signal handler
    or a finalizer may call start() in the midst of a function that holds the registry's lock.
    """
    return (
        type(thread)._bootstrap_inner is _bootstrap_inner  # type: ignore[attr-defined]
        and not private._active_limbo_lock._is_owned()
    )


if sys.version_info >= (3, 14):
    import _contextvars

    def give_context(thread: Any) -> None:
        """What a thread starts with if it was made without a context of its own."""
        if thread._context is None:
            inherits = sys.flags.thread_inherit_context
            thread._context = _contextvars.copy_context() if inherits else _contextvars.Context()

else:

    def give_context(thread: Any) -> None:
        """A context of its own: since 3.14."""
