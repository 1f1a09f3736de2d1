"""Correct programs that look like those of GoKer."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import ftthreading
from ftthreading import Condition, Lock, RLock
from ftthreading.diagnostics import LockOrder, lock_order
from tests.diagnostics.lock_order.goker import RWLock, in_thread

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="watches all locks of the process"),
]


def gate() -> None:
    """Both orders, but always under one more lock."""
    gate, a, b = Lock(), Lock(), Lock()

    def there() -> None:
        with gate, a, b:
            pass

    def back() -> None:
        with gate, b, a:
            pass

    in_thread("there", there)
    in_thread("back", back)


def sorted_by_id() -> None:
    """Transfers between accounts of a list, which lock the two in the order of their id()."""
    accounts = [Lock() for _ in range(6)]

    def transfer(i: int, k: int) -> None:
        first, second = sorted((accounts[i], accounts[k]), key=id)
        with first, second:
            pass

    for name in ("one", "two"):
        pairs = [(i, k) for i in range(6) for k in range(6) if i != k]
        in_thread(name, *[partial(transfer, i, k) for i, k in pairs])


def try_and_back_off() -> None:
    """Who has one lock only tries the other, and begins anew if somebody has it."""
    a, b = Lock(), RLock()

    def careful(first: Lock | RLock, second: Lock | RLock) -> None:
        while True:
            with first:
                if second.acquire(blocking=False):
                    second.release()
                    return

    in_thread("there", lambda: careful(a, b))
    in_thread("back", lambda: careful(b, a))


def with_a_timeout() -> None:
    """Whoever does not get the second lock in time gives up."""
    a, b = Lock(), Lock()

    def patient(first: Lock, second: Lock) -> None:
        with first:
            if second.acquire(timeout=60):
                second.release()

    in_thread("there", lambda: patient(a, b))
    in_thread("back", lambda: patient(b, a))


def signal() -> None:
    """A Lock that says "done": taken twice by one thread, released by another."""
    done, state = Lock(), Lock()
    done.acquire()

    def work() -> None:
        with state:
            done.release()

    thread = threading.Thread(target=work)
    with state:
        thread.start()
    done.acquire()
    with state:
        done.release()
    thread.join()


def reentrance() -> None:
    """An RLock that is taken once more under another lock."""
    a, b = RLock(), Lock()

    def again() -> None:
        with a, b, a:
            pass

    in_thread("one", again)
    in_thread("two", again)


def readers_and_writers() -> None:
    """The first reader takes the room, another one, the last, releases it."""
    lock = RWLock()
    lock.rlock()
    in_thread("second", lock.rlock)
    lock.runlock()
    in_thread("last", lock.runlock)
    lock.lock()
    lock.unlock()
    lock.rlock()
    lock.runlock()


def hand_over_hand() -> None:
    """A list whose elements are locked one by one, the next before the last is released."""
    elements = [Lock() for _ in range(20)]

    def walk() -> None:
        elements[0].acquire()
        for before, after in itertools.pairwise(elements):
            after.acquire()
            before.release()
        elements[-1].release()

    in_thread("one", walk)
    in_thread("two", walk)


def wait_in_order() -> None:
    """A Condition whose lock is taken back while an outer lock is held, always in this order."""
    outer, inner = RLock(), Condition()

    def wait() -> None:
        with outer, inner:
            inner.wait(0.001)

    in_thread("one", wait)
    in_thread("two", wait)


def pools_queues_and_logs() -> None:
    """What the interpreter's library does with locks of ours."""
    ftthreading.install()
    try:
        handler = logging.NullHandler()
        logger = logging.Logger("goker")
        logger.addHandler(handler)
        q: queue.Queue[int] = queue.Queue(2)

        def put(i: int) -> None:
            q.put(i)
            logger.warning("put %d", i)

        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(put, i) for i in range(100)]
            assert sorted(q.get() for _ in done) == list(range(100))
            for each in done:
                each.result()
    finally:
        ftthreading.uninstall()


LOOKALIKES = [
    gate,
    sorted_by_id,
    try_and_back_off,
    with_a_timeout,
    signal,
    reentrance,
    readers_and_writers,
    hand_over_hand,
    wait_in_order,
    pools_queues_and_logs,
]


@pytest.mark.parametrize("program", LOOKALIKES, ids=lambda program: program.__name__)
def test_correct_programs_are_left_alone(program: Callable[[], None]) -> None:
    with lock_order(quiet=True) as order:
        program()
    assert order.inversions == ()


def found_in(program: Callable[[], None]) -> LockOrder:
    with lock_order(quiet=True) as order:
        program()
    return order


def test_the_gate_must_be_around_both() -> None:
    gate, a, b = Lock(), Lock(), Lock()

    def there() -> None:
        with gate, a, b:
            pass

    def back() -> None:
        with gate, b, a:
            pass

    def back_again() -> None:
        with b, a:
            pass

    def program() -> None:
        in_thread("there", there)
        in_thread("back", back)
        in_thread("again", back_again)

    (found,) = found_in(program).inversions
    assert '"again"' in found.text
    assert '"there"' in found.text
