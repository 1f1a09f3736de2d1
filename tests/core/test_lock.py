"""Lock, and what it shares with RLock."""

from __future__ import annotations

import gc
import sys
import weakref
from functools import partial
from typing import Any

import pytest

import ftthreading
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep, take

both = pytest.mark.parametrize("name", ["Lock", "RLock"])


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


def test_any_thread_may_release() -> None:
    lock = ftthreading.Lock()
    lock.acquire()
    run_threads(1, lambda _: lock.release())
    assert not lock.locked()


@both
def test_release_of_an_unlocked_lock(name: str) -> None:
    lock = make(name)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="release un"):
            lock.release()
        assert not lock.locked()
    lock.acquire()
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()
    with pytest.raises(RuntimeError):
        lock.__exit__(None, None, None)
    assert lock.acquire(False)


@both
def test_with(name: str) -> None:
    lock = make(name)
    with lock as value:
        assert value is True
        assert lock.locked()
    with pytest.raises(ZeroDivisionError), lock:
        1 / 0  # noqa: B018
    assert not lock.locked()


def test_old_names() -> None:
    lock = ftthreading.Lock()
    assert lock.acquire_lock(blocking=True, timeout=1)
    assert lock.locked_lock()
    assert not lock.acquire_lock(False)
    lock.release_lock()
    assert not lock.locked_lock()


@both
def test_locked_and_tries_from_another_thread(name: str) -> None:
    lock = make(name)
    with lock:
        assert run_threads(1, lambda _: (lock.locked(), lock.acquire(False))) == [(True, False)]
    assert run_threads(1, lambda _: (lock.locked(), lock.acquire(False), lock.release())) == [
        (False, True, None)
    ]


@both
def test_released_after_a_waiter_timed_out(name: str) -> None:  # bpo-11618
    """A waiter that is gone must neither be woken nor stand in the way."""
    lock = make(name)
    for _ in range(3):
        lock.acquire()
        assert run_threads(3, lambda _: lock.acquire(timeout=0.02)) == [False] * 3
        assert lock.locked()
        lock.release()
        assert not lock.locked()
        assert lock.acquire(False)
        late = start_asleep(1, take, lock)
        lock.release()
        assert late.join() == [True]


def test_try_never_fails_on_a_free_lock() -> None:  # gh-135871
    """While `epoch` is even nobody else uses the lock; had it been so all along, a try wins."""
    lock = ftthreading.Lock()
    epoch = 0
    done = False

    def flip(_: int) -> None:
        nonlocal epoch
        while not done:
            epoch += 1
            lock.acquire()
            lock.release()
            epoch += 1

    flipping = start_threads(1, flip)
    won = lost = 0
    try:
        while won < 20000 or (lost < 20 and won < 400000):
            before = epoch
            if lock.acquire(False):
                won += 1
                lock.release()
            else:
                lost += 1
                assert before % 2 == 1 or epoch != before
    finally:
        done = True
    flipping.join()


@both
def test_only_one_thread_at_a_time(name: str) -> None:
    """Whichever way the lock is taken, an increment of two steps loses nothing."""
    lock = make(name)
    total = 0
    ways = [
        lock.acquire,
        lock.__enter__,
        lambda: lock.acquire(timeout=60),
        lambda: lock.acquire(timeout=1e-9),
        lambda: lock.acquire(False),
        lambda: lock.acquire(timeout=0.0001),
    ]

    def count(i: int) -> int:
        nonlocal total
        taken = 0
        for n in range(1500):
            if ways[(i + n) % len(ways)]():
                seen = total
                taken += 1
                total = seen + 1
                lock.release()
        return taken

    taken = run_threads(6, count)
    assert total == sum(taken)
    assert total >= 6 * 750  # half of the ways cannot fail
    assert not lock.locked()


@both
def test_waiters_are_served_in_the_order_of_arrival(name: str) -> None:
    lock = make(name)
    served = []

    def wait(i: int) -> None:
        with lock:
            served.append(i)

    lock.acquire()
    waiting = [start_asleep(1, lambda _, i=i: wait(i)) for i in range(6)]
    lock.release()
    for running in waiting:
        running.join()
    assert served == list(range(6))


