"""`python -m ftthreading dump PID`: who waits for what in a process that cannot answer."""

from __future__ import annotations

import os
import re
import sys

import pytest

from ftthreading.diagnostics.outside.memory import GONE, Process, _copy_by_file
from ftthreading.diagnostics.outside.read import Reader, Thread, Wait
from ftthreading.diagnostics.outside.verdicts import judge
from tests.diagnostics.victims import (
    ABBA,
    BEGIN,
    block_of,
    dump,
    read_until_refused,
    stopped,
    victim,
    wait_for,
    wait_for_waits,
)
from tests.support import wait_until

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
        found: list[tuple[Thread, Wait]] = []

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
            process.wait()
    has(r"which a thread owns that has ended, or was left behind in the parent", output)
    native_id = re.search(r'Thread "in the child" \((\d+)\)', output)
    assert native_id is not None
    assert int(native_id[1]) > child
    has(rf"Thread .* \({child}\), ident", output)


CYCLES = {
    "lock taken by acquire": ("a.acquire()", "b.acquire()", "may be released by any thread"),
    "deadline": ("a.__enter__()", "b.acquire(timeout=1000)", "a wait has a deadline"),
}


@pytest.mark.parametrize(("take", "wait", "doubt"), CYCLES.values(), ids=CYCLES)
def test_cycle_that_may_be_no_deadlock(take: str, wait: str, doubt: str) -> None:
    program = (
        BEGIN
        + f"""
a, b, both = threading.Lock(), threading.RLock(), threading.Barrier(2)
def one():
    {take}; both.wait(); {wait}
def two():
    with b: both.wait(); a.acquire()
start(one, "one"), start(two, "two")
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid)
    has(r"Possible deadlock: 2 threads", output)
    has(rf"\(It may be none: .*{doubt}", output)


def test_thread_that_waits_for_itself() -> None:
    program = (
        BEGIN
        + """
lock = threading.Lock()
def twice():
    with lock:
        with lock: pass
start(twice, "twice")
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 1)
        output = dump(process.pid)
    has(r"Deadlock: a thread waits for what it holds itself", output)
    has(r"which this thread itself took by a with statement", output)


def test_names_of_threads() -> None:
    program = (
        BEGIN
        + """
event = threading.Event()
for name in ("gr\\xfc\\xdfe \\x1b[31m", "\\u20ac" * 20, "surrogate \\udc80"):
    start(event.wait, name)
import _thread; _thread.start_new_thread(event.wait, ())
class Odd(threading.Thread):
    def __getattribute__(self, name):
        if name == "_name" and asked: print("asked", flush=True)
        return super().__getattribute__(name)
asked = []
odd = Odd(target=event.wait, name="odd", daemon=True); odd.start()
ready()
sys.stdin.read()
"""
    )
    with victim(program) as process:
        snapshot = wait_for_waits(process.pid, 5).snapshot()
        output = dump(process.pid, "--no-stacks")
        names = {snapshot.threads[wait.thread].name for wait in snapshot.waits}
    assert {"gr\xfc\xdfe \\x1b[31m", "\u20ac" * 15, "odd"} <= names  # 47 bytes hold no sixteenth
    assert "\x1b" not in output
    assert len(names) == 4 or len(names) == 5  # two have the kernel's name, alike or not


def test_wait_of_a_signal_handler_within_a_wait() -> None:
    program = (
        BEGIN
        + """
outer, inner = threading.Event(), threading.Lock()
inner.acquire()
signal.signal(signal.SIGUSR1, lambda *_: inner.acquire())
start(lambda: (time.sleep(0.2), os.kill(os.getpid(), signal.SIGUSR1)))
ready()
outer.wait()
"""
    )
    with victim(program) as process:
        wait_for_waits(process.pid, 2)
        output = dump(process.pid)
    block = block_of(output, "MainThread")
    has(r"(?s)acquire the ftthreading\.Lock.*for the ftthreading\.Event", block)


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
        reader = Reader(Process(process.pid))
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
        reader = Reader(Process(process.pid))
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
    snapshot = Reader(Process(os.getpid())).snapshot()
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
