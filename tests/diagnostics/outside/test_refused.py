"""`dump` and `top` of what cannot be looked at: one sentence that says what to do, an exit code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ftthreading.diagnostics.outside.memory import UNLIKE, ProcessMemory, Refused
from tests.diagnostics.outside.victims import ABBA, BEGIN, ask, dump, victim
from tests.support import SECONDS, in_time, run_python
from tests.support.launching import environment, run

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts interpreters, and reads their memory"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's"),
]

# Has the table of its own core changed in memory, as another build would have it: a child's part.
CHANGE_TABLE = (
    BEGIN
    + """
import ctypes, mmap
from ftthreading import _core
libc = ctypes.CDLL(None)
table = ctypes.addressof(ctypes.c_char.in_dll(ctypes.PyDLL(_core.__file__), "ftthreading_offsets"))
page = table // mmap.PAGESIZE * mmap.PAGESIZE
assert libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(2 * mmap.PAGESIZE), 3) == 0
ctypes.memmove(table + OFFSET, BYTES, len(BYTES))
ready()
sys.stdin.read()
"""
)


def check(answer: tuple[int, str, str], code: int, pattern: str) -> None:
    found, output, errors = answer
    assert (found, output) == (code, ""), errors
    assert errors.count("\n") == 1, errors
    assert re.fullmatch(rf"ftthreading (dump|top): {pattern}\n", errors), errors


def process_without(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"print('ready', flush=True); {code}"],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        env=environment(),
        text=True,
    )


@pytest.mark.parametrize("command", ["dump", "top"])
def test_no_such_process(command: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    check(ask(command, child.pid), 3, rf"there is no process {child.pid}: look for it with .*")


def test_process_that_has_ended_but_is_not_waited_for() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        check(ask("dump", child.pid), 3, rf"process {child.pid} has ended.*")
    finally:
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("imports", ["", "import threading; "])
def test_process_without_ftthreading(imports: str) -> None:
    with process_without(f"{imports}input()") as child:
        assert child.stdout is not None
        with in_time(child, 8 * SECONDS):
            child.stdout.readline()
            answer = ask("dump", child.pid)
            child.communicate("\n")
    check(answer, 5, rf"process {child.pid} \(.+\) does not run ftthreading: .*")


def test_process_that_is_no_python() -> None:
    with subprocess.Popen(["sleep", "1000"]) as child:
        try:
            answer = ask("dump", child.pid)
        finally:
            child.kill()
    check(answer, 5, rf"process {child.pid} \(.+\) does not run ftthreading: .*")


@pytest.mark.parametrize(
    ("offset", "data", "pattern"),
    [
        (20, (1).to_bytes(4, sys.byteorder), "has an ftthreading of table version 1, and .*"),
        (24, (48).to_bytes(4, sys.byteorder), "has a table of 48 bytes, and .*"),
        (16, b"\1\2\3\4"[:: -1 if sys.byteorder == "big" else 1], "runs .*another kind of proc.*"),
        (28, (2).to_bytes(4, sys.byteorder), "runs .*another kind of processor.*"),
        (0, b"another magic...", "has an ftthreading without a table that could be found, and .*"),
        (90, b"\xff" * 8, "has a table that makes no sense, and .*"),
    ],
    ids=["version", "size", "byte order", "pointer size", "magic", "offsets"],
)
def test_other_table(offset: int, data: bytes, pattern: str) -> None:
    program = CHANGE_TABLE.replace("OFFSET", str(offset)).replace("BYTES", repr(data))
    with victim(program) as process:
        answer = ask("dump", process.pid)
        check(answer, 6, rf"process {process.pid} {pattern}")
        if "kind of" not in answer[2]:
            assert f"`{sys.executable} -m ftthreading dump {process.pid}`" in answer[2]


CORRUPT = (
    CHANGE_TABLE.partition("page = ")[0]
    + """
class Header(ctypes.Structure):
    _fields_ = [("head", ctypes.c_char * 40), ("self", ctypes.c_void_p),
                ("waiters", ctypes.c_void_p), ("threads", ctypes.c_void_p)]
