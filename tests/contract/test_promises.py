"""Promises that `threading` breaks and ftthreading keeps, one scenario each: see promises.py.

Each runs in an interpreter of its own, since on `threading` most end in a hang: on ours for
FTT_ROUNDS rounds, all of which must keep the promise, and on the interpreter's own, where BROKEN
says what is to be seen.

One more is tested elsewhere: that threads do not fight over the reference count of what they
share (core/test_sharing.py).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.contract.promises import SCENARIOS
from tests.support import run_python

PROGRAM = Path(__file__).with_name("promises.py")
ROUNDS = int(os.environ.get("FTT_ROUNDS", "20"))

TAG = f"{sys.version_info[0]}.{sys.version_info[1]}" + (
    "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
)

ALL = {
    "start",
    "notify_late",
    "wait_lock",
    "set_inside",
    "release_inside",
    "permit",
    "rlock",
    "barrier",
}
BROKEN = {"3.13": ALL, "3.13t": ALL, "3.14t": ALL, "3.15t": ALL}
"""Which interpreter's `threading` breaks which promise, each time the scenario is run."""

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters that use signals")


def run(module: str, name: str, rounds: int, patience: float, deadline: float) -> Any:
    arguments = [module, name, str(rounds), str(patience), str(deadline)]
    return run_python(PROGRAM, *arguments, timeout=deadline + 30, check=False)


@pytest.mark.parametrize("name", SCENARIOS)
def test_ours_keeps_it(name: str) -> None:
    child = run("ftthreading", name, ROUNDS, 60, 100 + ROUNDS)
    assert child.returncode == 0, child.stdout + child.stderr
    assert child.stdout == f"{name}: kept {ROUNDS} times\n"


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_interpreter_s_own(name: str) -> None:
    if TAG not in BROKEN:
        pytest.skip(f"nobody has recorded what threading of {TAG} does")
    child = run("threading", name, 20, 1, 5)
    broken = child.returncode == 3 or "Timeout" in child.stderr
    assert broken == (name in BROKEN[TAG]), child.stdout + child.stderr
