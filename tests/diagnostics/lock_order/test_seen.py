"""Which calls take and release a lock, as the order of locks sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ftthreading import Condition, Lock, RLock
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.watching import (
    Derived,
    Own,
    in_threads,
    nest,
    the_one,
    watch,
)
from tests.support import run_threads, wait_until

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")


@pytest.mark.parametrize("first", [Lock, RLock, Derived, Condition])
@pytest.mark.parametrize("second", [Lock, RLock, Derived, Condition])
def test_all_kinds_of_locks(first: Callable[..., Any], second: Callable[..., Any]) -> None:
    a, b = first(), second()
    found = the_one(lambda: nest(a, b), lambda: nest(b, a))
    assert found.certain
    assert "number 0" in found.text
    assert "number 1" in found.text


def enter_both(a: Lock, b: Lock) -> None:
    with a:
        with b:
            pass


def old_names(a: Lock, b: Lock) -> None:
    a.acquire_lock()
    b.acquire_lock()
    b.release_lock()
    a.release_lock()


def by_keyword(a: Lock, b: Lock) -> None:
    a.acquire(blocking=True, timeout=-1)
    b.acquire(True)
    a.release()
    b.release()


@pytest.mark.parametrize("way", [enter_both, old_names, by_keyword])
def test_all_ways_to_take_one(way: Callable[..., Any]) -> None:
    a, b = Lock(), Lock()
    assert the_one(lambda: way(a, b), lambda: way(b, a)).certain


def test_bound_methods_and_those_of_the_class() -> None:
    a, b = Lock(), RLock()
    a_acquire, b_acquire = a.acquire, b.acquire  # bound before anybody watches

    def there() -> None:
        a_acquire()
        RLock.acquire(b)
        RLock.release(b)
        Lock.release(a)

    def back() -> None:
        b_acquire()
        Lock.__enter__(a)
        Lock.__exit__(a)
        RLock.__exit__(b)

    assert the_one(there, back).certain


def test_a_condition_is_its_lock() -> None:
    a, b = Lock(), Lock()
    on_a, on_b = Condition(a), Condition(b)

    def there() -> None:
        with on_a, b:
            pass

    def back() -> None:
        with on_b:
            on_a.acquire()
            on_a.release()

    assert the_one(there, back).certain


@pytest.mark.parametrize("make", [Lock, RLock, Derived, Own])
def test_wait_takes_its_lock_back_under_the_others(make: Callable[..., Any]) -> None:
    """Inside cond.wait(): the outer lock is held, and the condition's is wanted again."""
    outer, inner = Lock(), make()
    condition = Condition(inner)

    def wait() -> None:
        inner.acquire()
        outer.acquire()  # inner, outer; then outer is held and inner wanted
        condition.wait(0.001)
        outer.release()
        inner.release()

    found = the_one(wait)
    assert found.certain
    assert "condition.wait(0.001)" in found.text


def test_wait_releases_its_lock() -> None:
    """What the thread that notifies takes meanwhile is no order of the one that waits."""
    a, condition = Lock(), Condition()
    waiting = []

    def wait() -> None:
        with condition:
            waiting.append(1)
            condition.wait()
        with a:
            pass

    def notify() -> None:
        wait_until(lambda: waiting)
        with condition:
            condition.notify()

    with lock_order(quiet=True) as order:
        run_threads(2, lambda i: (wait, notify)[i]())
        in_threads(lambda: nest(a, condition))
    assert order.inversions == ()


def test_a_wait_that_fails_leaves_the_lock_held() -> None:
    a, condition = Lock(), Condition()

    def fail() -> None:
        with condition:
            with pytest.raises(TypeError):
                condition.wait("soon")  # type: ignore[arg-type]
            with a:
                pass

    assert the_one(fail, lambda: nest(a, condition)).certain


def test_a_wait_without_the_lock_takes_nothing() -> None:
    a, condition = Lock(), Condition(Lock())

    def fail() -> None:
        with pytest.raises(RuntimeError):
            condition.wait()
        with a:
            pass

    assert watch(fail, lambda: nest(a, condition)) == ()


def test_locks_and_holds_of_before() -> None:
    """What was taken before anybody watched is not known to be held; what follows is."""
    a, b = Lock(), Lock()
    a.acquire()
    with lock_order(quiet=True) as order:
        with b:
            pass
        a.release()
        in_threads(lambda: nest(a, b), lambda: nest(b, a))
    (found,) = order.inversions
    assert "made before anybody watched" in found.text
