"""What is kept of locks and orders is bounded, and belongs to one interpreter."""

from __future__ import annotations

import signal

import pytest

import ftthreading
from ftthreading import Lock
from ftthreading.diagnostics import _lock_order_recorder as recorder
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.watching import (
    in_threads,
    nest,
    watching,
)

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")


def test_locks_beyond_the_bound_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_LOCKS", 10)
    with lock_order(quiet=True) as order:
        locks = [Lock() for _ in range(20)]
        for lock in locks:
            nest(locks[0], lock) if lock is not locks[0] else None
        assert len(watching().nodes) == 10
        nest(locks[1], locks[0])
    assert len(order.inversions) == 1
    assert "more than" in order.summary()


def test_dead_locks_are_forgotten() -> None:
    with lock_order(quiet=True):
        a = Lock()
        for _ in range(2000):
            nest(a, Lock())
        watch = watching()
        assert len(watch.nodes) < 1000
        assert watch.objects.edges < 1000


def test_edges_beyond_the_bound_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_EDGES", 10)
    with lock_order(quiet=True) as order:
        a = Lock()
        locks = [Lock() for _ in range(20)]
        for lock in locks:
            nest(a, lock)
        assert watching().objects.edges == 10
        assert order.inversions == ()
        assert "pairs of locks" in order.summary()


def test_other_interpreters_are_not_watched() -> None:
    interpreters = pytest.importorskip("_interpreters", reason="this build has none")
    code = """
import ftthreading
for make in (ftthreading.Lock, ftthreading.RLock, ftthreading.Condition):
    lock = make()
    with lock:
        assert make().acquire()
    assert lock.acquire()
    lock.release()
"""
    with lock_order(quiet=True) as order:
        other = interpreters.create()
        try:
            assert interpreters.exec(other, code) is None
        finally:
            interpreters.destroy(other)
        a, b = Lock(), Lock()
        in_threads(lambda: nest(a, b), lambda: nest(b, a))
    assert len(order.inversions) == 1


def test_what_is_public() -> None:
    assert ftthreading.diagnostics.lock_order is lock_order
    assert signal.getsignal(signal.SIGUSR1) in (signal.SIG_DFL, None)
