"""Stacks of another process: by the interpreter's own means, by tools, or what to install."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftthreading.diagnostics.outside import stacks
from tests.diagnostics.outside.victims import ABBA, ask, block_of, dump, victim, wait_for_waits
from tests.support.launching import environment

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, and reads their memory")

UNWINDS = importlib.util.find_spec("_remote_debugging") is not None
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "app.py"
    file.write_text(ABBA)
    return file


@pytest.fixture
def deadlocked(program: Path) -> Iterator[subprocess.Popen[str]]:
    with victim("", command=[sys.executable, str(program)]) as process:
        wait_for_waits(process.pid, 2)
        yield process


def line_of(text: str) -> int:
    (number,) = (i for i, line in enumerate(ABBA.splitlines(), 1) if text in line)
    return number


@pytest.mark.skipif(sys.version_info < (3, 14), reason="3.13 cannot unwind another process")
def test_python_stacks(deadlocked: subprocess.Popen[str], program: Path) -> None:
    """Fails when a version changes what is private, and was used."""
    assert UNWINDS
    output = dump(deadlocked.pid)
    for name in "one", "two":
        block = block_of(output, f"worker {name}")
        lines = re.findall(r'    File "(.*)", line (\d+), in (.*)', block)
        file, number, function = lines[0]
        assert (file, int(number)) == (str(program), line_of(f"{name} waits here"))
        assert function == name
    assert re.search(rf'File "{program}", line \d+, in <module>', block_of(output, "MainThread"))
    assert "No stacks" not in output
    assert 'File "' not in dump(deadlocked.pid, "--no-stacks")


def tools(folder: Path, **scripts: str) -> dict[str, str]:
    """An environment whose path has these programs and no other of theirs."""
    folder.mkdir()
    for name, script in scripts.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return {"PATH": str(folder)}


def without_unwinder(folder: Path) -> dict[str, str]:
    """An environment in which the interpreter has no _remote_debugging."""
    folder.mkdir()
    (folder / "_remote_debugging.py").write_text("raise ImportError('not here')")
    return {"PYTHONPATH": os.pathsep.join([str(folder), environment()["PYTHONPATH"]])}


def test_advice_where_nothing_can_read_them(
    deadlocked: subprocess.Popen[str], tmp_path: Path
) -> None:
    env = tools(tmp_path / "bin") | without_unwinder(tmp_path / "site")
    code, output, errors = ask("dump", deadlocked.pid, "--native", env=env)
    assert (code, errors) == (0, "")
    assert re.search(
        r"\nNo stacks: .*; install pystack to see Python stacks, or use --native", output
    )
    assert output.endswith("\nNo native stacks: install gdb to see native stacks.\n")
    assert "Deadlock: 2 threads" in output


def test_stacks_by_a_tool(deadlocked: subprocess.Popen[str], tmp_path: Path) -> None:
    env = tools(tmp_path / "bin", pystack='echo "stacks of $@"') | without_unwinder(tmp_path / "s")
    output = ask("dump", deadlocked.pid, env=env)[1]
    assert f"\nStacks, by pystack:\nstacks of remote --no-block {deadlocked.pid}\n" in output


def test_tool_that_fails(deadlocked: subprocess.Popen[str], tmp_path: Path) -> None:
    env = tools(tmp_path / "bin", pystack="echo wrong; exit 1", py_spy='echo "spied $@"')
    output = ask("dump", deadlocked.pid, env=env | without_unwinder(tmp_path / "site"))[1]
    if FREE_THREADED:
        assert "No stacks: " in output
    else:
        pid = deadlocked.pid
        assert f"\nStacks, by py-spy:\nspied dump --nonblocking --pid {pid}\n" in output


def test_tool_that_takes_too_long(
    deadlocked: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = tools(tmp_path / "bin", pystack="exec /bin/sleep 1000")
    monkeypatch.setenv("PATH", env["PATH"])
    monkeypatch.setattr(stacks, "SECONDS", 0.1)
    snapshot = wait_for_waits(deadlocked.pid, 2).snapshot()
    text, advice = stacks.other_stacks(snapshot)
    assert text == ""
    assert advice.startswith("install pystack")


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
def test_native_stacks(deadlocked: subprocess.Popen[str]) -> None:
    output = dump(deadlocked.pid, "--native")
    if "could not read native stacks" in output:
        pytest.skip("gdb may not trace here")
    native = output.partition("Native stacks, by gdb:\n")[2]
    assert len(re.findall(r"^Thread \d+ ", native, re.MULTILINE)) == 3
    assert "futex" in native or "syscall" in native
    state = Path(f"/proc/{deadlocked.pid}/stat").read_text().rpartition(")")[2].split()[0]
    assert state == "S"
