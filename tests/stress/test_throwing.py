"""Exceptions that the harness throws into actors, scenarios as pytest's tests, more interpreters.

That a breach would be noticed is shown by targets that are broken on purpose.
"""

from __future__ import annotations

import json
import pathlib
import random
import shlex
import subprocess
import sys

import pytest

from stress.api.exposure import Exposure, Thrown
from stress.processes import crashes
from stress.processes.drift import ENOUGH, WARM_UP, Drift
from tests.support import start_threads, wait_until

from .running import ENVIRONMENT, FREE_THREADED, THREAD_SANITIZER

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts processes that keep all CPUs busy"),
    pytest.mark.skipif(THREAD_SANITIZER, reason="budgets are too short here"),
]

only_free_threaded = pytest.mark.skipif(
    not FREE_THREADED, reason="a run with the GIL has another verdict"
)

LEAKY = """
from threading import *
from _thread import allocate_lock

class Lock:
    '''Forgets that it was acquired when a signal handler raises thereafter.'''
    def __init__(self):
        self._lock = allocate_lock()
    def acquire(self, *arguments):
        got = self._lock.acquire(*arguments)
        for _ in range(500):
            pass
        return got
    def release(self):
        self._lock.release()
    def locked(self):
        return self._lock.locked()
    __enter__ = acquire
    def __exit__(self, *error):
        self.release()

RLock = Semaphore = BoundedSemaphore = Lock
"""

OWN = '''
from stress import ACCEPTABLE, Scenario, actor

class OneWinner(Scenario):
    """Two threads try to take a lock; one gets it."""
    outcomes = {"1 winner": ACCEPTABLE}
    def setup(self):
        self.lock = self.target.Lock()
        self.won = []
    @actor(2)
    def take(self, me):
        if self.lock.acquire(False):
            self.won.append(me.index)
        me.did("try")
    def arbiter(self):
        return f"{len(self.won)} winner"

class TwoWinners(OneWinner):
    """As above, but wrong."""
    outcomes = {"2 winner": ACCEPTABLE}

class AWinnerInVain(OneWinner):
    """As above, but wants to see more than there is."""
    must_see = frozenset({"a miracle"})

def test_beside_them():
    pass
'''


