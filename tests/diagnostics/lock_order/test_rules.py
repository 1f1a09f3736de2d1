"""What makes an inversion of locks, and what does not."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from ftthreading import Condition, Lock, RLock
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.watching import (
    Derived,
    in_threads,
    nest,
    the_one,
    watch,
)

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")


def test_three_locks() -> None:
    a, b, c = Lock(), Lock(), Lock()
    found = the_one(lambda: nest(a, b), lambda: nest(b, c), lambda: nest(c, a))
    assert "lock order inversion of 3 locks" in found.text
    assert all(f"number {i}" in found.text for i in range(3))


def test_many_locks_in_a_ring() -> None:
    locks = [Lock() for _ in range(10)]
    pairs = zip(locks, [*locks[1:], locks[0]], strict=True)
    found = the_one(*[lambda pair=pair: nest(*pair) for pair in pairs])
    assert "lock order inversion of 10 locks" in found.text


def test_edges_that_come_in_any_order() -> None:
    """Edges that the order of nodes has to be changed for, and one at the end that closes it."""
    locks = [Lock() for _ in range(40)]
    steps = [(i, i + 1) for i in range(0, 39, 2)] + [(i, i + 1) for i in range(37, 0, -2)]
    programs = [lambda i=i, k=k: nest(locks[i], locks[k]) for i, k in steps]
    assert watch(*programs) == ()
    found = the_one(*programs, lambda: nest(locks[5], locks[0]))
    assert "of 6 locks" in found.text


@pytest.mark.parametrize("take", [{"blocking": False}, {"timeout": 30}])
def test_a_try_holds_but_does_not_wait(take: dict[str, Any]) -> None:
    a, b = Lock(), Lock()

    def tries() -> None:
        with b:
            assert a.acquire(**take)
            a.release()

    assert watch(lambda: nest(a, b), tries) == ()

    def holds() -> None:
        assert b.acquire(**take)
        with a:
            b.release()

    assert the_one(lambda: nest(a, b), holds).certain


def test_a_try_in_vain_holds_nothing() -> None:
    a, b = Lock(), Lock()

    def vain() -> None:
        b.acquire()
        in_threads(lambda: (b.acquire(blocking=False), nest(a)))
        b.release()

    assert watch(vain, lambda: nest(a, b)) == ()


def test_reentrance_is_no_order() -> None:
    a, b = RLock(), Lock()
    assert watch(lambda: nest(a, b, a), lambda: nest(a, b, a)) == ()


def test_what_is_held_until_the_outermost_release() -> None:
    a, b = RLock(), Lock()

    def inner_released() -> None:
        a.acquire()
        a.acquire()
        a.release()
        nest(b)
        a.release()
        nest(b)

    assert the_one(inner_released, lambda: nest(b, a)).certain


def test_release_in_any_order() -> None:
    a, b, c = Lock(), Lock(), Lock()

    def crossed() -> None:
        a.acquire()
        b.acquire()
        a.release()
        c.acquire()  # b, c, but not a, c
        b.release()
        c.release()

    # Through b, in three threads.
    assert "inversion of 3 locks" in the_one(crossed, lambda: nest(c, a)).text
    assert "inversion of 2 locks" in the_one(crossed, lambda: nest(c, b)).text


def test_one_thread_is_enough_and_is_said() -> None:
    a, b = Lock(), Lock()
    found = the_one(lambda: (nest(a, b), nest(b, a)))
    assert found.certain
    assert "by one thread only" in " ".join(found.text.split())


def test_two_threads_are_preferred() -> None:
    a, b = Lock(), Lock()
    found = the_one(lambda: nest(a, b), lambda: nest(a, b), lambda: nest(b, a))
    assert "number 2" in found.text
    assert "one thread only" not in " ".join(found.text.split())


def test_a_lock_that_another_thread_releases_is_a_signal() -> None:
    a, ready = Lock(), Lock()

    def hand_over() -> None:
        ready.acquire()

        def other() -> None:
            nest(a)
            ready.release()

        in_threads(other)

    assert watch(hand_over, lambda: nest(ready, a), lambda: nest(a, ready)) == ()


def test_it_is_withdrawn_if_that_shows_later() -> None:
    a, ready = Lock(), Lock()
    with lock_order(quiet=True) as order:
        in_threads(lambda: nest(a, ready), lambda: nest(ready, a))
        (found,) = order.inversions
        ready.acquire()
        in_threads(ready.release)
    assert found.withdrawn
    assert order.inversions == ()
    assert "1 report above withdrawn" in order.summary()


def test_the_rlock_of_another_thread_cannot_be_released() -> None:
    a, b = RLock(), Lock()

    def fail() -> None:
        a.acquire()

        def other() -> None:
            with pytest.raises(RuntimeError):
                a.release()

        in_threads(other)
        nest(b)
        a.release()

    assert the_one(fail, lambda: nest(b, a)).certain


def test_the_release_of_a_free_lock_is_no_news() -> None:
    a, b = Lock(), RLock()

    def fail() -> None:
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            a.release()
        with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
            b.release()

    assert watch(fail) == ()


def test_a_lock_that_follows_a_dead_one_is_another() -> None:
    """At the same address, perhaps."""

    def program() -> None:
        a = Lock()
        for _ in range(50):
            b = Lock()
            nest(a, b)
            del b
            c = Lock()
            nest(c, a)
            del c
            gc.collect()

    assert [each for each in watch(program) if each.certain] == []


# By the lines where locks are made


class Parent:
    def __init__(self) -> None:
        self.lock = Lock()


class Child:
    def __init__(self) -> None:
        self.lock = RLock()


def test_orders_of_different_objects_are_possible() -> None:
    def program() -> None:
        nest(Parent().lock, Child().lock)
        nest(Child().lock, Parent().lock)

    found = the_one(program)
    assert not found.certain
    assert "no two of them were taken in both orders" in " ".join(found.text.split())
    assert "possible lock order inversion" in found.text
    assert "self.lock = RLock()" in found.text


def test_the_same_line_says_nothing() -> None:
    locks = [Parent().lock for _ in range(10)]

    def program() -> None:
        for i in range(10):
            for k in range(i):
                nest(locks[k], locks[i])

    assert watch(program) == ()


def test_one_report_of_objects_and_none_of_their_lines() -> None:
    def program() -> None:
        for _ in range(5):
            a, b = Parent().lock, Child().lock
            nest(a, b)
            nest(b, a)

    assert the_one(program).certain


def test_lines_of_subclasses_and_conditions() -> None:
    def program() -> None:
        a = Derived()  # of a subclass
        b = Condition()  # the lock that it makes
        nest(a, b)
        nest(b, a)

    found = the_one(program)
    assert "a = Derived()" in found.text
    assert "Derived made at" in found.text
    assert "b = Condition()" in found.text
    assert "RLock made at" in found.text
