"""Whose crash it is, as far as the last words of a dead process tell."""

from __future__ import annotations

import dataclasses
import re
import signal

FRAME = re.compile(r'File "([^"]+)", line \d+ in (\S+)')


@dataclasses.dataclass(frozen=True)
class Crash:
    """A judged crash."""

    oracle: str
    says: str
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
    says = f"the child died by {name}" + (f": {fatal[1]}" if fatal else "")
    current = re.search(r"(?:Current thread|Stack) .*?\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
    frames = FRAME.findall(current[1]) if current else []
    if not frames:
        return Crash(name, f"{says}, without a Python frame", "interpreter")
    file, function = frames[0]
    root = target.partition(":")[0]
    ours = "/scenarios/" in file or f"/{root}/" in file or file.endswith(f"/{root}.py")
    return Crash(
        name,
        f"{says}, in {function} ({file})",
        "target" if ours or "mutant" in file else "interpreter",
    )
