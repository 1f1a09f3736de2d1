"""Threads that wait in a barrier, and how they come out of it."""

from __future__ import annotations

from threading import BrokenBarrierError
from typing import Any

from tests.support import Running, run_threads, start_threads, wait_until

BROKEN = "broken"


def wait(barrier: Any, timeout: float | None = None) -> int | str:
    """Return what wait() returns; BROKEN if it finds the barrier broken."""
    try:
        number: int = barrier.wait(timeout)
    except BrokenBarrierError:
        return BROKEN
    return number


def start_waiters(barrier: Any, count: int, timeout: float | None = None) -> Running:
    """Start `count` threads, and return when they wait in the barrier, or one of them no more."""
    before = barrier.n_waiting
    running = start_threads(count, lambda i: wait(barrier, timeout))
    wait_until(
        lambda: barrier.n_waiting == before + count or running.finished,
        what=f"{count} more threads wait",
    )
    return running


def crosses(barrier: Any) -> bool:
    """Whether all parties can cross the barrier."""
    results = run_threads(barrier.parties, lambda i: wait(barrier))
    return sorted(results) == list(range(barrier.parties))
