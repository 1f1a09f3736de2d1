"""Whose crash it is, as far as the last words of a dead process tell."""

from __future__ import annotations

import dataclasses
import os
import re
import signal

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
FUTEX = "The futex facility returned an unexpected error code"
"""What the C library dies with where a semaphore is gone on which a thread still waits or posts."""
SEMAPHORE = "interpreter, gh-148820"
"""Whose that is: a signal ends a wait for a lock inside the interpreter's parking lot, and the
waiter takes its semaphore away. Mended in the interpreters of summer 2026. Not counted but where
the interpreter's own `threading` is the target."""
_RAW_MUTEX = "_PyRawMutex_LockSlow"
"""Held for some instructions: who still waits for it has lost his wake-up so."""
FRAME = re.compile(r'File "([^"]+)", line \d+ in (\S+)')


@dataclasses.dataclass(frozen=True)
class Crash:
    """A judged crash."""

    oracle: str
    message: str
    blame: str


def judge(code: int, text: str, target: str) -> Crash:
    """Judge a process that ended with this exit code and wrote this text.

    faulthandler tells the Python frames of the thread that crashed, the innermost first. If that
    is a frame of the target or of a scenario, which then was inside a call of the target, it is
    the target's; else the interpreter's. The harness is Python, and cannot crash by itself.
    """
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    if race := re.search(r"WARNING: ThreadSanitizer: (.+?) \(pid", text):
        ours = "_core" in text or target in text
        return Crash(
            "ThreadSanitizer", f"ThreadSanitizer: {race[1]}", "target" if ours else "interpreter"
        )
    fatal = re.search(r"Fatal Python error: (.+)", text)
    message = f"the child died by {name}" + (f": {fatal[1]}" if fatal else "")
    if FUTEX in text:
        return Crash(name, f"{message}: {FUTEX.lower()}", _semaphore_of(target))
    current = re.search(r"(?:Current thread|Stack) .*?\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
    frames = FRAME.findall(current[1]) if current else []
    if not frames:
        return Crash(name, f"{message}, without a Python frame", "interpreter")
    file, function = frames[0]
    return Crash(
        name,
        f"{message}, in {function} ({file})",
        "target" if _is_ours(file, target) else "interpreter",
    )


def blame_for_hang(stacks: str, target: str) -> str:
    """Return whose a hang is: the target's, unless no thread is in it or in a scenario."""
    python, _, native = stacks.partition("\nnative stacks:")
    if _RAW_MUTEX in native:
        return _semaphore_of(target)
    files = re.findall(r'File "([^"]+)"', python)
    outside = files and all(map(_is_referee, files))
    return "interpreter" if outside else "target"


def _semaphore_of(target: str) -> str:
    return "target" if target == "threading" else SEMAPHORE


def _is_referee(file: str) -> bool:
    tested = ("/scenarios/", "/golden/", "mutant", "heldout")
    ours = file.startswith(HERE) and not any(part in file for part in tested)
    return ours or file.startswith("<frozen")


def _is_ours(file: str, target: str) -> bool:
    root = target.partition(":")[0]
    if _is_referee(file):
        return False
    ours = "/scenarios/" in file or f"/{root}/" in file or file.endswith(f"/{root}.py")
    return ours or "mutant" in file
