"""What an interpreter says of itself and of a target: ``python -m stress.probe TARGET``."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from typing import Any

from . import targets


class CannotRun(Exception):
    """An interpreter or a target cannot be used; the message says why."""


def describe(target: str) -> dict[str, Any]:
    """Return what is known of this interpreter, after importing the target.

    Raises targets.NoTarget.
    """
    module = targets.load(target)
    probe = getattr(sys, "_is_gil_enabled", None)
    flags = str(sysconfig.get_config_var("CFLAGS"))
    return {
        "version": platform.python_version(),
        "build": " ".join(platform.python_build()),
        "executable": sys.executable,
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil": probe is None or bool(probe()),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "sanitizer": "thread" if "-fsanitize=thread" in flags else "",
        "cpus": len(os.sched_getaffinity(0)),
        "file": getattr(module, "__file__", None) or "",
        "pure_python": bool(targets.code_of(module)) and target != "ftthreading",
    }


def ask(python: str, target: str) -> dict[str, Any]:
    """Return `describe()` of another interpreter. Raises CannotRun."""
    from .supervise import environment

    try:
        done = subprocess.run(
            [python, "-m", "stress.probe", target],
            check=False,
            capture_output=True,
            text=True,
            timeout=90,
            env=environment(),
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"{python}: {error}") from None
    if done.returncode:
        last = done.stderr.strip().splitlines() or ["no word"]
        raise CannotRun(f"{python} cannot use {target}: {last[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    try:
        print(json.dumps(describe(sys.argv[1])))
    except targets.NoTarget as error:
        sys.exit(str(error))
