"""`python -m ftthreading dump PID`: who waits for what in a process that cannot answer."""

from __future__ import annotations

import re

import pytest

from ftthreading.diagnostics.outside.read import SeenThread, SeenWait
from tests.diagnostics.outside.victims import (
    ABBA,
    BEGIN,
    block_of,
    dump,
    stopped,
    top,
    victim,
    wait_for,
    wait_for_waits,
)
from tests.support import SECONDS, wait_until

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, and reads their memory")

THREAD = r'[Tt]hread "{}" \(\d+\)'
MAIN = THREAD.format("MainThread")
AT = r"at 0x[0-9a-f]+"


def has(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"no {pattern!r} in\n{text}"


def test_deadlock_is_told_in_words() -> None:
    with victim(ABBA) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid)
    has(r"Process \d+: .*python", output)
    has(r"3 threads, 2 wait in ftthreading", output)
    has(r"Deadlock: 2 threads wait for each other in a circle", output)
    one, two = THREAD.format("worker one"), THREAD.format("worker two")
    has(rf"{one} waits to acquire the ftthreading\.RLock {AT}, which {two} owns\.", output)
    has(
        rf"{two} waits to acquire the ftthreading\.Lock {AT}, which {one} took by a with"
        r" statement\.",
        output,
    )
    block = block_of(output, "worker one")
    has(r"ident 0x[0-9a-f]+\n  has waited \d+.* m?s, without a deadline,\n", block)
    has(rf"  to acquire the ftthreading\.RLock {AT},\n  which {two} owns", block)
    assert "sleeps, but not in ftthreading" in block_of(output, "MainThread")


def test_ids_are_the_threads_own() -> None:
    program = BEGIN + (
        """
event = threading.Event()
def wait():
    print(threading.get_native_id(), threading.get_ident(), flush=True)
    event.wait()
ready()
start(wait, "waiter")
sys.stdin.read()
"""
    )
    with victim(program) as process:
        assert process.stdout is not None
        native_id, ident = map(int, process.stdout.readline().split())
        reader = wait_for_waits(process.pid, 1)
        found: list[tuple[SeenThread, SeenWait]] = []

        def look() -> bool:  # the main thread may still wait for it to begin
            snapshot = reader.snapshot()
            pairs = [(snapshot.threads.get(each.thread), each) for each in snapshot.waits]
            found[:] = [(t, w) for t, w in pairs if t is not None and t.ident == ident]
            return len(found) == 1

        wait_until(look)
    thread, wait = found[0]
    assert (thread.native_id, thread.ident, wait.ident) == (native_id, ident, ident)
    assert thread.name == "waiter"


KINDS = {
    "lock": (
        "lock = threading.Lock(); lock.acquire()",
        "lock.acquire()",
        rf'to acquire the ftthreading\.Lock {AT},\n  which thread "MainThread" \(\d+\) took last',
    ),
    "rlock": (
        "class Mine(threading.RLock): pass\nrlock = Mine(); rlock.acquire()",
        "rlock.acquire()",
        rf"to acquire the Mine \(ftthreading\.RLock\) {AT},\n  which {MAIN} owns",
    ),
    "semaphore": (
        "semaphore = threading.BoundedSemaphore(1); semaphore.acquire()",
        "semaphore.acquire(timeout=1000)",
        rf"for at most 16 min \d+ s more,\n  to acquire the ftthreading\.BoundedSemaphore {AT}",
    ),
    "event": (
        "event = threading.Event()",
        "event.wait()",
        rf"without a deadline,\n  for the ftthreading\.Event {AT} to be set",
    ),
    "barrier": (
        "barrier = threading.Barrier(2)",
        "barrier.wait()",
        rf"for others at the ftthreading\.Barrier {AT}",
    ),
    "condition": (
        "condition = threading.Condition()",
        "\n    with condition: condition.wait()",
        rf"to be notified by the ftthreading\.Condition {AT}",
    ),
    "condition_lock": (
        "condition = threading.Condition(threading.Lock()); condition.acquire()",
        "condition.acquire()",
        rf"to acquire the ftthreading\.Lock {AT},\n  which {MAIN} took last",
    ),
    "condition_foreign": (
        "import _thread; condition = threading.Condition(_thread.allocate_lock())",
        "\n    with condition: condition.wait()",
        rf"to be notified by the ftthreading\.Condition {AT}",
    ),
}


@pytest.mark.parametrize(("before", "call", "expected"), KINDS.values(), ids=KINDS)
def test_each_kind_of_wait(before: str, call: str, expected: str) -> None:
    program = f"{BEGIN}\n{before}\ndef wait():\n    {call}\nstart(wait, 'waiter')\nready()\n"
    with victim(program + "sys.stdin.read()") as process:
        wait_for(
            process.pid,
            lambda look: [wait.purpose for wait in look.waits] not in ([], [""]),
            "it waits in its queue",
        )
        block = block_of(dump(process.pid, "--no-stacks"), "waiter")
    has(expected, block)


