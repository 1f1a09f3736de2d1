"""ci/lib.sh: locks, steps and lanes, and that an interrupt leaves nothing of them."""

import fcntl
import os
import select
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support import DEFAULT_SIGNALS, wait_until

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "ci"
DEADLINE = 120.0

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="runs processes that share files and locks"),
]


def start(script: str) -> subprocess.Popen[str]:
    """Start a bash script that has the shared parts loaded."""
    return subprocess.Popen(
        [*DEFAULT_SIGNALS, "bash", "-c", f". {CI}/lib.sh; {script}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def test_a_second_call_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiter = start(f"lock '{path}' 'the build'; echo got it")
        assert waiter.stderr is not None
        assert "busy with the build; waiting" in waiter.stderr.readline()
        assert waiter.poll() is None
        fcntl.flock(held, fcntl.LOCK_UN)
        out, err = waiter.communicate(timeout=DEADLINE)
    assert (waiter.returncode, out) == (0, "got it\n")
    assert "the other call is over" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_interrupted_step_ends_its_children_and_cleans_up(
    number: signal.Signals, tmp_path: Path
) -> None:
    left = tmp_path / "half-built"
    child = tmp_path / "child"
    os.mkfifo(child)
    script = start(
        f"touch '{left}'; CLEANUPS+=(\"rm '{left}'\");"
        # The grandchild tells its number, then sleeps far past the deadline of this test.
        f"step '{tmp_path}/log' title bash -c 'bash -c \"echo \\$\\$ >{child}; sleep 9999\"; true';"
        "echo went on"
    )
    grandchild = os.pidfd_open(int(child.read_text()))
    assert left.exists()
    script.send_signal(number)
    out, _ = script.communicate(timeout=DEADLINE)
    assert script.returncode in (130, 143)
    assert "went on" not in out
    assert not left.exists()
    ended, _, _ = select.select([grandchild], [], [], DEADLINE)
    os.close(grandchild)
    assert ended, "the grandchild outlived the script"


def test_step_interrupted_before_its_number_is_known_ends_too(tmp_path: Path) -> None:
    left = tmp_path / "left"
    os.mkfifo(left)
    # Whoever has the pipe open for writing is alive.
    reader = os.open(left, os.O_RDONLY | os.O_NONBLOCK)
    script = start(
        "trap '[[ $BASH_COMMAND != pid=* ]] || kill -TERM $$' DEBUG; set -T;"
        f"step '{tmp_path}/log' title sleep 9999 3>'{left}'; echo went on"
    )
    out, _ = script.communicate(timeout=DEADLINE)
    assert (script.returncode, out) == (143, "")
    ended, _, _ = select.select([reader], [], [], DEADLINE)
    os.close(reader)
    assert ended, "the step outlived the script"


def test_failed_step_shows_the_log_and_its_status(tmp_path: Path) -> None:
    script = start(f"step '{tmp_path}/log' 'the thing' bash -c 'echo the reason; exit 7'")
    out, err = script.communicate(timeout=DEADLINE)
    assert (script.returncode, out) == (7, "")
    assert "the thing: FAILED" in err
    assert "    the reason" in err
    assert f"{tmp_path}/log" in err


def test_lanes_run_side_by_side_and_are_shown_one_after_the_other(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # which nobody gets through alone
    script = start(
        f"cd '{tmp_path}'; a() {{ echo a1; read -r word <pipe; echo $word; }};"
        "b() { echo b1; echo b2 >pipe; echo b3; return 7; }; c() { echo c1; };"
        "lanes . a b c; echo status $?"
    )
    out, _ = script.communicate(timeout=DEADLINE)
    assert out.split() == ["a1", "b2", "b1", "b3", "c1", "status", "1"]
    assert (tmp_path / "b.log").read_text() == "b1\nb3\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_interrupted_lanes_end_with_all_that_runs_in_them(
    number: signal.Signals, tmp_path: Path
) -> None:
    for name in ("deaf", "alive"):
        os.mkfifo(tmp_path / name)
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    script = start(
        f"cd '{tmp_path}'; . {CI}/lib.sh;"
        # A step within a lane has a group of its own; one in a lane that is deaf to interrupts too.
        f"a() {{ bash -c '. {CI}/lib.sh; step log title bash -c \"echo >started; sleep 9999\"';"
        " echo >next; };"
        "b() { bash -c 'trap : INT; echo $$ >deaf; while :; do sleep 9999; done'; };"
        "CLEANUPS+=('echo cleaned up'); LANE_SECONDS=1; lanes . a b 3>alive; echo went on"
    )
    deaf = os.pidfd_open(int((tmp_path / "deaf").read_text()))
    wait_until((tmp_path / "started").exists, what="the step in the other lane runs")
    script.send_signal(number)
    out, _ = script.communicate(timeout=DEADLINE)
    assert script.returncode in (130, 143)
    assert out.splitlines()[-1] == "cleaned up"
    assert "went on" not in out
    ended, _, _ = select.select([deaf], [], [], DEADLINE)
    os.close(deaf)
    assert ended, "what is deaf outlived the script"
    ended, _, _ = select.select([reader], [], [], DEADLINE)
    os.close(reader)
    assert ended, "something of the lanes outlived the script"
    assert not (tmp_path / "next").exists(), "a lane went on"
