"""`python -m ftthreading top PID`: the same again and again, on a terminal and into a pipe."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator

import pytest

from ftthreading.diagnostics.outside.memory import WITHOUT
from ftthreading.diagnostics.outside.text import span
from ftthreading.diagnostics.outside.top import Look, text_lines
from tests.diagnostics.outside.victims import ABBA, ask, read_until_refused, victim, wait_for_waits
from tests.support import DEFAULT_SIGNALS, SECONDS, in_time
from tests.support.launching import environment

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts interpreters, and reads their memory"),
]


@pytest.fixture
def deadlocked() -> Iterator[subprocess.Popen[str]]:
    with victim(ABBA) as process:
        wait_for_waits(process.pid, 2)
        yield process


def test_blocks_into_a_pipe(deadlocked: subprocess.Popen[str]) -> None:
    code, output, errors = ask("top", deadlocked.pid, "--count", "3", "--interval", "0")
    assert (code, errors) == (0, "")
    blocks = output.removesuffix("\n\n").split("\n\n")
    assert len(blocks) == 3
    for block in blocks:
        title, verdict, *_, head, first, second = block.splitlines()
        assert re.fullmatch(
            rf"\d\d:\d\d:\d\d  process {deadlocked.pid}: 3 threads, 2 wait in ftthreading", title
        )
        assert verdict.startswith("Deadlock: 2 threads")
        assert head.split() == ["THREAD", "WAITS", "FOR", "HELD", "BY", "DEADLINE"]
        assert {first.split()[1], second.split()[1]} == {"one", "two"}
        assert re.search(
            r"worker one \(\d+\)  +\S+ m?s  +RLock 0x[0-9a-f]+  +worker two$", block, re.MULTILINE
        )
    assert "\x1b" not in output


def test_interrupt_ends_it(deadlocked: subprocess.Popen[str]) -> None:
    top = subprocess.Popen(
        [*DEFAULT_SIGNALS, sys.executable, "-m", "ftthreading", "top", str(deadlocked.pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert top.stdout is not None
    with in_time(top):
        assert "process" in top.stdout.readline()
    top.send_signal(signal.SIGINT)
    _, errors = top.communicate(timeout=SECONDS)
    assert (top.returncode, errors) == (0, "")


def test_end_of_the_process_ends_it(deadlocked: subprocess.Popen[str]) -> None:
    top = subprocess.Popen(
        [sys.executable, "-m", "ftthreading", "top", str(deadlocked.pid), "--interval", "0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert top.stdout is not None
    with in_time(top):
        assert "process" in top.stdout.readline()
    deadlocked.kill()
    output, errors = top.communicate(timeout=SECONDS)
    assert (top.returncode, errors) == (0, "")
    assert output.endswith(f"process {deadlocked.pid} has ended\n")


def on_terminal(pid: int, columns: int, lines: int, *options: str, env: dict[str, str]) -> str:
    """What ``top`` writes to a terminal of that size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    top = subprocess.Popen(
        [sys.executable, "-m", "ftthreading", "top", str(pid), *options],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment() | {"TERM": "xterm"} | env,
    )
    os.close(theirs)
    written = b""
    with in_time(top), contextlib.suppress(OSError):  # when the other side is closed
        while data := os.read(ours, 65536):
            written += data
    os.close(ours)
    assert top.wait(SECONDS) == 0, written
    return written.decode()


@pytest.mark.parametrize("columns", [30, 50, 120])
def test_terminal(
    deadlocked: subprocess.Popen[str], columns: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("site")
    (site / "rich.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(site), environment()["PYTHONPATH"]])
    written = on_terminal(
        *(deadlocked.pid, columns, 10, "--count", "2", "--interval", "0"), env={"PYTHONPATH": path}
    )
    screens = written.split("\x1b[H")[1:]
    assert len(screens) == 2
    for screen in screens:
        assert screen.endswith("\x1b[J")
        lines = screen.removesuffix("\x1b[J").replace("\x1b[K", "").split("\r\n")
        assert max(map(len, lines)) <= columns
        assert len(lines) <= 10
        assert "THREAD" in screen
        assert "RLock" in screen


@pytest.mark.parametrize("columns", [30, 100])
def test_terminal_with_rich(deadlocked: subprocess.Popen[str], columns: int) -> None:
    pytest.importorskip("rich", reason="rich is not installed")
    written = on_terminal(deadlocked.pid, columns, 14, "--count", "2", "--interval", "0", env={})
    screens = written.replace("\x1b[H", "\n")
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screens)
    assert max(map(len, plain.replace("\r", "\n").split("\n"))) <= columns
    assert "worker one" in plain
    assert "Deadlock: 2 threads" in plain
    assert written.count("\x1b[?1049h") == written.count("\x1b[?1049l") == 1


ROWS = [(f"thread {i} (1234{i})", "3.2 s", f"Lock {i:#x}", "MainThread", "") for i in range(50)]


@pytest.mark.parametrize("width", [1, 5, 10, 20, 30, 40, 79, 200])
@pytest.mark.parametrize("height", [1, 4, 24, None])
def test_size(width: int, height: int | None) -> None:
    lines = text_lines(
        Look("process 1: 51 threads, 50 wait", list(ROWS), ["Deadlock: two"]), width, height
    )
    assert max(map(len, lines)) <= width
    assert height is None or len(lines) <= height
    if width >= 30 and (height or 24) >= 24:
        assert "thread 1" in "\n".join(lines)
    if width == 200:
        assert (lines[-1] == "... and 30 more") == (height == 24) or height in (1, 4)


def test_no_rows() -> None:
    assert text_lines(Look("title", [], []), 80, 24) == ["title", "no thread waits in ftthreading"]


def test_spans() -> None:
    spans = [0, 1_500_000, 999_400_000, 2_340_000_000, 61 * 10**9, 7500 * 10**9, -5]
    expected = ["0 ms", "2 ms", "999 ms", "2.3 s", "1 min 1 s", "2 h 5 min", "0 ms"]
    assert [span(ns) for ns in spans] == expected


def test_process_that_executes_another_program() -> None:
    program = ABBA.replace(
        "sys.stdin.read()", "sys.stdin.readline(); os.execvp('sleep', ['s', '9'])"
    )
    with victim(program) as process:
        reader = wait_for_waits(process.pid, 2)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert read_until_refused(reader).code == WITHOUT