def test_deadlock_of_a_join_and_a_lock() -> None:
    program = (
        BEGIN
        + """
lock = threading.Lock()
def work():
    with lock: pass
def close():
    with lock:
        start(work, "worker").join()
start(close, "closer")
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid, "--no-stacks")
        shown = top(process.pid)
    closer, worker = THREAD.format("closer"), THREAD.format("worker")
    has(r"Deadlock: 2 threads wait for each other in a circle", output)
    has(rf"{closer} waits for the end of the Thread {AT}, which is {worker}\.", output)
    has(rf"{worker} waits to acquire the .*, which {closer} took by a with statement\.", output)
    has(rf"  for the end of the Thread {AT},\n  which is {worker}", block_of(output, "closer"))
    has(r"closer \(\d+\) .*  the end of worker\n", shown)


def test_locks_have_our_names_where_they_stand_in() -> None:
    program = (
        BEGIN
        + """
threading.install()
lock = threading.RLock()
lock.acquire()
start(lock.acquire, "waiter")
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 1)
        output, shown = dump(process.pid, "--no-stacks"), top(process.pid)
    has(rf"to acquire the ftthreading\.RLock {AT},", output)
    has(r"waiter \(\d+\) .* RLock 0x", shown)


def test_lock_that_is_taken_back_after_a_wait() -> None:
    program = (
        BEGIN
        + """
condition = threading.Condition()
def wait():
    with condition: condition.wait()
start(wait, "waiter")
while not condition._waiters: time.sleep(0.01)
with condition:
    condition.notify()
    ready()
    sys.stdin.read()
"""
    )
    with victim(program) as process:
        wait_for(
            process.pid,
            lambda look: [wait.purpose for wait in look.waits] == ["reacquire"],
            "it wants the lock back",
        )
        output = dump(process.pid)
    has(
        rf"to take back the lock of the ftthreading\.Condition {AT}, as its wait\(\) is over,\n"
        r'  which thread "MainThread" \(\d+\) owns',
        block_of(output, "waiter"),
    )


def test_all_threads_wait() -> None:
    program = (
        BEGIN + "event = threading.Event(); start(event.wait, 'waiter'); ready(); event.wait()"
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid)
        has(r"All threads wait, and none has a deadline", output)
        assert "eadlock" not in output
        with stopped(process.pid):
            assert "All threads wait" in dump(process.pid)
    with victim(program.replace("event.wait()", "event.wait(1000)")) as process:
        wait_for_waits(process.pid, 2)
        assert "All threads wait" not in dump(process.pid)


def test_main_thread_is_blocked_in_c_and_holds_the_gil() -> None:
    """No signal handler written in Python could run there, nor any thread on a GIL build."""
    program = (
        ABBA.rpartition("ready()")[0]
        + "time.sleep(1)\nimport ctypes; pause = ctypes.PyDLL(None).pause\nready()\npause()\n"
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid, "--no-stacks")
    has(r"Deadlock: 2 threads", output)
    assert "sleeps, but not in ftthreading" in block_of(output, "MainThread")


def test_thread_that_ended_with_a_lock() -> None:
    program = (
        BEGIN
        + """
lock, rlock = threading.Lock(), threading.RLock()
def keep():
    lock.acquire(), rlock.acquire()
start(keep, "keeper").join()
start(lock.acquire, "first"), start(rlock.acquire, "second")
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid)
    has(r"Held by a thread that has ended", output)
    has(rf"{THREAD.format('first')} waits .*, which a thread took last that has ended", output)
    has(rf"{THREAD.format('second')} waits .*, which a thread owns that has ended", output)
    assert "fork" not in output


def test_fork_while_another_thread_holds_a_lock() -> None:
    program = (
        BEGIN
        + """
import warnings; warnings.simplefilter("ignore")
lock = threading.RLock()
def keep():
    with lock:
        held.set(); time.sleep(1000)
held = threading.Event()
start(keep, "keeper"); held.wait()
child = os.fork()
if child == 0:
    start(lock.acquire, "in the child")
    lock.acquire()
print("ready", flush=True)
print(child, flush=True)
sys.stdin.read(); os.kill(child, signal.SIGKILL)
"""
    )
    with victim(program) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            wait_for_waits(child, 2)
            output = dump(child)
        finally:
            process.stdin.close()
            process.wait(SECONDS)
    has(r"which a thread owns that has ended, or was left behind in the parent", output)
    native_id = re.search(r'Thread "in the child" \((\d+)\)', output)
    assert native_id is not None
    assert int(native_id[1]) > child
    has(rf"Thread .* \({child}\), ident", output)
