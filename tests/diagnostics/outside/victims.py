"""Processes to be looked at from outside, and the looking."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from ftthreading.diagnostics.outside.memory import FORBIDDEN, ProcessMemory, Refused
from ftthreading.diagnostics.outside.read import Snapshot, SnapshotReader
from tests.support import SECONDS, in_time, wait_until
from tests.support.launching import environment

BEGIN = """
import ftthreading as threading, os, signal, sys, time
def start(function, name=None, *arguments):
    thread = threading.Thread(target=function, name=name, args=arguments, daemon=True)
    thread.start()
    return thread
def meet(met=[]):  # of two threads, without a wait that could be seen
    met.append(1)
    while len(met) < 2:
        time.sleep(0.001)
def ready():
    print("ready", flush=True)
"""

ABBA = (
    BEGIN
    + """
a, b = threading.Lock(), threading.RLock()
def one():
    with a:
        meet()
        with b:  # one waits here
            pass
def two():
    with b:
        meet()
        with a:  # two waits here
            pass
start(one, "worker one"), start(two, "worker two")
ready()
sys.stdin.read()
"""
)


@contextlib.contextmanager
def victim(program: str, *, command: list[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a program that says "ready" on standard output, until the body has ended."""
    if not sys.platform.startswith("linux"):
        pytest.skip("reads the memory of a process of Linux")
    process = subprocess.Popen(
        command or [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with in_time(process, 8 * SECONDS):
            assert process.stdout.readline() == "ready\n"
            skip_if_forbidden(process.pid)
            yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def skip_if_forbidden(pid: int) -> None:
    """Skip the test where the kernel does not let that process be read."""
    try:
        process = ProcessMemory(pid)
        begin, *_ = next(process.mappings())
        process.read(begin, 1)
    except Refused as refused:
        if refused.code == FORBIDDEN:
            pytest.skip(f"not allowed here: {refused}")
        raise


def read_until_refused(reader: SnapshotReader) -> Refused:
    """Read a process again and again until that fails, and return why."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            reader.snapshot()
        except Refused as refused:
            return refused
    raise AssertionError("the process can be read to the end")


def wait_for(pid: int, state: Callable[[Snapshot], object], what: str) -> SnapshotReader:
    """Return once the process is seen in that state."""
    reader = SnapshotReader(ProcessMemory(pid))
    wait_until(lambda: state(reader.snapshot()), what=what)
    return reader


def wait_for_waits(pid: int, count: int) -> SnapshotReader:
    """Return once so many calls wait."""
    return wait_for(pid, lambda look: len(look.waits) == count, f"{count} calls wait")


def ask(*arguments: object, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run ``python -m ftthreading`` with these arguments: exit code, output, errors."""
    done = subprocess.run(
        [sys.executable, "-m", "ftthreading", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=environment() | (env or {}),
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def dump(pid: int, *options: str) -> str:
    """What ``dump`` shows of the process."""
    code, output, errors = ask("dump", pid, *options)
    assert (code, errors) == (0, ""), output + errors
    return output


def top(pid: int) -> str:
    """What `top` shows once."""
    code, output, errors = ask("top", pid, "--count", 1)
    assert (code, errors) == (0, "")
    return output


def block_of(output: str, name: str) -> str:
    """What a dump says of the thread of that name."""
    blocks = [part for part in output.split("\n\n") if part.startswith(f'Thread "{name}"')]
    assert len(blocks) == 1, output
    return blocks[0]


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Have a process stopped by SIGSTOP in the body."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
