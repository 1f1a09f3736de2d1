"""toolkit.tables and toolkit.progress: plain into a pipe, and no line wider than a terminal."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from tests.support import CHECKOUT
from toolkit.progress import PLAIN_SECONDS, Progress
from toolkit.tables import table

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="replaces a clock; standard output is the whole process's"),
]

HEADS = ("case", "seconds", "verdict")
ROWS = (("lock.with T2, in [red] words", "1.25", "better"), ("x", "10.5", ""))


def on_terminal(columns: int, program: str) -> str:
    """Run a program on a terminal of its own; return all that it has written."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: text for name, text in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env={**environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        written = b""
        try:
            while data := os.read(ours, 4096):
                written += data
        except OSError:  # the program has ended
            pass
    os.close(ours)
    return written.decode()


def test_a_table_in_a_pipe_is_plain(capfd: pytest.CaptureFixture[str]) -> None:
    assert table(HEADS, ROWS).splitlines() == [
        "case                          seconds  verdict",
        "----------------------------------------------",
        "lock.with T2, in [red] words     1.25   better",
        "x                                10.5",
    ]
    wide = table(["word"], [["word " * 100]])
    assert len(wide.splitlines()) == 3


@pytest.mark.parametrize("columns", [20, 40, 120])
def test_a_table_fits_a_terminal(columns: int) -> None:
    program = f"from toolkit.tables import table; print(table({HEADS!r}, {ROWS!r}))"
    lines = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(columns, program)).split("\r\n")
    assert max(map(len, lines)) <= columns
    assert "1.25" in " ".join(lines)
    assert columns < 120 or "in [red] words" in lines[2]


@pytest.mark.parametrize("columns", [20, 60])
def test_progress_is_one_line_on_a_terminal(columns: int) -> None:
    program = (
        "from toolkit.progress import Progress; show = Progress(9)\n"
        "show.show(3, 'a topic [red]', 'and many details ' * 9); show.clear(); print('the end')"
    )
    written = on_terminal(columns, program)
    assert "3/9" in written
    assert columns < 60 or "a topic [red]" in written
    # What is there before the end is erased, line by line.
    drawn, _, rest = written.rpartition("\x1b[2K")
    assert rest == "the end\r\n"
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn))
    assert max(map(len, lines)) <= columns
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")  # the cursor is there again


def test_progress_elsewhere_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("toolkit.progress.time.monotonic", lambda: now)
    stream = io.StringIO()
    progress = Progress(9, stream)
    progress.tick()
    progress.show(0, "begin")
    progress.show(1, "soon after", "is not told")
    now += PLAIN_SECONDS
    progress.tick()
    progress.tick()
    now += PLAIN_SECONDS
    progress.show(2, "later")
    progress.clear()
    assert stream.getvalue().splitlines() == [
        "[0/9] begin (0 s)",
        "[1/9] soon after is not told (10 s)",
        "[2/9] later (20 s)",
    ]
