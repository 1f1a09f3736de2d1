"""What the kernel tells of a child process, and how it dies with us."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import signal
from pathlib import Path

from toolkit.child import run

PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl  # looked up here: a forked child had better not


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that made it ends.

    parent: the process that made it; if that is gone already, so are we.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(3)


def identity(pid: int) -> list[int] | None:
    """Return a process's number and when it began, which no later process has; None if gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else [pid, int(fields[19])]


def threads(pid: int) -> dict[int, tuple[str, int]]:
    """Return, for each thread of a process, its state's letter and how often it was switched."""
    found = {}
    try:
        tids = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return {}
    for tid in tids:
        try:
            text = Path(f"/proc/{pid}/task/{tid}/status").read_text(encoding="ascii")
        except OSError:
            continue
        state, switches = "?", 0
        for line in text.splitlines():
            if line.startswith("State:"):
                state = line.split()[1]
            elif line.startswith(("voluntary_ctxt", "nonvoluntary_ctxt")):
                switches += int(line.split()[1])
        found[int(tid)] = (state, switches)
    return found


def resources(pid: int) -> tuple[float, int, int] | None:
    """Return resident memory in MiB, open descriptors and threads of a process; None if gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        count = len(os.listdir(f"/proc/{pid}/task"))
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, descriptors, count


def native_stacks(pid: int, seconds: float = 15.0) -> str:
    """Return the C stacks of all threads by pystack or gdb, or why there are none."""
    if pystack := shutil.which("pystack"):
        command = [pystack, "remote", "--native-all", str(pid)]
    elif gdb := shutil.which("gdb"):
        command = [gdb, "-p", str(pid), "-batch", "-nx", "-iex", "set debuginfod enabled off"]
        command += ["-ex", "thread apply all bt 14"]
    else:
        return "no native stacks: neither pystack nor gdb is installed"
    die = functools.partial(die_with, os.getpid())  # calls the kernel
    done = run(command, limit=seconds, before_exec=die)
    if done.ended_by_us:
        return f"no native stacks: {command[0]} did not end within {seconds:g} seconds"
    lines = [line for line in done.stdout.splitlines() if line.startswith(("Thread ", "#"))]
    return "\n".join(lines) or f"no native stacks: {done.stderr.strip()[-500:]}"
