"""``python -m stress``: its commands, their verdicts and exit codes, and what they write.

Each run is short: here only the harness is tested. How strong it is, `python -m stress selftest`
measures.
"""

from __future__ import annotations

import json
import os
import pathlib
from xml.etree import ElementTree

import pytest

from stress.cli.command_line import main

from .running import FREE_THREADED, marks, only_free_threaded, run, stress

pytestmark = marks


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


def test_usage_errors_are_exit_code_2(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
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
    ):
        assert main(arguments) == 2, arguments
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1, said
        assert ("wrong.py, line 1: " in said) == ("wrong.py" in arguments)
    assert stress(tmp_path, "sing").returncode == 2
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