@both
def test_a_waiter_is_not_starved(name: str) -> None:
    """Whoever takes the lock again and again has to let a waiter in."""
    lock = make(name)
    served: list[int] = []

    def hog(_: int) -> None:
        while len(served) < 20:
            with lock:
                sum(range(100))

    def wait(i: int) -> None:
        for _ in range(5):
            with lock:
                served.append(i)

    hogs = start_threads(2, hog)
    run_threads(4, wait)
    hogs.join()
    assert len(served) == 20


@both
def test_each_waiter_is_woken_by_its_own_lock(name: str) -> None:
    """Many locks share one queue in the core; a release must find the right waiter in it."""
    count = 48
    locks = [make(name) for _ in range(count)]
    acquired = [False] * count

    def wait(i: int) -> None:
        locks[i].acquire()
        acquired[i] = True
        locks[i].release()

    for lock in locks:
        lock.acquire()
    waiting = start_asleep(count, wait)
    expected = [False] * count
    for i in [*range(0, count, 3), *range(1, count, 3), *range(2, count, 3)]:
        assert acquired == expected
        locks[i].release()
        expected[i] = True
        wait_until(partial(acquired.__getitem__, i))
    waiting.join()


@both
def test_reinit_frees_a_held_lock(name: str) -> None:
    lock = make(name)
    lock.acquire()
    assert lock._at_fork_reinit() is None
    assert not lock.locked()
    with pytest.raises(RuntimeError):
        lock.release()
    assert run_threads(1, lambda _: (lock.acquire(False), lock.release())) == [(True, None)]
    with pytest.raises(TypeError):
        lock._at_fork_reinit(1)


def test_release_from_a_finalizer_and_a_weakref_callback() -> None:
    """What the collector runs may release a lock that others wait for."""

    class Releases:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            by_del.release()

    class Referenced:
        def __init__(self) -> None:
            self.itself = self

    by_del, by_callback = ftthreading.Lock(), ftthreading.Lock()
    by_del.acquire()
    by_callback.acquire()
    Releases()
    reference = weakref.ref(Referenced(), lambda _: by_callback.release())
    # (The collector may have come by already; then they find free locks.)
    waiting = start_threads(4, lambda i: (by_del, by_callback)[i % 2].acquire(timeout=60))
    gc.collect()
    wait_until(lambda: waiting.finished >= 2)
    by_del.release()
    by_callback.release()
    assert waiting.join() == [True] * 4
    assert reference() is None


def test_release_from_a_finalizer_that_interrupts_the_same_call() -> None:
    """A handler or finalizer can run anywhere, also between two uses of the same lock."""
    lock = ftthreading.Lock()

    class Touches:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            if lock.acquire(False):
                lock.release()

    def use(_: int) -> None:
        for _ in range(200):
            Touches()
            with lock:
                Touches()
            gc.collect(0)

    run_threads(3, use)
    gc.collect()
    assert lock.acquire(False)


@both
@pytest.mark.thread_unsafe(reason="uses 64 threads by itself")
def test_the_collector_never_waits_for_waiters(name: str) -> None:
    """A thread that slept attached to the interpreter would hang every stop-the-world pause."""
    held, busy = make(name), make(name)
    done = False

    def park(_: int) -> None:
        with held:
            pass

    def contend(_: int) -> None:
        while not done:
            with busy:
                pass
            busy.acquire(timeout=1e-5) and busy.release()

    held.acquire()
    parked = start_asleep(56, park)
    contending = start_threads(8, contend)

    def collect(_: int) -> int:
        for _ in range(50):
            gc.collect()
        return 50

    assert run_threads(1, collect, timeout=120) == [50]
    done = True
    contending.join()
    held.release()
    parked.join()


@pytest.mark.thread_unsafe(reason="counts the blocks of the whole process")
def test_waits_leave_nothing_in_the_interpreters_caches() -> None:
    """Each 64th wait asks whether the GIL is on; a name made for that would stay in a cache."""
    lock = ftthreading.Lock()
    lock.acquire()

    def wait(times: int) -> int:
        for _ in range(times):
            lock.acquire(timeout=0.000001)
        gc.collect()
        return sys.getallocatedblocks()

    before = wait(640)
    assert wait(64 * 100) - before < 20