def stress(
    folder: pathlib.Path, *arguments: str, timeout: float = 150
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_at_most_one_exception_is_thrown_and_none_after_the_end() -> None:
    exposure = Exposure()
    assert not exposure.claim()
    claims: list[bool] = []

    def work() -> None:
        claims.extend(exposure.claim() for _ in range(3))
        exposure.sent = True
        raise Thrown

    assert exposure.run(work, random.Random(1))
    assert claims == [True, False, False]
    assert not exposure.claim()
    assert not exposure.run(lambda: None, random.Random(1))
    assert not exposure.claim()


def test_who_takes_the_window_at_the_last_moment_is_waited_for() -> None:
    exposure = Exposure()
    over = []

    def exposed(_: int) -> None:
        exposure.run(exposure.claim, random.Random(1))
        over.append(1)

    running = start_threads(1, exposed)
    wait_until(lambda: exposure.ident, what="it is exposed")
    assert not over
    exposure.sent = True
    running.join()
    assert over


def test_an_error_of_its_own_gets_through() -> None:
    exposure = Exposure()
    with pytest.raises(KeyError):
        exposure.run(lambda: {"yes": 1}["no"], random.Random(1))
    assert not exposure.claim()


def test_an_allocation_that_fails_counts_as_struck() -> None:
    exposure = Exposure()
    calls: list[tuple[int, int]] = []

    def fail(first: int, last: int) -> None:
        calls.append((first, last))
        if len(calls) == 2:
            raise MemoryError  # as the call that ends the failures may

    exposure.fail = fail
    assert exposure.run(lambda: None, random.Random(1))
    assert len(calls) == 3
    assert calls[0][1] == calls[0][0] + 1
    assert calls[1] == calls[2]


@only_free_threaded
def test_what_a_raising_handler_breaks_is_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / "leaky.py").write_text(LEAKY, encoding="utf-8")
    common = ("stress", "run", "-k", "=struck_in_sections", "--nemesis", "interrupts")
    done = stress(
        tmp_path, *common, "--target", "leaky", "--until-failure", "--seed", "1", timeout=280
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FINDING struck_in_sections-" in done.stdout
    done = stress(tmp_path, *common, "--target", "golden", "--budget", "3", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr


@only_free_threaded
def test_asynchronous_exceptions_are_thrown_at_c_only(tmp_path: pathlib.Path) -> None:
    common = ("stress", "run", "-k", "=struck_in_sections", "--nemesis", "throws", "--seed", "1")
    done = stress(tmp_path, *common, "--budget", "3", "--json", "r.json")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads((tmp_path / "r.json").read_text())["runs"]
    assert run["summary"]["scenarios"]["struck_in_sections"]["seen"]["thrown"] > 0
    done = stress(tmp_path, *common, "--budget", "3", "--target", "golden")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no nemesis that can be had" in done.stderr


@only_free_threaded
def test_pytest_runs_scenarios_and_shows_how_to_see_a_finding_again(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "my_scenarios.py").write_text(OWN, encoding="utf-8")
    arguments = ("--stress-budget", "1s", "--stress-target", "golden", "-rs")
    done = stress(tmp_path, "pytest", "-p", "stress.pytest_plugin", *arguments, "my_scenarios.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed, 1 skipped" in done.stdout
    assert "the outcome “1 winner” is forbidden" in done.stdout
    assert "lacks a miracle" in done.stdout
    assert "Traceback" not in done.stdout
    commands = [line for line in done.stdout.splitlines() if "see it again: " in line]
    again = stress(tmp_path, *shlex.split(commands[0].partition("python -m ")[2]))
    assert again.returncode == 1, again.stdout + again.stderr
    assert "VERDICT: FOUND again" in again.stdout


@only_free_threaded
def test_one_plan_runs_on_several_interpreters(tmp_path: pathlib.Path) -> None:
    common = ("stress", "run", "-k", "=event_publishes", "--target", "golden", "--budget", "4")
    done = stress(tmp_path, *common, "--json", "r.json", "--python", sys.executable, sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = json.loads((tmp_path / "r.json").read_text())["runs"]
    assert [run["options"]["budget"] for run in runs] == [2, 2]
    assert runs[0]["options"]["seed"] == runs[1]["options"]["seed"]
    done = stress(tmp_path, *common, "--python", str(tmp_path / "no-python"))
    assert done.returncode == 3
    assert "COULD NOT RUN" in done.stderr


def test_a_steady_rise_is_a_drift_and_a_high_level_is_not() -> None:
    def rising(slope: float) -> object:
        drift = Drift()
        count = 3 * ENOUGH
        drift._samples = [
            (WARM_UP + 0.2 * k, 100 + slope * 0.2 * k, 9, 4, 1e6 * k) for k in range(count)
        ]
        return drift.summary()["rising"]

    assert rising(0) == []
    assert rising(50) == ["MiB +50.0/s"]


def test_a_hang_in_which_nobody_is_in_the_target_is_the_interpreters() -> None:
    here = pathlib.Path(crashes.__file__).parents[1]
    idle = f'  File "{here}/engine/team.py", line 44 in _live\n'
    idle += '  File "<frozen runpy>", line 88 in run\n'
    waits = f'  File "{here}/scenarios/primitives/locks.py", line 3, in worker\n'
    own = '  File "/home/me/stress/mine.py", line 3, in worker\n'
    native = f"\nnative stacks:\n{waits}"
    assert crashes.blame_for_hang(idle + native, "ftthreading") == "interpreter"
    assert crashes.blame_for_hang(idle + waits, "ftthreading") == "target"
    assert crashes.blame_for_hang(idle + own, "ftthreading") == "target"
    assert crashes.blame_for_hang("", "ftthreading") == "target"
    lost = idle + own + "\nnative stacks:\n#8 _PyRawMutex_LockSlow (m=0x1) at Python/lock.c:213\n"
    assert crashes.blame_for_hang(lost, "ftthreading") == crashes.SEMAPHORE
    assert crashes.blame_for_hang(lost, "threading") == "target"
