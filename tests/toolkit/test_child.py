"""The supervisor of child processes: deadlines, stacks, whole groups, output, interrupts."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wait_until
from toolkit import child

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="takes signals over"),
]


def python(program: str) -> list[str]:
    return [sys.executable, "-X", "faulthandler", "-c", program]


def alive(number: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_outcome() -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = child.run(python(program), limit=60)
    assert (done.stdout, done.stderr, done.code) == ("out\n", "err\n", 3)
    assert (done.fault, done.ended_by_us) == ("exit code 3", False)
    assert child.run(python(""), limit=60).fault == ""
    killed = child.run(python("import os; os.kill(os.getpid(), 15)"), limit=60)
    assert (killed.fault, killed.code) == ("killed by SIGTERM", -15)


def test_deadline_brings_the_stacks() -> None:
    program = "import time\ndef hangs(): time.sleep(600)\nhangs()"
    done = child.run(python(program), limit=1)
    assert done.fault == "still running after 1 s"
    assert done.ended_by_us
    assert "in hangs" in done.stderr


PARENT = """
import signal, subprocess, sys
ignoring = "import signal, time; signal.signal(signal.SIGABRT, signal.SIG_IGN);"
ignoring += "print('ready', flush=True); time.sleep(600)"
child = subprocess.Popen(
    [sys.executable, "-c", ignoring], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
)
child.stdout.readline()
with open(sys.argv[1], "w") as file:
    print(child.pid, file=file)
"""


@pytest.mark.parametrize("then", ["", "signal.pause()"])
def test_nothing_of_the_group_is_left(then: str, tmp_path: Path) -> None:
    number = tmp_path / "number"
    done = child.run([*python(PARENT + then), str(number)], limit=3)
    assert done.ended_by_us == bool(then)
    grandchild = int(number.read_text())
    wait_until(lambda: not alive(grandchild), what="the child's own child is gone")


@pytest.mark.parametrize("to_file", [False, True])
def test_printing_without_end(
    to_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MOST_OUTPUT", 2**20)
    program = python("while True: print('x' * 1000)")
    with (tmp_path / "log").open("ab") as log:
        log.write(b"before\n")
        log.flush()
        with child.Process(program, output=log if to_file else None) as process:
            assert process.watch(60) == "more than 1 MiB of output"
            assert process.printed() > 2**20
    assert process.exit_code() == -signal.SIGKILL


@pytest.fixture
def interrupts() -> Iterator[child.Interrupts]:
    noted = child.Interrupts()
    with noted.watched():
        yield noted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_the_group_first(number: signal.Signals, interrupts: object) -> None:
    assert isinstance(interrupts, child.Interrupts)
    numbers = []

    def tick() -> None:
        numbers.append(process.pid)
        signal.raise_signal(number)

    with (
        pytest.raises(child.Interrupted, match=number.name),
        child.Process(["sleep", "600"]) as process,
    ):
        process.watch(60, interrupts, tick)
    assert len(numbers) == 1
    assert process.exit_code() == -signal.SIGKILL


def test_watched_nests_and_forgets() -> None:
    noted = child.Interrupts()
    before = signal.getsignal(signal.SIGTERM)
    with noted.watched():
        with noted.watched():
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(child.Interrupted, match="SIGTERM"):
            noted.check()
    noted.check()
    assert signal.getsignal(signal.SIGTERM) == before


def test_sighup_stays_ignored() -> None:
    noted = child.Interrupts()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with noted.watched():
            signal.raise_signal(signal.SIGHUP)
            noted.check()
            # A command that it starts does not inherit that.
            assert child.run(["sh", "-c", "kill -HUP $$"], limit=60).fault == "killed by SIGHUP"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_time_to_clean_up(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        program = "trap 'echo cleaned up; exit 4' TERM; echo ready; while :; do sleep 0.05; done"
        process = child.Process(["bash", "-c", program], output=log)
        wait_until(lambda: (tmp_path / "log").read_text() == "ready\n")
        process.end(clean_up=60)
    assert (tmp_path / "log").read_text().endswith("cleaned up\n")
    assert process.exit_code() == 4
