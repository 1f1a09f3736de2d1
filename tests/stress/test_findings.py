"""What ``python -m stress`` must find is found and shown again, and what must be quiet is.

That it would notice is shown by broken targets and broken scenarios.
"""

from __future__ import annotations

import json
import pathlib
from xml.etree import ElementTree

import pytest

from .running import FREE_THREADED, marks, only_free_threaded, own, run, stress

pytestmark = marks


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


def test_a_deadlock_is_found_with_the_stacks_of_all_in_it(tmp_path: pathlib.Path) -> None:
    done = own(tmp_path, "crossed_locks")
    assert done.returncode == 1, done.stdout
    (finding,) = tmp_path.glob(".stress/*/findings/*")
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
    done = run(tmp_path, "printing", "--scenarios", "printing.py", budget="5")
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
    assert (
        own(tmp_path, "=odd", "-x", budget="600").returncode == 1
    )  # which stress() would not wait
    assert own(tmp_path, "=slow_round", "-x", budget="1").returncode == 0
