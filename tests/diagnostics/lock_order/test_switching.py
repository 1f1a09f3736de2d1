"""Watching is switched on and off, and locks do the same meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ftthreading import Condition, Lock, RLock
from ftthreading.diagnostics import LockOrder, lock_order
from tests.diagnostics.lock_order.watching import (
    Derived,
    in_threads,
    nest,
)
from tests.support import run_threads, wait_until

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")


def test_only_one_at_a_time() -> None:
    with lock_order():
        with pytest.raises(RuntimeError, match="already"):
            lock_order().enable()
    order = lock_order(quiet=True).enable()
    assert isinstance(order, LockOrder)
    order.disable()
    order.disable()


def test_nothing_is_told_when_it_is_off() -> None:
    a, b = Lock(), Lock()
    order = lock_order(quiet=True)
    in_threads(lambda: nest(a, b), lambda: nest(b, a))
    with order:
        nest(a, b)
    in_threads(lambda: nest(b, a))
    assert order.inversions == ()


@pytest.mark.parametrize("make", [Lock, RLock, Derived, Condition, lambda: Condition(Lock())])
def test_locks_do_the_same_while_they_are_watched(make: Callable[..., Any]) -> None:
    def results() -> list[object]:
        lock = make()
        found: list[object] = [lock.acquire(), lock.locked() if hasattr(lock, "locked") else None]
        found.append(lock.acquire(False))
        for bad in ((1, 2, 3), (True, -2), (False, 1), ("x", "y")):
            with pytest.raises((TypeError, ValueError)) as raised:
                lock.acquire(*bad)
            found.append(str(raised.value))
        with pytest.raises(TypeError):
            lock.acquire(forever=True)
        found.append(lock.release())
        found.append(lock.__enter__())
        found.append(lock.__exit__(None, None, None))
        return found

    plain = results()
    with lock_order(quiet=True):
        assert results() == plain
    assert results() == plain


def test_on_and_off_under_way() -> None:
    """Threads go on with their locks while it is turned on and off; no lock is lost."""
    locks: list[Any] = [Lock(), RLock(), Condition(), Derived()]
    count = [0]
    over: list[bool] = []

    def work(i: int) -> int:
        if i == 0:
            for _ in range(30):
                with lock_order(quiet=True) as order:
                    before = count[0]
                    wait_until(lambda: count[0] > before)
                assert order.inversions == ()
            over.append(True)
            return 0
        mine = 0
        while not over:
            with locks[0], locks[1], locks[2], locks[3]:
                count[0] += 1
                mine += 1
        return mine

    assert sum(run_threads(8, work)) == count[0]
    for lock in locks:
        assert lock.acquire(blocking=False)
        lock.release()


def test_eight_threads_find_all() -> None:
    with lock_order(quiet=True) as order:

        def work(i: int) -> None:
            for _ in range(20):
                a, b = Lock(), RLock()
                nest(a, b)
                nest(a, b)
                a.acquire()
                b.acquire()
                a.release()
                b.release()

        run_threads(8, work)
        a, b = Lock(), Lock()
        turn = [0]

        def by_turns(i: int) -> None:
            wait_until(lambda: turn[0] == i)
            nest(*((a, b), (b, a))[i % 2])
            turn[0] += 1

        run_threads(8, by_turns)
    assert len(order.inversions) == 1
