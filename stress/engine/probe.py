"""What an interpreter says of itself and of a target: ``python -m stress.engine.probe TARGET``."""

from __future__ import annotations

import json
import os
import platform
import sys
import sysconfig
from typing import Any

from toolkit import child
from toolkit.machine import cpu_model, gil_enabled

from ..targets.inspection import code_of, indivisible
from ..targets.loading import NoTarget, load
from .process import environment

IMPORT_SECONDS = 30.0


class CannotRun(Exception):
    """An interpreter or a target cannot be used; the message says why."""


def describe(target: str) -> dict[str, Any]:
    """Return what is known of this interpreter, after importing the target.

    Raises NoTarget.
    """
    module = load(target)
    flags = str(sysconfig.get_config_var("CFLAGS"))
    return {
        "version": platform.python_version(),
        "build": " ".join(platform.python_build()),
        "executable": sys.executable,
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil": gil_enabled(),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "sanitizer": "thread" if "-fsanitize=thread" in flags else "",
        "cpus": len(os.sched_getaffinity(0)),
        "processor": cpu_model(),
        "file": getattr(module, "__file__", None) or "",
        "python_lines": bool(code_of(module)),
        "names": sorted(name for name in dir(module) if not name.startswith("_")),
        "indivisible": indivisible(module),
        "fails_allocations": fails_allocations(),
    }


def fails_allocations() -> bool:
    """Return whether this interpreter can be told to fail allocations: a debug build can.

    An ordinary one could, too, but dies of it in its own code, and not only of want of memory.
    """
    if not sysconfig.get_config_var("Py_DEBUG"):
        return False
    try:
        import _testcapi  # type: ignore[import-not-found]
    except ImportError:
        return False
    return hasattr(_testcapi, "set_nomemory")


def unfit(about: dict[str, Any]) -> set[str]:
    """Return the nemeses that mean nothing where `describe()` returned this."""
    needs = {"lines": "python_lines", "throws": "indivisible", "nomemory": "fails_allocations"}
    return {nemesis for nemesis, need in needs.items() if not about[need]}


def ask(python: str, target: str) -> dict[str, Any]:
    """Return `describe()` of another interpreter. Raises CannotRun."""
    command = [python, "-P", "-m", "stress.engine.probe", target]
    try:
        done = child.run(command, env=environment(), limit=IMPORT_SECONDS)
    except OSError as error:
        raise CannotRun(f"{python}: {error}") from None
    if done.ended_by_us:
        raise CannotRun(
            f"{python}: importing {target} did not end within {IMPORT_SECONDS:g} seconds"
        )
    if done.fault:
        last = done.stderr.strip().splitlines() or ["no word"]
        raise CannotRun(f"{python} cannot use {target}: {last[-1]}")
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise CannotRun(f"{python} ended while it imported {target}, or made no sense") from None
    return answer


if __name__ == "__main__":
    try:
        print(json.dumps(describe(sys.argv[1])))
    except NoTarget as error:
        sys.exit(str(error))
