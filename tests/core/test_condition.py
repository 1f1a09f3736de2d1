"""Condition: who gets a notification, and how its methods are called."""

import copy
import gc
import math
import pickle
import sys
import threading
import weakref
from decimal import Decimal
from fractions import Fraction

import pytest

import ftthreading
from ftthreading import Condition, Lock, RLock
from tests.support import run_threads, start_threads, wait_until
from tests.support.comparing import outcome
from tests.support.conditions import DuckLock, Waiter


def wait_in(i, cond, timeout):
    with cond:
        return cond.wait(timeout)


def test_notify_wakes_exactly_n():
    cond = Condition()
    waiters = [Waiter(cond) for _ in range(5)]
    assert len(cond._waiters) == 5
    for n, left in ((0, 5), (-1, 5), (3, 2), (10, 0)):
        with cond:
            cond.notify(n)
        wait_until(lambda left=left: sum(w.running.finished == 0 for w in waiters) == left)
        assert len(cond._waiters) == left
    assert [w.result() for w in waiters] == [True] * 5


def test_notify_is_first_come_first_served():
    cond = Condition()
    first, second = Waiter(cond), Waiter(cond)
    with cond:
        cond.notify()
    assert first.result() is True
    assert len(cond._waiters) == 1
    assert second.running.finished == 0
    with cond:
        cond.notify()
    assert second.result() is True


def test_notify_passes_by_who_timed_out():
    # Whose time has run out cannot return yet, because we have the lock; it must not use up
    # the notification all the same.
    cond = Condition()
    for timeout in (0.2, 1, 5):
        late = start_threads(1, wait_in, cond, timeout)
        wait_until(lambda: len(cond._waiters) == 1)
        patient = start_threads(1, wait_in, cond, None)
        wait_until(lambda: len(cond._waiters) == 2 or late.finished)
        with cond:
            in_time = not late.finished
            if in_time:
                wait_until(lambda: len(cond._waiters) == 1, what="the first has timed out")
                assert not late.finished
            cond.notify(1)
        assert patient.join() == [True]
        assert late.join() == [False]
        if in_time:
            return
    pytest.fail("two threads could not begin to wait within 5 seconds")


@pytest.mark.parametrize("locktype", [RLock, Lock, DuckLock])
def test_notifications_are_neither_lost_nor_made_up(locktype):
    # Waiters time out all along. As long as one is there that does not, every notification
    # finds somebody, so exactly as many are told of one as there were.
    cond = Condition(locktype())
    sent = told = patient = 0
    rounds = 200 if sys._is_gil_enabled() else 2000  # a change of threads takes 5 ms with it

    def wait(i):
        nonlocal told, patient
        with cond:
            while sent < rounds:
                patient += i >= 3
                notified = cond.wait(0.0001 * (1 + i) if i < 3 else None)
                patient -= i >= 3
                told += notified
                assert told <= sent

    def notify(_):
        nonlocal sent
        while sent < rounds:
            with cond:
                if told == sent and patient:
                    sent += 1
                    cond.notify(1)

    notifying = start_threads(1, notify)
    waiting = start_threads(5, wait)
    notifying.join(120)
    wait_until(lambda: told == rounds, what="the last notification has arrived")
    with cond:
        sent += len(cond._waiters)  # at most: some of them may be timing out
        cond.notify_all()
    waiting.join()


@pytest.mark.parametrize("locktype", [RLock, Lock])
def test_every_permit_posted_is_collected(locktype):
    # The classic counter: a lost notification stops it.
    cond = Condition(locktype())
    posted = collected = 0
    total = 2000

    def post(i):
        nonlocal posted
        for _ in range(total):
            with cond:
                posted += 1
                cond.notify()

    def collect(i):
        nonlocal posted, collected
        for _ in range(total):
            with cond:
                while posted == 0:
                    cond.wait()
                posted -= 1
                collected += 1

    run_threads(6, lambda i: post(i) if i % 2 else collect(i))
    assert (posted, collected) == (0, 3 * total)


def test_wait_for():
    cond = Condition()
    box = []

    def wait(i):
        with cond:
            return cond.wait_for(lambda: box and box[0])

    running = start_threads(1, wait)
    wait_until(lambda: len(cond._waiters) == 1)
    with cond:
        cond.notify()
    with cond:
        box.append("value")
        cond.notify()
    assert running.join() == ["value"]
    with cond:
        assert cond.wait_for(lambda: 0, timeout=0.001) == 0
        assert cond.wait_for(list, timeout=0) == []
        assert cond.wait_for(lambda: 7, timeout=-1) == 7


