"""The stacks of another process's threads, by what else can read them.

The one place that touches the interpreter's private `_remote_debugging`, by which 3.14 and later
unwind another process of their own version; tests/diagnostics/outside/test_stacks.py says when
that changes. Where it is missing or fails, there are other tools, or the reason in a sentence.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys

from .memory import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .read import Snapshot

    type Stacks = dict[int, list[str]]  # lines, the innermost call first, by native id

SECONDS = 30.0
"""How long another tool may take."""

_TRIES = 3


def python_stacks(snapshot: Snapshot) -> tuple[Stacks, str]:
    """The Python stack of each thread; or none, and why."""
    table, pid = snapshot.table, snapshot.process.pid
    if table.python < 0x030E0000:
        return {}, f"Python {table.python_version} cannot be unwound from outside by itself"
    if table.python >> 16 != sys.hexversion >> 16:
        program = snapshot.process.python()
        return {}, (
            f"Python stacks can be read by a Python of the same version only, by"
            f" `{program} -m ftthreading dump {pid}`"
        )
    try:
        import _remote_debugging  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return {}, "this Python was built without _remote_debugging"
    reason = ""
    for _ in range(_TRIES):
        try:
            found = _remote_debugging.RemoteUnwinder(pid, all_threads=True).get_stack_trace()
            return _by_thread(found, snapshot), ""
        except Exception as error:  # a private module: whatever it raises, the rest is shown
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
    return {}, f"its Python stacks could not be read ({printable(reason)})"


def _by_thread(found: Any, snapshot: Snapshot) -> Stacks:
    # Since 3.15 by interpreter.
    threads = [thread for entry in found for thread in getattr(entry, "threads", None) or [entry]]
    inside = snapshot.process.native_ids_inside()
    stacks = {}
    for thread in threads:
        native_id = thread.thread_id if inside is None else inside.get(thread.thread_id, 0)
        stacks[native_id] = [_line(frame) for frame in thread.frame_info]
    return stacks


def _line(frame: Any) -> str:
    location = getattr(frame, "location", None)
    number = frame.lineno if location is None and hasattr(frame, "lineno") else None
    if location is not None:
        number = location.lineno
    name = printable(frame.funcname)
    if frame.filename in ("~", "", None) or not number:
        return name
    return f'File "{printable(frame.filename)}", line {number}, in {name}'


def other_stacks(snapshot: Snapshot) -> tuple[str, str]:
    """What pystack or py-spy print, without stopping the process, and who did; or "" and advice."""
    pid = str(snapshot.process.pid)
    for name, arguments in (
        ("pystack", ["remote", "--no-block", pid]),
        ("py-spy", ["dump", "--nonblocking", "--pid", pid]),
    ):
        program = _find(name)
        if program is None or (name == "py-spy" and snapshot.table.free_threaded):
            continue  # py-spy misreads a free-threaded build
        text = _run([program, *arguments])
        if text:
            return text, name
    return "", "install pystack to see Python stacks, or use --native to see native ones by gdb"


def native_stacks(snapshot: Snapshot) -> tuple[str, str]:
    """What gdb prints of the stacks of native code, and "gdb"; or "" and advice.

    It stops the process for that long; should it be ended in the middle, the process goes on.
    """
    program = _find("gdb")
    if program is None:
        return "", "install gdb to see native stacks"
    pid = snapshot.process.pid
    was_stopped = snapshot.process.thread_state(pid) == "T"
    first = ("set debuginfod enabled off", "set pagination off")
    text = _run(
        [
            *(program, "-nx", "-batch"),
            *(argument for command in first for argument in ("-iex", command)),
            *("-p", str(pid), "-ex", "thread apply all backtrace"),
        ]
    )
    if not text and not was_stopped and snapshot.process.thread_state(pid) == "T":
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)  # gdb was ended between stopping it and letting it go
    start = text.find("\nThread ")
    if start < 0:
        return "", "gdb could not read native stacks (it may lack permission to trace)"
    return text[start + 1 :], "gdb"


def _find(name: str) -> str | None:
    """Where a program is: beside this Python, or on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    text = done.stdout.decode("utf-8", "replace")
    return "\n".join(printable(line) for line in text.splitlines()) if done.returncode == 0 else ""
