"""Short runs of ``python -m stress`` for tests, in a folder of the test, on its own scenarios."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import sysconfig
from typing import Any

import pytest

from tests.support import CHECKOUT

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREAD_SANITIZER = "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS"))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}

marks = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts processes that keep all CPUs busy"),
    pytest.mark.skipif(
        THREAD_SANITIZER, reason="the controls race on purpose, and budgets are too short here"
    ),
]

only_free_threaded = pytest.mark.skipif(
    not FREE_THREADED, reason="with the GIL it takes luck to meet the window"
)

OWN = '''
import os, time
from ftthreading.stress import ACCEPTABLE, Scenario, actor

class Odd(Scenario):
    """Has an outcome that nobody has graded."""
    outcomes = {"even": ACCEPTABLE}
    @actor(2)
    def add(self, me):
        me.did("add")
    def arbiter(self):
        return "odd"

class CrossedLocks(Scenario):
    """Two locks, taken crosswise."""
    def setup(self):
        self.a, self.b = self.target.Lock(), self.target.Lock()
        self.inside = []
    def both(self, first, second):
        with first:
            self.inside.append(1)
            while len(self.inside) < 2:
                time.sleep(0.001)
            with second:
                pass
    @actor()
    def rightwards(self, me):
        self.both(self.a, self.b)
    @actor()
    def leftwards(self, me):
        self.both(self.b, self.a)

class SlowRound(Scenario):
    """One that takes its time, but works."""
    min_rounds = 1
    @actor()
    def work(self, me):
        until = time.monotonic() + 3
        while time.monotonic() < until:
            pass
        me.did("work")

class Crashing(Scenario):
    """Its thread kills the process."""
    @actor()
    def crash(self, me):
        os.abort()

class Leaving(Scenario):
    """Ends the process without a word: a failure of the scenario, not of the target."""
    @actor()
    def leave(self, me):
        os._exit(1)
'''


def stress(
    folder: pathlib.Path, *arguments: str, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "stress", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def run(
    folder: pathlib.Path, scenarios: str, *arguments: str, target: str = "golden", budget: str = "2"
) -> subprocess.CompletedProcess[str]:
    common = ("-k", scenarios, "--target", target, "--budget", budget, "--seed", "1")
    return stress(folder, "run", *common, *arguments)


def own(folder: pathlib.Path, scenario: str, *arguments: str, budget: str = "1") -> Any:
    path = folder / "own.py"
    path.write_text(OWN, encoding="utf-8")
    return run(folder, scenario, "--scenarios", str(path), *arguments, budget=budget)