BAD_CALLS = [
    ("wait", ("1",), {}),
    ("wait", (1e300,), {}),
    ("wait", (float("nan"),), {}),
    ("wait", (float("inf"),), {}),
    ("wait", (threading.TIMEOUT_MAX * 2,), {}),
    ("wait", (1, 2), {}),
    ("wait", (), {"seconds": 1}),
    ("wait_for", (), {}),
    ("wait_for", (None,), {}),
    ("wait_for", (bool, "1"), {}),
    ("wait_for", (bool, 1e300), {}),
    ("notify_all", (1,), {}),
    ("release", (1,), {}),
    ("acquire", (), {"blocking": False, "timeout": 1}),
    ("acquire", (), {"timeout": -2}),
    ("acquire", (), {"timeout": None}),
]


@pytest.mark.parametrize(("method", "args", "kwargs"), BAD_CALLS)
def test_bad_calls_end_as_threadings(method, args, kwargs):
    results = []
    for module in (threading, ftthreading):
        cond = module.Condition()
        with cond:
            results.append(outcome(getattr(cond, method), *args, **kwargs))
            assert cond._is_owned()
            assert len(cond._waiters) == 0
    assert results[0] == results[1]


@pytest.mark.parametrize(("method", "args", "kwargs"), BAD_CALLS)
def test_bad_calls_without_the_lock(method, args, kwargs):
    # Two things are wrong then, and either may be told.
    kinds = []
    for held in (True, False):
        cond = threading.Condition()
        if held:
            cond.acquire()
        try:
            getattr(cond, method)(*args, **kwargs)
        except Exception as exception:
            kinds.append(type(exception))
    cond = Condition()
    with pytest.raises(tuple(kinds)):
        getattr(cond, method)(*args, **kwargs)
    assert not cond._is_owned()
    assert len(cond._waiters) == 0


class Backwards(int):
    """A number of which only its own class knows whether it is more than nothing."""

    def __gt__(self, other):
        return self < 3

    def __sub__(self, other):
        return Backwards(int(self) + other)


ODD = [True, False, -(10**30), 10**30, 1.5, 0.5, -0.5, math.nan, math.inf, Fraction(3, 2)]
ODD += [Decimal(2), "1", None, [], 1j, Backwards(1)]


@pytest.mark.parametrize("n", ODD, ids=repr)
def test_odd_numbers_to_notify(n):
    # threading counts 1.5 as 2, and looks at the number only if somebody waits.
    came = []
    for module in (threading, ftthreading):
        cond = module.Condition()
        unheld = outcome(cond.notify, n)
        with cond:
            unwaited = outcome(cond.notify, n)
        waiters = [Waiter(cond) for _ in range(3)]
        with cond:
            notified = outcome(cond.notify, n)
            came.append((unheld, unwaited, notified, len(cond._waiters)))
            cond.notify_all()
        assert [w.result() for w in waiters] == [True] * 3
    assert came[0] == came[1]


def test_unheld_lock():
    for cond in (Condition(), Condition(Lock())):
        for method in (cond.wait, cond.notify, cond.notify_all):
            with pytest.raises(RuntimeError, match="un-acquired lock"):
                method()


@pytest.mark.thread_unsafe(reason="catches warnings")
def test_notifyAll():
    cond = Condition()
    with cond, pytest.warns(DeprecationWarning, match="use notify_all") as caught:
        cond.notifyAll()
    assert caught[0].filename == __file__


def test_copies_weak_references_attributes():
    cond = Condition()
    for make in (pickle.dumps, copy.deepcopy, copy.copy):  # threading's copy() shares the lock
        with pytest.raises(TypeError, match="cannot pickle"):
            make(cond)
    assert weakref.ref(cond)() is cond
    cond.extra = 1
    assert vars(cond) == {"extra": 1}
    cond.__dict__ = {}
    assert not hasattr(cond, "extra")
    assert type("Sub", (Condition,), {})().notify_all is not None


def test_init_is_called_once():
    cond = Condition()
    with pytest.raises(RuntimeError, match="called twice"):
        cond.__init__()

    class Forgetful(Condition):
        def __init__(self):
            pass

    cond = Forgetful()
    for call in (cond.wait, cond.notify, cond.notify_all, cond.acquire, cond.release):
        with pytest.raises(AttributeError, match="__init__"):
            call()
    with pytest.raises(AttributeError, match="__init__"):
        repr(cond)


def test_nothing_keeps_a_condition():
    cond = Condition()
    with cond:
        cond.wait(0.001)
        cond.notify()
    cond.cycle = cond
    gone = weakref.ref(cond), weakref.ref(cond._lock)
    del cond
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
