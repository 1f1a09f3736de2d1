"""Whoever kills ``python -m stress``, at whatever moment: no process stays, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.support import wait_until

from .running import ENVIRONMENT, OWN, marks, stress

pytestmark = marks


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


def marked(mark: str) -> list[int]:
    """All processes with this in their environment, dead ones left out."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"KILL_MARK={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_killed_at_any_moment_it_leaves_no_process(tmp_path: pathlib.Path) -> None:
    environment = {**ENVIRONMENT, "KILL_MARK": str(tmp_path)}
    command = [sys.executable, "-m", "stress", "run", "--target", "golden"]
    # Batches of 20 seconds, which would last on if nobody ended them.
    fresh = ["-k", "fork_while_contended,=thread_exit", "--budget", "900", "--nemesis", "stop"]
    runs = tmp_path / ".stress"
    for delay in (0.3, 0.9, 1.7, 0.0):
        arguments = ["--resume", "last"] if list(runs.glob("*/run.json")) else fresh
        harness = subprocess.Popen(
            [*command, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: len(marked(str(tmp_path))) > 1, what="children run")
            # Any moment will do; this one differs from try to try.
            with contextlib.suppress(subprocess.TimeoutExpired):
                harness.wait(delay)
        finally:
            harness.kill()
            harness.wait()
        wait_until(lambda: not marked(str(tmp_path)), timeout=12, what="no process is left")
    assert len(list(runs.glob("*/run.json"))) == 1
