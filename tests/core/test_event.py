"""Event: who is let go by which set(), and that set() may be called from anywhere."""

import copy
import gc
import pickle
import threading
import time
import weakref

import pytest

import ftthreading
from ftthreading import Event
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep
from tests.support.comparing import outcome


def start_waiters(event, count, timeout=None):
    """Threads that sleep in wait()."""
    return start_asleep(count, lambda i: event.wait(timeout))


def test_flag():
    event = Event()
    assert event.is_set() is False
    assert event.set() is None
    assert event.is_set() is True
    assert event.wait() is True
    assert event.wait(0) is True
    assert event.clear() is None
    assert event.is_set() is False
    assert event.wait(0) is False
    assert event.wait(-1) is False
    assert event.wait(0.001) is False


def test_private_attributes():
    event = Event()
    assert event._flag is False
    event.set()
    assert event._flag is True
    event._flag = False
    assert not event.is_set()
    event._flag = 1
    assert event.is_set()
    del event._flag
    assert event._flag is False
    with event._cond:
        assert not event._cond.acquire(False)
    assert event._cond is event._cond


def test_set_lets_all_go():
    event = Event()
    running = start_waiters(event, 8)
    event.set()
    assert running.join() == [True] * 8


def test_set_and_clear_at_once_lets_all_go_who_waited():  # gh-57711
    event = Event()
    running = start_waiters(event, 5)
    event.set()
    event.clear()
    assert running.join() == [True] * 5
    assert not event.is_set()


def test_who_waits_after_clear_waits_for_the_next_set():
    event = Event()
    for _ in range(20):
        early = start_waiters(event, 1)
        event.set()
        event.clear()
        late = start_threads(1, lambda i: event.wait(0.001))
        assert early.join() == [True]
        assert late.join() == [False]


def test_set_that_times_out_waiters_at_the_same_moment():
    # Each ends either way, and who was told of no set() did wait for its time.
    def wait(i, event, setting, n):
        ns = 50_000 * (n + i)
        before = time.monotonic_ns()
        told = event.wait(ns / 1e9)
        took = time.monotonic_ns() - before
        assert setting if told else took >= ns

    for n in range(50):
        event, setting = Event(), []
        running = start_threads(4, wait, event, setting, n)
        setting.append(True)
        event.set()
        event.clear()
        running.join()
        event.set()
        assert event.wait() is True


def test_no_waiter_is_stranded_while_the_flag_flips():
    # Every set() lets go whoever waits then; the last one ends it. Nobody has a timeout.
    event = Event()
    done = []

    def flip(i):
        while len(done) < 4:
            event.set()
            event.clear()
        event.set()

    def wait(i):
        for _ in range(500):
            event.wait()
        done.append(i)

    run_threads(6, lambda i: wait(i) if i < 4 else flip(i))
    assert event.is_set()


def test_ping_pong():
    ping, pong = Event(), Event()

    def play(i):
        mine, other = (ping, pong) if i else (pong, ping)
        for _ in range(1000):
            if not i:
                other.set()
            assert mine.wait(60)
            mine.clear()
            if i:
                other.set()

    run_threads(2, play)


BAD_CALLS = [
    ("wait", ("1",), {}),
    ("wait", (1e300,), {}),
    ("wait", (float("nan"),), {}),
    ("wait", (float("inf"),), {}),
    ("wait", (1, 2), {}),
    ("wait", (), {"seconds": 1}),
    ("wait", ([],), {}),
    ("set", (1,), {}),
    ("clear", (1,), {}),
    ("is_set", (1,), {}),
    ("__init__", (1,), {}),
]


@pytest.mark.parametrize(("method", "args", "kwargs"), BAD_CALLS)
@pytest.mark.parametrize("flag", [False, True])
def test_bad_calls_end_as_threadings(method, args, kwargs, flag):
    results = []
    for module in (threading, ftthreading):
        event = module.Event()
        if flag:
            event.set()
        results.append(outcome(getattr(event, method), *args, **kwargs))
        assert event.is_set() == flag
    assert results[0] == results[1]


@pytest.mark.thread_unsafe(reason="catches warnings")
def test_isSet():
    with pytest.warns(DeprecationWarning, match="use is_set") as caught:
        assert Event().isSet() is False
    assert caught[0].filename == __file__


def test_copies_and_weak_references():
    event = Event()
    for make in (pickle.dumps, copy.deepcopy, copy.copy):  # threading's copy() shares all
        with pytest.raises(TypeError, match="cannot pickle"):
            make(event)
    assert weakref.ref(event)() is event
    event.extra = 1
    assert vars(event) == {"extra": 1}
    assert repr(type("Sub", (Event,), {"__module__": "mod"})()).startswith("<mod.Sub at 0x")


def test_nothing_keeps_an_event():
    event = Event()
    event.wait(0.001)
    event.set()
    event.clear()
    event.cycle = event, event._cond
    gone = weakref.ref(event)
    del event
    gc.collect()
    assert gone() is None


def test_set_by_a_finalizer_inside_set():
    event = Event()
    rounds = 100

    class Sets:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            deleted.append(event.set())

    deleted = []
    for _ in range(rounds):
        Sets()
        event.set()
        event.clear()
    wait_until(lambda: gc.collect() or len(deleted) == rounds)
    assert event.is_set()