header = Header.from_address(table)
assert header.self == table
circle = (ctypes.c_void_p * 64)()
for i in range(64): circle[i] = ctypes.addressof(circle)
ctypes.c_void_p.from_address(header.LIST).value = VALUE
ready()
sys.stdin.read()
"""
)


@pytest.mark.parametrize("value", ["4096", "1", "ctypes.addressof(circle)"])
def test_list_of_waiters_that_leads_nowhere(value: str) -> None:
    program = CORRUPT.replace("LIST", "waiters").replace("VALUE", value)
    with victim(program) as process:
        answer = ask("dump", process.pid)
    check(
        answer, 7, rf"process {process.pid} changed while it was read, each of 5 times: try again"
    )


@pytest.mark.parametrize("value", ["4096", "ctypes.addressof(circle)"])
def test_list_of_threads_that_leads_nowhere(value: str) -> None:
    program = CORRUPT.replace("LIST", "threads").replace("VALUE", value)
    with victim(program) as process:
        output = dump(process.pid)
    assert "\nThe list of threads changed while it was read: it may be incomplete." in output


@pytest.mark.parametrize("called", ["python", "bin/python", "x/python"])
def test_python_of_a_virtual_environment(called: str, tmp_path: Path) -> None:
    """By the link in it: what that leads to does not find ftthreading."""
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "python"
    link.symlink_to(os.path.realpath(sys.executable))
    process = subprocess.Popen(
        [called, "-c", "input()"],
        executable=sys.executable,
        stdin=subprocess.PIPE,
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}/bin"},
        text=True,
    )
    expected = os.path.realpath(sys.executable) if "x" in called else str(link)
    try:
        assert ProcessMemory(process.pid).python() == expected
    finally:
        process.communicate("\n")


def test_other_word_size(tmp_path: Path) -> None:
    process = ProcessMemory(os.getpid())
    process.proc = tmp_path
    bits = 32 if sys.maxsize > 2**32 else 64
    (tmp_path / "exe").write_bytes(b"\x7fELF" + bytes([bits // 32]) + bytes(100))
    with pytest.raises(Refused, match=rf"has {bits} bits and this Python has \d\d: run") as caught:
        process._check_word_size()
    assert caught.value.code == UNLIKE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("copies", ["by call", "by file"])
def test_process_of_another_user(copies: str) -> None:
    program = f"""
import contextlib, io, os, pwd, sys
from ftthreading.diagnostics.outside import command, memory
pid = int(sys.argv[1])
if {copies == "by file"}:
    memory._copy_by_call = lambda: None
with contextlib.redirect_stdout(io.StringIO()):  # so that all is imported that is needed
    command.main(["dump", str(os.getpid()), "--no-stacks"])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(command.main(["dump", str(pid)]))
"""
    with victim(ABBA) as process:
        answer = run_python(program, str(process.pid), check=False)
    assert answer.returncode == 4, answer.stderr
    check(
        (answer.returncode, answer.stdout, answer.stderr),
        4,
        rf"process {process.pid} belongs to user root \(uid 0\) and you are .*uid 65534\)?:"
        " run this as that user or as root",
    )


@pytest.mark.parametrize("command", ["dump", "top"])
@pytest.mark.parametrize(
    "arguments",
    [[], ["x"], ["0"], ["-1"], ["99999999999"], ["1", "2"], ["1", "--unknown"], ["\u0661"]],
    ids=str,
)
def test_usage(command: str, arguments: list[str]) -> None:
    code, output, errors = ask(command, *arguments)
    assert (code, output) == (2, "")
    assert f"usage: python -m ftthreading {command}" in errors


@pytest.mark.parametrize("command", ["dump", "top"])
def test_help(command: str) -> None:
    code, output, errors = ask(command, "--help")
    assert (code, errors) == (0, "")
    assert "PID" in output
    assert "exit codes: 0 shown; 2 usage; 3 there is no such process" in output


def test_program_that_is_called_dump(tmp_path: Path) -> None:
    (tmp_path / "dump").write_text("import sys; print('a program', sys.argv)")
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "__main__.py").write_text("print('a directory')")
    ours = ["-m", "ftthreading"]
    assert run(tmp_path, *ours, "dump") == (0, "a program ['dump']\n", "")
    assert run(tmp_path, *ours, "dump", "x", "1") == (0, "a program ['dump', 'x', '1']\n", "")
    assert run(tmp_path, *ours, "./dump", "1") == (0, "a program ['./dump', '1']\n", "")
    assert run(tmp_path, *ours, "top") == (0, "a directory\n", "")
    code, output, errors = run(tmp_path, *ours, "dump", "2147483647")
    assert (code, output) == (3, "")
    assert "there is no process 2147483647" in errors


def test_output_that_nobody_reads() -> None:
    with victim(ABBA) as process:
        command = f"'{sys.executable}' -m ftthreading dump {process.pid} | true"
        done = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            env=environment(),
            check=False,
            text=True,
            timeout=4 * SECONDS,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_output_in_ascii() -> None:
    program = BEGIN + "start(threading.Event().wait, '\\xfc'); ready(); sys.stdin.read()"
    with victim(program) as process:
        env = {"PYTHONIOENCODING": "ascii"}
        code, output, errors = ask("dump", process.pid, "--no-stacks", env=env)
    assert (code, errors) == (0, "")
    assert 'Thread "\\xfc" (' in output


SIGNALS = ("SigPnd", "SigBlk", "SigIgn", "SigCgt")  # SigQ counts those of all its user's processes


def test_nothing_is_changed_in_it() -> None:
    with victim(ABBA) as process:
        status = Path(f"/proc/{process.pid}/status")
        before = status.read_text().split("voluntary_ctxt_switches")[0]
        dump(process.pid)
        after = status.read_text().split("voluntary_ctxt_switches")[0]

        def told(text: str) -> list[str]:
            return [
                line
                for line in text.splitlines()
                if line.startswith(("Tracer", "Threads", *SIGNALS))
            ]

        assert told(before) == told(after)
        assert "TracerPid:\t0" in after
