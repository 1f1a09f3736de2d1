"""Child processes that run batches: how they are watched, and how long one is kept."""

from __future__ import annotations

import pathlib
import sysconfig

import pytest

from stress.engine import supervise
from stress.engine.children import Children
from stress.processes.kernel import identity
from stress.records import findings
from stress.records.batch import Batch

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts processes that keep all CPUs busy"),
    pytest.mark.skipif(
        "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS")),
        reason="budgets are too short here",
    ),
]

CROWDED = '''
import time
from stress import Scenario, actor

class Crowded(Scenario):
    """One round that takes its time, in many operations."""
    @actor()
    def work(self, me):
        until = time.monotonic() + 8
        while time.monotonic() < until:
            me.did("work")

class Idle(Scenario):
    """As long, and nothing is done in it."""
    @actor()
    def work(self, me):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
'''


@pytest.mark.parametrize(("scenario", "found"), [("crowded", []), ("idle", ["progress"])])
def test_a_long_round_is_no_hang_while_operations_are_done(
    scenario: str, found: list[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "BUSY_SECONDS", 4.0)
    file = tmp_path / "crowded.py"
    file.write_text(CROWDED)
    batch = Batch(scenario, "golden", 1, 1, seconds=0.1, files=(str(file),))
    with Children(tmp_path / "child") as children:
        children.run(batch, tmp_path / "work", native=False)
    assert [one.oracle for one in findings.read_all(tmp_path / "work" / "found")] == found


CARELESS = '''
import _thread, os, time
from stress import ACCEPTABLE, Scenario, actor

class Numbers(dict):
    def get(self, outcome, default):
        return ACCEPTABLE if outcome.isdigit() else default

class Tidy(Scenario):
    """Tells in which process it runs, and leaves it as it was."""
    outcomes = Numbers()
    @actor(2)
    def work(self, me):
        me.did("work")
    def arbiter(self):
        return str(os.getpid())

class Careless(Tidy):
    """Leaves a thread behind."""
    def arbiter(self):
        _thread.start_new_thread(time.sleep, (60,))
        return super().arbiter()

class Wrong(Tidy):
    """Finds something."""
    def arbiter(self):
        return "wrong"
'''


def test_a_child_is_kept_until_something_is_left_in_it(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "careless.py"
    file.write_text(CARELESS)
    pids = []
    with Children(tmp_path / "child") as children:
        for k, (name, nemeses) in enumerate(
            [
                ("tidy", ("gc", "churn", "yields", "affinity", "starve", "switch")),
                ("tidy", ("oversubscribe", "signals", "stw", "fork", "stop", "timeouts")),
                ("careless", ()),
                ("tidy", ("lines",)),
                ("wrong", ()),
                ("tidy", ()),
            ]
        ):
            batch = Batch(name, "golden", k, 2, nemeses, seconds=0.2, files=(str(file),))
            result = children.run(batch, tmp_path / str(k), native=False)
            assert not result.error
            pids.append(next(iter(result.outcomes), ""))
    assert pids[0] == pids[1] == pids[2] != pids[3] != pids[5]
    assert pids[4] == "wrong"
    assert [identity(int(pid)) for pid in {*pids} - {"wrong"}] == [None, None, None]
