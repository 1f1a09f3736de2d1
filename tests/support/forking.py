"""Children of a fork, for tests: they run one function, and nothing of pytest."""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from tests.support import SECONDS, Running, run_python, run_threads, wait_until
from tests.support.asleep import start_asleep, take

marks = [
    pytest.mark.thread_unsafe(reason="forks the process, and wants no threads but its own"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()"),
    pytest.mark.skipif(
        "thread-sanitizer" in (sysconfig.get_config_var("CONFIG_ARGS") or ""),
        reason="ThreadSanitizer's runtime lets no child of a process with threads start threads",
    ),
]


class Child:
    """A forked child that runs a function and exits with 0 if it returned."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            finish(function)

    def end(self) -> None:
        """Wait for it; raise AssertionError unless it exited with 0."""
        end_of(self.pid)


def end_of(pid: int) -> None:
    """Wait for a child's end; raise AssertionError unless it exited with 0."""
    status = None

    def ended() -> bool:
        nonlocal status
        done, status = os.waitpid(pid, os.WNOHANG)
        return done != 0

    try:
        wait_until(ended, timeout=2 * SECONDS, what=f"child {pid} has ended")
    except AssertionError:
        os.kill(pid, signal.SIGABRT)  # faulthandler shows where it hangs
        os.waitpid(pid, 0)
        raise
    assert status == 0


def finish(function: Callable[[], object]) -> NoReturn:
    """End the child: nothing of pytest may run in it."""
    status = 1
    try:
        function()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def use(lock: Any, start: Callable[..., Running] = start_asleep) -> None:
    """Use a free lock in every way, with threads that wait for it."""
    assert not lock.locked()
    with lock:
        assert run_threads(2, lambda _: lock.acquire(timeout=0.001)) == [False, False]
        waiting = start(3, take, lock)
    assert waiting.join() == [True] * 3
    assert not lock.locked()
    with pytest.raises(RuntimeError):
        lock.release()


def run_destructors_of_dead_threads(source: str, expected: list[object]) -> None:
    """Fork with four threads around that have something with a destructor, in another Python.

    The child drops what the threads that it does not have had, before any hook runs. The source
    has to define `wait()`, in which the threads are, `let_go()`, which ends all their waits in
    the parent, and `delete()`, which the destructors call in the child. What that returns there,
    one after the other, is what is expected.
    """
    out = run_python(
        f"""
import os, threading, time, ftthreading
{source}
local, parent = threading.local(), os.getpid()
ready, deleted = [], []

class InThread:
    def __del__(self):
        if os.getpid() != parent:
            deleted.append(delete())

def run():
    local.value = InThread()
    ready.append(1)
    wait()

threads = [threading.Thread(target=run) for _ in range(4)]
for thread in threads:
    thread.start()
while len(ready) < 4:
    time.sleep(0.001)
pid = os.fork()
if pid == 0:
    print(deleted, flush=True)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
let_go()
for thread in threads:
    thread.join()
assert status == 0, status
""",
        env={"PYTHONWARNINGS": "ignore"},
    )
    assert (out.stdout, out.stderr) == (f"{expected}\n", "")
