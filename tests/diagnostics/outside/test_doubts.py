"""What looks like a deadlock from outside and may be none; threads and handlers that are odd."""

from __future__ import annotations

import re

import pytest

from tests.diagnostics.outside.victims import (
    BEGIN,
    block_of,
    dump,
    victim,
    wait_for_waits,
)

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, and reads their memory")

THREAD = r'[Tt]hread "{}" \(\d+\)'
MAIN = THREAD.format("MainThread")
AT = r"at 0x[0-9a-f]+"


def has(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"no {pattern!r} in\n{text}"


CYCLES = {
    "lock taken by acquire": ("a.acquire()", "b.acquire()", "may be released by any thread"),
    "deadline": ("a.__enter__()", "b.acquire(timeout=1000)", "a wait has a deadline"),
}


@pytest.mark.parametrize(("take", "wait", "doubt"), CYCLES.values(), ids=CYCLES)
def test_cycle_that_may_be_no_deadlock(take: str, wait: str, doubt: str) -> None:
    program = (
        BEGIN
        + f"""
a, b = threading.Lock(), threading.RLock()
def one():
    {take}; meet(); {wait}
def two():
    with b: meet(); a.acquire()
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
