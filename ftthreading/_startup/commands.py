"""Take threading's place in every interpreter that starts from an environment, on request.

``python -m ftthreading app.py`` reaches one process. Programs that start other interpreters
(multiprocessing's spawn, subprocess, test suites) fall back to plain `threading` there, unseen.
`enable` writes two files into the environment's site-packages: the module that watches for
`threading` (see `watcher`), and the one that makes the interpreter's `site` module call it at
each start: `ftthreading.start` where it reads that (3.15, PEP 829), else `ftthreading.pth`. Nothing
is written unless somebody asks, and `disable` takes it away.

An interpreter started with -S or -I -S does not read it. FTTHREADING_AT_STARTUP=0 in the
environment turns it off for a process and its children. When ftthreading goes from the environment,
or breaks, the files stay: what they call then does nothing, or says so in one sentence.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .._status import status as current_status
from .files import startup_files, state_of

PROBE = """
import sys, threading
ours = sys.modules.get("ftthreading")
sys.exit(ours is None or threading.Lock is not ours.Lock)
"""


def in_force() -> bool:
    """Whether an interpreter that is started now, anywhere, runs on ftthreading."""
    child = [sys.executable, "-c", PROBE]
    environment = {**os.environ}
    for name in ("PYTHONPATH", "FTTHREADING_AT_STARTUP"):
        environment.pop(name, None)
    return subprocess.run(child, cwd="/", env=environment, check=False).returncode == 0


def enable() -> int:
    """Write the files, and try them; return an exit code."""
    files = startup_files()
    watcher, caller = files
    try:
        for file, text in files.items():
            print(f"writing {file}", flush=True)
            _write(file, text)
    except OSError as error:
        if not caller.is_file():
            watcher.unlink(missing_ok=True)
        print(f"VERDICT: FAILED: {error}", file=sys.stderr)
        return 1
    if in_force():
        print(f"VERDICT: enabled: what {sys.executable} starts from here on has ftthreading.")
        return 0
    caller.unlink(missing_ok=True)
    watcher.unlink(missing_ok=True)
    print(
        "VERDICT: FAILED: a new interpreter did not find ftthreading; is it installed in this"
        " environment (pip install)? The files have been removed again.",
        file=sys.stderr,
    )
    return 1


def _write(file: Path, text: str) -> None:
    """Write the file at a stroke: an interpreter may be starting. Raises OSError."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def disable() -> int:
    """Remove the files; return an exit code."""
    # First the one that calls the other.
    files = [file for file in reversed(startup_files()) if file.exists()]
    if not files:
        print(f"VERDICT: nothing to do: there is no {list(startup_files())[-1]}.")
        return 0
    for file in files:
        print(f"removing {file}", flush=True)
        try:
            file.unlink()
        except OSError as error:
            print(f"VERDICT: FAILED: {error}", file=sys.stderr)
            return 1
    print(f"VERDICT: disabled: what {sys.executable} starts from here on has plain threading.")
    return 0


def status() -> int:
    """Say what is in force; exit code 0 if new interpreters run on ftthreading, else 1."""
    for file, text in startup_files().items():
        print(f"{file}: {state_of(file, text)}")
    if os.environ.get("FTTHREADING_AT_STARTUP") == "0":
        print("FTTHREADING_AT_STARTUP=0: turned off for this process and its children")
    here = "ftthreading" if current_status().here else "plain threading"
    print(f"this process: {here}")
    enabled = in_force()
    children = "ftthreading" if enabled else "plain threading"
    print(f"a program that python -m ftthreading runs: ftthreading; what it starts: {children}")
    print(f"VERDICT: {'enabled' if enabled else 'disabled'} for {sys.executable}.")
    return 0 if enabled else 1


COMMANDS = {
    "--enable-at-startup": enable,
    "--disable-at-startup": disable,
    "--status": status,
}
