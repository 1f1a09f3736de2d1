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
from asleep import start_asleep, take
from support import SECONDS, Running, run_threads, wait_until

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
        status = None

        def ended() -> bool:
            nonlocal status
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid != 0

        try:
            wait_until(ended, timeout=2 * SECONDS, what=f"child {self.pid} has ended")
        except AssertionError:
            os.kill(self.pid, signal.SIGABRT)  # faulthandler shows where it hangs
            os.waitpid(self.pid, 0)
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
