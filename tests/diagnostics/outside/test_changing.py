"""Processes that are large, change all the time, end, or are read in another way."""

from __future__ import annotations

import os
import re
import sys

import pytest

from ftthreading.diagnostics.outside.memory import GONE, ProcessMemory, _copy_by_file
from ftthreading.diagnostics.outside.read import SnapshotReader
from ftthreading.diagnostics.outside.verdicts import judge
from tests.diagnostics.outside.victims import (
    ABBA,
    BEGIN,
    dump,
    read_until_refused,
    victim,
    wait_for_waits,
)

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, and reads their memory")

THREAD = r'[Tt]hread "{}" \(\d+\)'
MAIN = THREAD.format("MainThread")
AT = r"at 0x[0-9a-f]+"


def has(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"no {pattern!r} in\n{text}"


def test_thousand_threads() -> None:
    program = (
        BEGIN
        + """
threading.stack_size(256 * 1024)
lock = threading.Lock(); lock.acquire()
for i in range(1000): start(lock.acquire, f"waiter {i}")
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        reader = wait_for_waits(process.pid, 1000)
        output = dump(process.pid)
        names = {look.name for look in reader.snapshot().threads.values()}
    assert output.count("\nThread ") == 1001
    assert {f"waiter {i}" for i in range(1000)} < names
    assert "1001 threads, 1000 wait" in output


CHURN = (
    BEGIN
    + """
locks = [threading.Lock(), threading.RLock(), threading.Condition(), threading.Semaphore(1)]
def short(i):
    for _ in range(20):
        with locks[i % 4]: pass
        with threading.Lock(): pass
        threading.Event().wait(0.0001)
def spawn():
    i = 0
    while True:
        i += 1
        start(short, f"short {i}", i).join()
for i in range(4): start(spawn, f"spawner {i}")
ready()
sys.stdin.read()
"""
)


def test_process_that_changes_all_the_time() -> None:
    kinds, thread = (
        {"Lock", "RLock", "Condition", "Semaphore", "Event", "Thread"},
        re.compile(r"short \d+|spawner \d|MainThread"),
    )
    with victim(CHURN) as process:
        reader = SnapshotReader(ProcessMemory(process.pid))
        before, seen = reader.snapshot(), 0
        for _ in range(100):
            look = reader.snapshot()
            for wait in look.waits:
                assert wait.object is None or wait.object.kind in kinds
                assert wait.began > 0
            for each in look.threads.values():
                assert each.ident != 0
                assert each.native_id != 0
                # A thread has its number before it has its name.
                assert (
                    thread.fullmatch(each.name)
                    or each.name in ("", "python")
                    or ("python" in each.name)
                )
            verdicts = judge(before, look)
            assert not [cycle for cycle in verdicts.cycles if cycle.certain]
            before, seen = look, seen + len(look.waits)
        assert seen > 0


def test_process_that_is_killed_meanwhile() -> None:
    with victim(CHURN) as process:
        reader = SnapshotReader(ProcessMemory(process.pid))
        reader.snapshot()
        process.kill()  # the reader goes on while it dies
        refused = read_until_refused(reader)
        assert refused.code == GONE
        assert str(refused) == f"process {process.pid} has ended while it was read"


def test_memory_read_by_file() -> None:
    """Where the C library or a sandbox has no process_vm_readv."""
    with victim(ABBA) as process:
        reader = wait_for_waits(process.pid, 2)
        before = reader.snapshot()
        reader.process._copy = _copy_by_file
        after = reader.snapshot()
        assert before.waits == after.waits
        assert before.threads == after.threads
        output = judge(before, after).cycles
    assert len(output) == 1


def test_own_process() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("reads the memory of a process of Linux")
    snapshot = SnapshotReader(ProcessMemory(os.getpid())).snapshot()
    assert os.getpid() in {thread.native_id for thread in snapshot.threads.values()}


def test_process_in_a_pid_namespace() -> None:
    """Its threads have other native ids inside than outside."""
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c", ABBA]
    if os.geteuid() != 0 or os.system("unshare --pid --fork true 2>/dev/null") != 0:
        pytest.skip("needs root and the right to make PID namespaces")
    with victim(ABBA, command=command) as process:
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        with open(children, encoding="ascii") as file:
            pid = int(file.read())
        reader = wait_for_waits(pid, 2)
        snapshot = reader.snapshot()
        tasks = set(reader.process.threads())
        assert {thread.native_id for thread in snapshot.threads.values()} == tasks
        assert "Deadlock: 2 threads" in dump(pid)
