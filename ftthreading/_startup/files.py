"""The files that make every interpreter of an environment start on ftthreading."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

WATCHER = "_ftthreading_at_startup"

CALLS = {
    # One line, for site executes each alone; silent where the module is gone.
    ".pth": (
        f'import sys; exec("try: import {WATCHER}\\nexcept ImportError: pass\\n'
        f'else: {WATCHER}.watch()")\n'
    ),
    ".start": f"{WATCHER}:watch\n",
}


def startup_files() -> dict[Path, str]:
    """What `enable` writes for this interpreter, the module first."""
    folder = Path(sysconfig.get_path("purelib"))
    suffix = ".start" if sys.version_info >= (3, 15) else ".pth"
    watcher = Path(__file__).with_name("watcher.py").read_text(encoding="utf-8")
    return {folder / f"{WATCHER}.py": watcher, folder / f"ftthreading{suffix}": CALLS[suffix]}


def will_reach_children() -> bool:
    """Whether the files are there, as `enable` writes them, and are not turned off here."""
    if os.environ.get("FTTHREADING_AT_STARTUP") == "0":
        return False
    return all(state_of(file, text) == "there" for file, text in startup_files().items())


def state_of(file: Path, text: str) -> str:
    """In words for people; "there" if it is as `enable` writes it."""
    try:
        there = file.read_text(encoding="utf-8", errors="replace") == text
    except OSError:
        return "not there"
    return "there" if there else "there, of another version (--enable-at-startup renews it)"
