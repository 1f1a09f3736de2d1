"""Deadlocks are told, and nothing else is.

Each test runs a program of deadlocked.py under ``--deadlocks`` and reads what it says as a person
would: names, lines of both sides, the verdict.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ftthreading import RLock, diagnostics
from tests.support import SECONDS, in_time, run_threads, wait_until

PROGRAMS = Path(__file__).with_name("deadlocked.py")
SOURCE = PROGRAMS.read_text().splitlines()

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters")


def run(program: str, mode: str = "abort", *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftthreading", f"--deadlocks={mode}", *more, str(PROGRAMS)]
    return subprocess.run(
        [*command, program],
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def place(marker: str) -> str:
    """How the report names the line with that comment."""
    (number,) = [i for i, line in enumerate(SOURCE, 1) if line.endswith(f"# {marker}")]
    return f'deadlocked.py", line {number} in'


def thread_of(report: str, name: str) -> str:
    """What the report says of one thread."""
    match = re.search(
        rf'^Thread "{re.escape(name)}".*?(?=^Thread |\Z)', report, re.DOTALL | re.MULTILINE
    )
    assert match is not None, report
    return match[0]


def test_two_locks_in_two_orders() -> None:
    done = run("ab_ba")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    assert done.stderr.count("DEADLOCK: 2 threads wait for each other") == 1
    assert "POSSIBLE" not in done.stderr
    for name, other, line in (("left", "right", "left waits"), ("right", "left", "right waits")):
        said = thread_of(done.stderr, name)
        assert re.search(r"holds Lock at 0x\w+, taken at .*deadlocked.py:\d+ in ", said), said
        assert "waits to acquire Lock at" in said
        assert "without a deadline" in said
        assert f'held by "{other}", taken at' in said
        assert f"{place(line)} ab_ba.<locals>.{name}" in said


def test_rlock_and_condition() -> None:
    done = run("rlock_and_condition")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    said = thread_of(done.stderr, "notifier")
    assert "waits to acquire RLock" in said
    assert 'held by "holder"' in said
    assert place("notifier waits") in said
    said = thread_of(done.stderr, "holder")
    assert 'held by "notifier"' in said
    assert place("holder waits") in said


def test_condition_that_wants_its_lock_back() -> None:
    done = run("reacquire")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    said = thread_of(done.stderr, "waiter")
    assert "waits to get back the lock of Condition" in said
    assert 'held by "notifier"' in said
    assert "in Condition.wait()" in said


def test_threads_that_join_each_other() -> None:
    done = run("joins")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    assert 'waits for the end of Thread "second"' in thread_of(done.stderr, "first")
    assert place("first waits") in thread_of(done.stderr, "first")
    assert place("second waits") in thread_of(done.stderr, "second")


def test_cycle_of_three() -> None:
    done = run("three")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE
    assert "DEADLOCK: 3 threads wait for each other" in done.stderr


def test_lock_taken_twice() -> None:
    done = run("again")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    assert re.search(r'Thread "again" waits for Lock at 0x\w+, which it holds itself', done.stderr)
    assert place("again waits") in done.stderr


def test_owner_that_has_ended() -> None:
    done = run("ended")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    assert 'ORPHANED LOCK: Thread "wanter" waits for RLock' in done.stderr
    assert "has ended without releasing it" in done.stderr
    assert place("wanter waits") in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_owner_left_behind_by_a_fork() -> None:
    done = run("forked")
    assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
    assert "ORPHANED LOCK" in done.stderr
    assert "a fork has left it behind" in done.stderr
    assert place("the child waits") in done.stderr
    assert "DeprecationWarning" not in done.stderr or "multi-threaded" in done.stderr


def test_standstill() -> None:
    for program, called in (("lost_notify", "Condition.wait()"), ("empty_queue", "Queue.get()")):
        done = run(program)
        assert done.returncode == diagnostics.DEADLOCK_EXIT_CODE, done.stderr
        assert "STANDSTILL: All threads are waiting" in done.stderr
        assert f"in {called}" in done.stderr


def test_raise_ends_the_wait_of_the_youngest() -> None:
    done = run("ab_ba", "raise")
    assert done.returncode == 0, done.stderr
    assert "over" in done.stdout
    assert done.stderr.count("ftthreading.diagnostics.DeadlockError: 2 threads wait") == 1


def test_raise_ends_a_join() -> None:
    done = run("joins", "raise")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "over\n"
    assert done.stderr.count("ftthreading.diagnostics.DeadlockError: 2 threads wait") == 1


def test_raise_ends_the_join_of_one_whose_lock_the_joiner_holds() -> None:
    done = run("join_holding", "raise")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "over\n"
    assert 'raises DeadlockError in thread "closer"' in done.stderr
    assert 'waits for the end of Thread "worker"' in thread_of(done.stderr, "closer")
    assert place("closer waits") in done.stderr
    assert place("worker waits") in done.stderr


def test_report_tells_once_and_lets_it_hang() -> None:
    command = [sys.executable, "-m", "ftthreading", "--deadlocks", str(PROGRAMS), "ab_ba"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines: list[str] = []
        assert process.stderr is not None
        try:
            with in_time(process):
                for line in process.stderr:
                    lines.append(line)
                    if len([each for each in lines if each.startswith('Thread "')]) == 2:
                        break
                assert process.poll() is None
        finally:
            process.kill()
            lines += process.stderr.readlines()
    assert sum("DEADLOCK" in line for line in lines) == 1


@pytest.mark.parametrize("program", ["handed_on", "timed"])
def test_no_false_alarm(program: str) -> None:
    done = run(program)
    assert done.returncode == 0, done.stderr
    assert "DEADLOCK:" not in done.stderr.replace("POSSIBLE DEADLOCK:", "")
    assert done.stdout


def test_eight_threads_look_at_once() -> None:
    """A deadlock among RLocks, seen by all who look, and ended by what is thrown into it."""
    a, b = RLock(), RLock()
    in_a, in_b = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def take(first: RLock, second: RLock, mine: threading.Event, other: threading.Event) -> None:
        with first:
            mine.set()
            other.wait()
            try:
                with second:
                    pass
            except diagnostics.DeadlockError as error:
                errors.append(error)

    one = threading.Thread(target=take, args=(a, b, in_a, in_b), name="one", daemon=True)
    two = threading.Thread(target=take, args=(b, a, in_b, in_a), name="two", daemon=True)
    one.start()
    two.start()

    def mine() -> list[diagnostics.Deadlock]:
        return [d for d in diagnostics.deadlocks() if {w.name for w in d.waits} == {"one", "two"}]

    wait_until(mine)

    def look(_: int) -> None:
        for _ in range(20):
            (found,) = mine()
            assert found.certain
            assert found.kind == "cycle"
            assert all(wait.stack and wait.owner for wait in found.waits)

    run_threads(8, look)
    from ftthreading import _core

    (found,) = mine()
    victim = found.waits[0]
    wait_until(
        lambda: errors or _core._throw(victim.number, victim.began, diagnostics.DeadlockError("x"))
    )
    one.join(SECONDS)
    two.join(SECONDS)
    assert len(errors) == 1
    assert not one.is_alive()
    assert not two.is_alive()


def test_options_that_are_wrong() -> None:
    for option, message in (
        ("--deadlocks=maybe", "--deadlocks is report, raise or abort, not 'maybe'"),
        ("--dump-on=NOSUCH", "--dump-on wants a signal"),
        ("--dump-on=KILL", "--dump-on wants a signal"),
        ("--dump-on", "--dump-on wants a signal"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ftthreading", option, "-c", "print('ran')"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 2
        assert message in done.stderr
        assert "ran" not in done.stdout
    with pytest.raises(ValueError, match="deadlocks must be one of"):
        diagnostics.enable(deadlocks="maybe")
    with pytest.raises(ValueError, match="cannot be handled"):
        diagnostics.enable(signal=9)
