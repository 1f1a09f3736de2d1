"""``python -m stress``: what it must find is found, what must be quiet is, and nothing is lost.

Each run is short: here only the harness is tested. That it would notice is shown by broken
targets and broken scenarios; how strong it is, `python -m stress selftest` measures.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import time
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support import CHECKOUT, wait_until

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREAD_SANITIZER = "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS"))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}

pytestmark = [
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


def last_run(folder: pathlib.Path) -> pathlib.Path:
    return max((folder / ".stress").iterdir())


def children_of(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def exists(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_list_names_scenarios_and_nemeses(tmp_path: pathlib.Path) -> None:
    done = stress(tmp_path, "list")
    assert done.returncode == 0
    for word in ("barrier_generations", "condition_timed_waiter_swallows", "oversubscribe", "stop"):
        assert word in done.stdout
    assert "linear_lock" not in stress(tmp_path, "list", "-k", "Barrier").stdout


def test_doctor_says_whether_a_run_would_mean_anything(tmp_path: pathlib.Path) -> None:
    done = stress(tmp_path, "doctor", "--target", "golden")
    assert "VERDICT:" in done.stdout
    if FREE_THREADED and len(os.sched_getaffinity(0)) > 1:
        assert done.returncode == 0, done.stdout
        assert "GIL:            off" in done.stdout
    else:
        assert done.returncode == 3
        assert "trouble:" in done.stdout


def test_usage_errors_are_exit_code_2(tmp_path: pathlib.Path) -> None:
    (tmp_path / "wrong.py").write_text("def (\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit('no')\n")
    for arguments in (
        ["run", "-k", "latch"],
        ["run", "--budget", "soon"],
        ["run", "--nemesis", "zeus"],
        ["run", "--shard", "4/3"],
        ["run", "--resume", "last"],
        ["repro", "nothing-000000"],
        ["selftest", "--only", "nobody"],
        ["run", "--budget", "inf"],
        ["run", "--json", "nowhere/r.json"],
        ["run", "--known", "nowhere"],
        ["run", "--scenarios", "nowhere.py"],
        ["run", "--scenarios", "wrong.py"],
        ["run", "--scenarios", "leaves.py"],
        ["sing"],
    ):
        done = stress(tmp_path, *arguments)
        assert done.returncode == 2, arguments
        assert len(done.stderr.splitlines()) == 1 or arguments == ["sing"], done.stderr
    assert "wrong.py, line 1: " in stress(tmp_path, "list", "--scenarios", "wrong.py").stderr
    assert stress(tmp_path, "run", "--target", "no_such_module").returncode == 3
    assert "has no Lock" in stress(tmp_path, "run", "--target", "json").stderr
    (tmp_path / "ends.py").write_text("import os\nos._exit(0)\n")
    done = stress(tmp_path, "run", "--target", "ends")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert not (tmp_path / ".stress").exists()
    done = run(tmp_path, "lock_arguments", "--output", "ends.py/runs", budget="1")
    assert (done.returncode, "Not a directory" in done.stderr) == (3, True)


def test_a_quiet_run_says_what_was_exercised_and_writes_reports(tmp_path: pathlib.Path) -> None:
    files = ("--json", "r.json", "--junit", "r.xml", "--html", "r.html")
    done = run(tmp_path, "event_publishes,semaphore_release_many", *files, budget="4")
    assert "VERDICT:" in done.stdout
    assert "safe" not in done.stdout
    data = json.loads((tmp_path / "r.json").read_text())["runs"][0]["summary"]
    assert set(data["scenarios"]) == {"event_publishes", "semaphore_release_many"}
    assert data["ops"] > 0
    assert data["findings"] == []
    suite = ElementTree.parse(tmp_path / "r.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
    page = (tmp_path / "r.html").read_text()
    assert "event_publishes" in page
    assert 'name="viewport"' in page
    assert "processors, " in page
    assert "http" not in page
    if FREE_THREADED:
        assert done.returncode == 0, done.stdout
        assert "nothing found in golden on what was exercised" in done.stdout
        assert "(95 %)" in done.stdout
    else:
        assert done.returncode == 3
        assert "the global interpreter lock is on" in done.stdout
    assert "event_publishes" in stress(tmp_path, "report").stdout
    assert "golden" in stress(tmp_path, "history").stdout


@only_free_threaded
def test_too_little_exercised_is_no_good_verdict(tmp_path: pathlib.Path) -> None:
    done = run(tmp_path, "lock_torture", "--threads", "1", "--nemesis", "none", budget="1")
    assert done.returncode == 3, done.stdout
    assert "lock_torture lacks contended" in done.stdout


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ("condition_timed_waiter_swallows", "outcome, nobody got it"),
        ("signal_handler_sets", "hang, progress"),
        pytest.param("thread_start_race", "", marks=only_free_threaded),
    ],
)
def test_it_finds_what_threading_breaks_and_shows_it_again(
    scenario: str, says: str, tmp_path: pathlib.Path
) -> None:
    arguments = ("--nemesis", "none", "--until-failure")
    done = run(tmp_path, scenario, *arguments, target="threading", budget="20")
    assert done.returncode == 1, done.stdout
    assert f"FINDING {scenario}-" in done.stdout
    assert says in done.stdout
    (command, *_) = [line for line in done.stdout.splitlines() if "see it again: " in line]
    repeated = command.partition("python -m stress ")[2].split()
    again = stress(tmp_path, *repeated)
    assert again.returncode == 1, again.stdout
    assert "VERDICT: FOUND" in again.stdout


def test_two_targets_are_compared(tmp_path: pathlib.Path) -> None:
    scenario = "condition_timed_waiter_swallows"
    arguments = ("--vs", "golden", "--nemesis", "none")
    done = run(tmp_path, scenario, *arguments, target="mutant:condition_swallows", budget="4")
    assert done.returncode == 1, done.stdout
    assert f"only right: {scenario}: outcome, nobody got it" in done.stdout
    broken, golden = sorted(
        (path.name for path in (tmp_path / ".stress").iterdir()), key=lambda n: "golden" in n
    )
    assert stress(tmp_path, "compare", golden, broken).returncode == 1
    assert stress(tmp_path, "compare", broken, golden).returncode == 0


def test_selftest_kills_mutants_and_keeps_what_it_has_done(tmp_path: pathlib.Path) -> None:
    arguments = (
        "--only",
        "rlock_torn_count,rlock_save_forgets_depth",
        "--golden",
        "0",
        "--json",
        "k",
    )
    done = stress(tmp_path, "selftest", *arguments, "--shard", "1/2", "--budget", "60")
    assert done.returncode == 0, done.stdout
    done = stress(tmp_path, "selftest", *arguments, "--resume", "--budget", "60")
    assert "1 of 2 cells to run" in done.stdout
    assert done.returncode == 0, done.stdout
    assert "2 of 2 mutants killed as they should" in done.stdout
    kills = json.loads((tmp_path / "k").read_text())["mutants"]
    for mutant in ("rlock_torn_count", "rlock_save_forgets_depth"):
        assert kills[mutant]["killed"] == 1
        assert kills[mutant]["median_ops"] > 0
    again = stress(tmp_path, "selftest", *arguments, "--resume")
    assert "0 of 2 cells to run" in again.stdout
    assert again.returncode == 0


def test_a_deadlock_is_found_with_the_stacks_of_all_in_it(tmp_path: pathlib.Path) -> None:
    done = own(tmp_path, "crossed_locks")
    assert done.returncode == 1, done.stdout
    (finding,) = (last_run(tmp_path) / "findings").iterdir()
    data = json.loads(finding.read_text())
    assert data["kind"] == "hang"
    assert "in rightwards" in data["details"]
    assert "in leftwards" in data["details"]
    assert "a = <" in data["details"]


def test_slow_is_not_stuck(tmp_path: pathlib.Path) -> None:
    done = own(tmp_path, "slow_round")
    assert done.returncode == (0 if FREE_THREADED else 3), done.stdout
    assert "FINDING" not in done.stdout


def test_a_crash_is_a_finding_and_a_failing_harness_is_not(tmp_path: pathlib.Path) -> None:
    done = own(tmp_path, "crashing")
    assert done.returncode == 1, done.stdout
    assert "crash, SIGABRT" in done.stdout
    done = own(tmp_path, "leaving")
    assert done.returncode == 4, done.stdout
    assert "THE HARNESS FAILED" in done.stdout


def test_an_outcome_that_nobody_graded_is_forbidden(tmp_path: pathlib.Path) -> None:
    files = ("--junit", "r.xml", "--sarif", "r.sarif", "--json", "r.json")
    done = own(tmp_path, "odd", "--until-failure", *files)
    assert done.returncode == 1, done.stdout
    (found,) = json.loads((tmp_path / "r.sarif").read_text())["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "own.py"
    assert "see it again: python -m stress repro odd-" in found["message"]["text"]
    (found,) = json.loads((tmp_path / "r.json").read_text())["runs"][0]["findings"]
    assert found["repro"] == f"python -m stress repro {found['fingerprint']}"
    assert "the outcome “odd” is forbidden" in done.stdout
    suite = ElementTree.parse(tmp_path / "r.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.get("failures") == "1"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_harness_leaves_no_process_and_loses_nothing(
    number: signal.Signals, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN, encoding="utf-8")
    command = [sys.executable, "-m", "stress", "run", "-k", "odd,slow_round"]
    command += ["--scenarios", str(path), "--target", "golden", "--budget", "15", "--seed", "4"]
    harness = subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        runs = tmp_path / ".stress"
        wait_until(lambda: list(runs.glob("*/findings/odd-*.json")), what="the finding is kept")
        wait_until(lambda: children_of(harness.pid), what="a child runs")
        children = children_of(harness.pid)
        harness.send_signal(number)
        harness.communicate(timeout=30)
    finally:
        harness.kill()
        harness.wait()
    wait_until(lambda: not any(map(exists, children)), what="no child is left")
    assert harness.returncode == (1 if number == signal.SIGTERM else -number)
    (before,) = runs.iterdir()
    batches = len((before / "batches.jsonl").read_text().splitlines())
    report = stress(tmp_path, "report")
    assert report.returncode == 1
    assert "FINDING odd-" in report.stdout
    if number == signal.SIGTERM:
        assert "stopped by SIGTERM" in json.dumps(json.loads((before / "run.json").read_text()))
        return
    # What is left of the budget is used up where the run has stopped.
    info = json.loads((before / "run.json").read_text())
    spent = info["summary"]["seconds"]
    info["options"]["budget"] = spent + 1.5
    (before / "run.json").write_text(json.dumps(info))
    resumed = stress(tmp_path, "run", "--resume", "last")
    assert resumed.returncode == 1
    lines = [json.loads(line) for line in (before / "batches.jsonl").read_text().splitlines()]
    assert len(lines) > batches
    assert sorted({line["number"] for line in lines}) == [line["number"] for line in lines]
    assert list(runs.iterdir()) == [before]


PRINTING = '''
from stress import Scenario, actor

class Printing(Scenario):
    """Prints and prints."""
    @actor(2)
    def work(self, me):
        print("x" * 100_000)
        me.did("work")
'''


def test_a_target_that_prints_without_end_does_not_fill_the_disk(tmp_path: pathlib.Path) -> None:
    (tmp_path / "printing.py").write_text(PRINTING)
    done = run(tmp_path, "printing", "--scenarios", "printing.py", budget="30")
    assert done.returncode == 1
    assert "MiB were printed in one batch" in done.stdout
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 2**24


def test_known_findings_are_told_and_do_not_count(tmp_path: pathlib.Path) -> None:
    (tmp_path / "known.txt").write_text("odd: odd  # it is no secret\n\n# another\n")
    done = own(tmp_path, "=odd", "--known", str(tmp_path / "known.txt"))
    assert done.returncode == 0, done.stdout
    assert "known" in done.stdout
    (tmp_path / "known.txt").write_text("odd: even  # another\n")
    assert own(tmp_path, "=odd", "--known", str(tmp_path / "known.txt")).returncode == 1
    assert own(tmp_path, "=odd", "--known", str(tmp_path / "none.txt")).returncode == 2


def test_a_run_can_end_at_the_first_finding_and_keeps_its_budget(tmp_path: pathlib.Path) -> None:
    begin = time.monotonic()
    assert own(tmp_path, "=odd", "-x", budget="100").returncode == 1
    assert own(tmp_path, "=slow_round", "-x", budget="1").returncode == 0
    assert time.monotonic() - begin < 90  # not the hundred seconds
