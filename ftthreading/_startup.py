"""Take threading's place in every interpreter that starts from an environment, on request.

``python -m ftthreading app.py`` reaches one process. Programs that start other interpreters
(multiprocessing's spawn, subprocess, test suites) fall back to plain `threading` there, unseen.
`enable` writes a file into the environment's site-packages that the interpreter's `site` module
runs at each start: `ftthreading.start` where it reads that (3.15, PEP 829), else
`ftthreading.pth`. Nothing is written unless somebody asks, and `disable` takes it away.

An interpreter started with -S or -I -S does not read it. FTTHREADING_AT_STARTUP=0 in the
environment turns it off for a process and its children.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ENTRY_POINT = "ftthreading._startup:at_startup\n"

# One line, for each line of a .pth file that begins with "import" is executed by itself.
IMPORT_LINE = (
    "import sys; exec('try:\\n from ftthreading._startup import at_startup\\n"
    "except ImportError: pass\\nelse: at_startup()')\n"
)

PROBE = """
import sys, threading
ours = sys.modules.get("ftthreading")
sys.exit(ours is None or threading.Lock is not ours.Lock)
"""


def at_startup() -> None:
    """Install ftthreading, unless FTTHREADING_AT_STARTUP=0. Called by `site`."""
    if os.environ.get("FTTHREADING_AT_STARTUP") != "0":
        import ftthreading

        ftthreading.install()


def startup_file() -> Path:
    """The file that `enable` writes for this interpreter."""
    suffix = ".start" if sys.version_info >= (3, 15) else ".pth"
    return Path(sysconfig.get_path("purelib"), f"ftthreading{suffix}")


def in_force() -> bool:
    """Whether an interpreter that is started now, anywhere, runs on ftthreading."""
    child = [sys.executable, "-c", PROBE]
    environment = {**os.environ}
    for name in ("PYTHONPATH", "FTTHREADING_AT_STARTUP"):
        environment.pop(name, None)
    return subprocess.run(child, cwd="/", env=environment, check=False).returncode == 0


def enable() -> int:
    """Write the file, and try it; return an exit code."""
    file = startup_file()
    print(f"writing {file}", flush=True)
    text = ENTRY_POINT if file.suffix == ".start" else IMPORT_LINE
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_text(text)
        new.replace(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        print(f"VERDICT: FAILED: {error}", file=sys.stderr)
        return 1
    if in_force():
        print(f"VERDICT: enabled: what {sys.executable} starts from here on has ftthreading.")
        return 0
    file.unlink(missing_ok=True)
    print(
        "VERDICT: FAILED: a new interpreter did not find ftthreading; is it installed in this"
        " environment (pip install)? The file has been removed again.",
        file=sys.stderr,
    )
    return 1


def disable() -> int:
    """Remove the file; return an exit code."""
    file = startup_file()
    if not file.exists():
        print(f"VERDICT: nothing to do: there is no {file}.")
        return 0
    print(f"removing {file}", flush=True)
    try:
        file.unlink()
    except OSError as error:
        print(f"VERDICT: FAILED: {error}", file=sys.stderr)
        return 1
    print(f"VERDICT: disabled: what {sys.executable} starts from here on has plain threading.")
    return 0


def status() -> int:
    """Say what is in force; exit code 0 if it is ftthreading, else 1."""
    file = startup_file()
    print(f"{file}: {'there' if file.exists() else 'not there'}")
    if os.environ.get("FTTHREADING_AT_STARTUP") == "0":
        print("FTTHREADING_AT_STARTUP=0: turned off for this process and its children")
    enabled = in_force()
    print(f"VERDICT: {'enabled' if enabled else 'disabled'} for {sys.executable}.")
    return 0 if enabled else 1


COMMANDS = {
    "--enable-at-startup": enable,
    "--disable-at-startup": disable,
    "--status": status,
}
