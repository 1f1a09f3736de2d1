"""ci/nightly: steps that pass, fail, hang or cannot be run, and what it says of them."""

import fnmatch
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ci import nightly
from ci.nightly import STEPS, NightlyStep, chosen
from tests.support import wait_until

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "nightly.yml"
TAG = "3.13t"

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="runs processes, and replaces a module's names"),
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs go to a folder of the test, and no interpreter is looked for."""
    (tmp_path / "ci").mkdir()
    get = tmp_path / "ci" / "get-python"
    get.write_text("#!/bin/sh\n[ $1 = 3.13t ] || { echo no $1 here; exit 1; }\n")
    get.chmod(0o755)
    monkeypatch.setattr(nightly, "ROOT", tmp_path)
    monkeypatch.setattr(nightly, "LOGS", tmp_path / "logs")


def run(monkeypatch: pytest.MonkeyPatch, *steps: NightlyStep, only: tuple[str, ...] = ()) -> int:
    monkeypatch.setattr(nightly, "STEPS", list(steps))
    return nightly.main(["--only", *only] if only else [])


GOOD = NightlyStep("good", TAG, 1, "echo all is well")
BAD = NightlyStep("bad", TAG, 1, "echo the reason; NAME=value; exit 7")


def test_steps_that_pass(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, GOOD, NightlyStep("other", TAG, 1, "true")) == 0
    output = capfd.readouterr().out
    assert output.endswith("VERDICT: 2 of 2 steps passed.\n")
    assert (tmp_path / "logs" / "good.log").read_text().endswith("all is well\n")


def test_a_step_that_fails_is_told_with_its_command_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, BAD, GOOD) == 1
    output = capfd.readouterr().out
    assert "\n    the reason\n" in output
    assert f"to see bad again: {BAD.command}\n" in output
    assert re.search(r"^bad +FAILED +\d+ +exit code 7$", output, re.MULTILINE)
    assert re.search(r"^good +passed +\d+$", output, re.MULTILINE)
    assert output.endswith("VERDICT: FAILED: 1 of 2 steps passed; 1 failed, 0 could not be run.\n")


def test_a_step_without_its_interpreter_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    absent = NightlyStep("absent", "3.15t", 1, "touch ran")
    assert run(monkeypatch, GOOD, absent) == 0
    output = capfd.readouterr().out
    assert output.endswith("VERDICT: 1 of 2 steps passed; could not be run here: absent.\n")
    assert "no interpreter; to see why: ci/get-python 3.15t" in output
    assert not (nightly.ROOT / "ran").exists()
    assert run(monkeypatch, absent) == 3  # nothing was shown


def test_a_step_that_takes_too_long_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(nightly, "ENDING", 2.0)
    command = "bash -c 'echo $$ >number; trap \"\" TERM; while :; do sleep 0.1; done'; true"
    assert run(monkeypatch, NightlyStep("slow", TAG, 0.02, command), GOOD) == 1
    output = capfd.readouterr().out
    assert re.search(r"^slow +FAILED +\d+ +still running after 1 s$", output, re.MULTILINE)
    child = int((tmp_path / "number").read_text())
    wait_until(lambda: not Path(f"/proc/{child}/cmdline").exists() or not alive(child))


def alive(number: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_only(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, BAD, GOOD, only=("go*",)) == 0
    assert capfd.readouterr().out.endswith("VERDICT: 1 of 1 steps passed.\n")
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, BAD, GOOD, only=("good", "ugly"))
    assert caught.value.code == 2
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors.endswith("no such step: ugly; there are bad, good\n")


def test_an_interrupt_ends_the_step_and_tells_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    started = tmp_path / "started"

    def show(*_: object) -> None:
        if started.exists():
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("ci.nightly.Progress.show", show)
    long = NightlyStep("long", TAG, 5, "echo $$ >number; touch started; sleep 3600")
    assert run(monkeypatch, GOOD, long, BAD) == 130
    output = capfd.readouterr().out
    assert output.endswith("interrupted; to run the rest: ci/nightly --only long bad\n")
    assert re.search(r"^good +passed", output, re.MULTILINE)
    number = int((tmp_path / "number").read_text())
    wait_until(lambda: not alive(number))


def test_steps_get_signals_that_the_caller_ignores(tmp_path: Path) -> None:
    program = """
import signal, sys
from ci import nightly
step = "trap 'echo got HUP; exit 5' HUP; kill -HUP $$; exit 6"
nightly.STEPS = [nightly.NightlyStep("hup", "-c", 1, step)]
nightly.GETTING = 1
nightly.ROOT, nightly.LOGS = nightly.Path(sys.argv[1]), nightly.Path(sys.argv[1])
sys.exit(nightly.main([]))
"""
    get = tmp_path / "ci" / "get-python"
    get.write_text("#!/bin/sh\n")
    command = ["nohup", sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert re.search(r"^hup +FAILED +\d+ +exit code 5$", done.stdout, re.MULTILINE), done.stderr


def test_the_command_line() -> None:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ci.nightly", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    listed = call("--list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()[2:]] == [s.name for s in STEPS]
    wrong = call("--only", "nothing")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("usage: ci/nightly")
    assert call("--help").stdout.startswith("usage: ci/nightly")


def test_steps_are_in_order() -> None:
    names = [step.name for step in STEPS]
    assert len(names) == len({*names})
    for step in STEPS:
        assert step.tag in step.command or step.name == "lint"
        if budget := re.search(r"--budget (\d+)", step.command):
            assert int(budget[1]) + 600 < step.minutes * 60  # it ends by itself, with a verdict
        assert subprocess.run(["bash", "-nc", step.command], check=False).returncode == 0


def test_the_workflow_runs_every_step() -> None:
    """And each once: a step that no job names would never run."""
    jobs = re.findall(r"^ +- \"(.+)\"$", WORKFLOW.read_text(), re.MULTILINE)
    assert jobs
    run_by_jobs = [step.name for job in jobs for step in chosen(job.split())]
    assert sorted(run_by_jobs) == sorted(step.name for step in STEPS)
    assert "ci/nightly --only" in WORKFLOW.read_text()


def test_the_workflow_keeps_what_the_steps_write() -> None:
    uploads = re.findall(r"^ +path: (\..+)$", WORKFLOW.read_text(), re.MULTILINE)
    pages = [path for step in STEPS for path in re.findall(r"--html (\S+)", step.command)]
    assert pages
    lost = [page for page in pages if not any(fnmatch.fnmatch(page, path) for path in uploads)]
    assert lost == []
    assert ".perf/results" in uploads
