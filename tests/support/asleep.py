"""Seeing from outside that threads sleep, so that a test can act upon just that.

A thread cannot say itself that it is parked in a lock. The kernel can: it knows whether a thread
sleeps and how often it has gone to sleep. A thread that still is in the same sleep after a while
in which it could have run sleeps until somebody wakes it.
"""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import SECONDS, Running, start_threads, wait_until

TASKS = Path("/proc/self/task")
PAUSE = 0.005
"""Seconds of one look: longer than any pause after which a running thread would go on."""


def needs_proc() -> None:
    """Skip the test where the kernel cannot be asked."""
    if not (TASKS / str(_thread.get_native_id()) / "status").exists():
        import pytest  # which costs more than all the rest of an interpreter that a test starts

        pytest.skip("sees sleeping threads in Linux's /proc")


def _sleep_of(native_id: int) -> str | None:
    """Which of its sleeps the thread is in; None if it is awake, or has ended."""
    try:
        status = (TASKS / str(native_id) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = dict(line.split(":", 1) for line in status)
    asleep = fields["State"].strip().startswith("S")
    return fields["voluntary_ctxt_switches"].strip() if asleep else None


def are_asleep(*native_ids: int) -> bool:
    """Return whether all these threads sleep, each in one sleep for a while."""
    before = [_sleep_of(i) for i in native_ids]
    if None in before:
        return False
    time.sleep(PAUSE)
    return before == [_sleep_of(i) for i in native_ids]


def wait_until_asleep(*native_ids: int, timeout: float = SECONDS) -> None:
    """Return once all these threads sleep in one sleep. timeout: seconds, for all together."""
    needs_proc()
    wait_until(lambda: are_asleep(*native_ids), timeout, f"threads {native_ids} are asleep")


def start_asleep(count: int, function: Callable[..., Any], *arguments: object) -> Running:
    """Run ``function(i, *arguments)`` in `count` threads; return once all sleep in it."""
    needs_proc()
    ids = []

    def main(i: int) -> Any:
        ids.append(_thread.get_native_id())
        return function(i, *arguments)

    running = start_threads(count, main)
    wait_until(lambda: len(ids) == count, what=f"{count} threads are in their function")
    wait_until_asleep(*ids)
    return running


def once_main_sleeps(action: Callable[[], Any]) -> Running:
    """Start a thread that runs `action` as soon as the main thread sleeps.

    For the main thread of a process that begins to wait right after this call.
    """
    needs_proc()

    def main(_: int) -> Any:
        wait_until_asleep(os.getpid())
        return action()

    return start_threads(1, main)


def take(_: int, lock: Any) -> bool:
    """Wait for the lock, and release it: what a thread does that waits in vain, or not."""
    acquired: bool = lock.acquire()
    lock.release()
    return acquired
