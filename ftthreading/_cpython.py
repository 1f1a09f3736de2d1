"""Private names of the interpreter's `threading`, and what differs between its versions.

Only names that our Thread needs and that no public function offers; tests/test_cpython.py fails
when a version changes them. Where one is missing, `KNOWN` is false and Thread, Timer and
current_thread are the interpreter's own.
"""

from __future__ import annotations

import _thread
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Read through the module each time: tests and debuggers replace these names.
private: Any = threading

HANDLE = "_os_thread_handle" if sys.version_info >= (3, 14) else "_handle"
"""The attribute of a Thread that holds its `_thread._ThreadHandle`."""

KNOWN = all(
    hasattr(threading, name)
    for name in (
        *("_start_joinable_thread", "_active_limbo_lock", "_active", "_limbo"),
        *("_MainThread", "_DummyThread"),
    )
) and all(
    hasattr(threading.main_thread(), name)
    for name in (HANDLE, "_initialized", "_started", "_ident", "_bootstrap", "_after_fork")
)

IN_MAIN_INTERPRETER: bool = getattr(_thread, "_is_main_interpreter", lambda: False)()

JOIN_MAY_HANG_AT_EXIT = sys.version_info < (3, 14)
"""Whether joining a thread that the finalizing interpreter has stopped waits for ever."""

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
