"""Primitives whose inside a program has taken over: it locks `_cond`, sets `_value`.

From the first look at `_cond` on they run the interpreter's own algorithm, so that what holds that
condition keeps set() and acquire() out, as in `threading`.
"""

import threading
from collections import deque

import pytest

import ftthreading
from ftthreading import Barrier, BoundedSemaphore, Event, Semaphore
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep


class Lax(Semaphore):
    """As billiard's pools have it: a bound that grows and shrinks."""

    def __init__(self, value=1):
        super().__init__(value)
        self._initial_value = value

    def grow(self):
        with self._cond:
            self._initial_value += 1
            self._value += 1
            self._cond.notify()

    def release(self):
        with self._cond:
            if self._value < self._initial_value:
                self._value += 1
                self._cond.notify_all()

    def clear(self):
        while self._value < self._initial_value:
            Semaphore.release(self)


def test_a_semaphore_that_grows_lets_a_waiter_go():
    semaphore = Lax(1)
    semaphore.acquire()
    running = start_asleep(1, lambda i: semaphore.acquire())
    semaphore.grow()
    assert running.join() == [True]
    assert semaphore._value == 0
    semaphore.release()
    semaphore.release()
    semaphore.release()
    assert semaphore._value == 2
    semaphore.clear()
    assert semaphore._value == 2


def test_bound_may_be_set():
    semaphore = BoundedSemaphore(1)
    semaphore._initial_value = 2
    semaphore.release()
    with pytest.raises(ValueError, match="released too many times"):
        semaphore.release()
    assert semaphore._value == semaphore._initial_value == 2


def test_value_may_be_set():
    semaphore = Semaphore(0)
    running = start_asleep(2, lambda i: semaphore.acquire())
    semaphore._value = 2
    assert running.join() == [True, True]
    assert semaphore._value == 0
    with pytest.raises(ValueError, match="must be >= 0"):
        semaphore._value = -1
    with pytest.raises(TypeError):
        semaphore._value = "1"


@pytest.mark.parametrize("kind", [Semaphore, BoundedSemaphore])
def test_who_waits_when_the_condition_is_taken_goes_on(kind):
    semaphore = kind(2)
    assert semaphore.acquire()
    assert semaphore.acquire()
    running = start_asleep(3, lambda i: semaphore.acquire(timeout=None if i else 3600))
    with semaphore._cond:
        assert semaphore._value == 0
        kept = start_asleep(1, lambda i: semaphore.release())
        assert not kept.finished
    kept.join()
    wait_until(lambda: running.finished == 1)
    semaphore.release()
    wait_until(lambda: running.finished == 2)
    semaphore._value = 0
    for _ in range(2 if kind is Semaphore else 1):
        semaphore.release()
    assert running.join() == [True] * 3


def test_a_foreign_semaphore_times_out_and_refuses():
    semaphore = BoundedSemaphore(1)
    assert isinstance(semaphore._cond, ftthreading.Condition)
    assert semaphore._cond is semaphore._cond
    assert semaphore.acquire(False)
    assert not semaphore.acquire(False)
    assert not semaphore.acquire(timeout=0.001)
    semaphore.release()
    with semaphore:
        assert semaphore._value == 0
    with pytest.raises(ValueError, match="released too many times"):
        semaphore.release()
    assert repr(semaphore).endswith(": value=1/1>")


def test_no_permit_is_lost_on_the_way():
    for _ in range(20):
        semaphore = BoundedSemaphore(2)

        def work(i, semaphore=semaphore):
            for turn in range(200):
                if i == 0 and turn == 100:
                    assert semaphore._cond
                with semaphore:
                    pass

        run_threads(6, work)
        assert semaphore._value == 2


def test_a_subclass_may_bring_its_own_condition_and_value():
    class Own(Semaphore):
        def __init__(self):
            self._cond = ftthreading.Condition()
            self._value = 1

    semaphore = Own()
    assert semaphore.acquire(False)
    assert not semaphore.acquire(False)
    semaphore.release()
    assert semaphore._value == 1


def test_a_subclass_of_condition_may_bring_its_own_lock_and_waiters():
    for module in (threading, ftthreading):

        class Own(module.Condition):
            def __init__(self, lock):
                self._lock = lock
                self._waiters = deque()
                self.acquire, self.release = lock.acquire, lock.release

        lock = module.Lock()
        cond = Own(lock)
        assert cond._lock is lock

        def wait(cond=cond):
            with cond:
                return cond.wait()

        running = start_threads(2, lambda i, wait=wait: wait())
        wait_until(lambda cond=cond: len(cond._waiters) == 2)
        assert repr(cond) == f"<Condition({lock!r}, 2)>"
        with cond:
            cond.notify_all()
        assert running.join() == [True, True]
        assert not cond._waiters


def test_lock_and_waiters_of_a_finished_condition_stay():
    cond = ftthreading.Condition()
    for name in ("_lock", "_waiters"):
        with pytest.raises(AttributeError, match="not writable"):
            setattr(cond, name, ())
        with pytest.raises(AttributeError, match="not writable"):
            delattr(cond, name)
    with pytest.raises(AttributeError, match="__init__"):
        ftthreading.Condition.__new__(ftthreading.Condition)._waiters  # noqa: B018


def test_an_event_is_kept_by_its_condition():
    event = Event()
    with event._cond:
        running = start_asleep(1, lambda i: event.set())
        assert not event.is_set()
    running.join()
    assert event.is_set()
    assert event._flag is True
    assert event.wait(0)
    event.clear()
    assert not event.wait(0.001)
    assert repr(event).endswith(": unset>")


def test_who_waits_for_an_event_when_its_condition_is_taken_goes_on():
    event = Event()
    running = start_asleep(3, lambda i: event.wait(None if i else 3600))
    with event._cond:
        event._flag = True
        event._cond.notify_all()
    assert running.join() == [True] * 3


def test_no_set_is_lost_on_the_way():
    for _ in range(50):
        event = Event()

        def work(i, event=event):
            if i == 0:
                return event.set()
            if i == 1:
                return event._cond
            return event.wait()

        assert start_threads(5, work).join()[2:] == [True] * 3


@pytest.mark.parametrize("make", [Event, Semaphore])
def test_one_condition_for_all_who_ask(make):
    thing = make()
    assert len({id(cond) for cond in run_threads(8, lambda i: thing._cond)}) == 1


@pytest.mark.parametrize("make", [Event, Semaphore])
def test_the_condition_can_be_replaced_but_not_deleted(make):
    thing, cond = make(), ftthreading.Condition()
    thing._cond = cond
    assert thing._cond is cond
    with pytest.raises(AttributeError, match="_cond"):
        del thing._cond


def test_a_barrier_shows_its_inside():
    def action(): ...

    barrier = Barrier(2, action, 60)
    assert (barrier._parties, barrier._action, barrier._timeout) == (2, action, 60)
    assert (barrier._state, barrier._count) == (0, 0)
    running = start_asleep(1, lambda i: barrier.wait())
    assert barrier._count == 1
    barrier.wait()
    running.join()
    barrier.abort()
    assert barrier._state == -2
    assert "_state" not in vars(barrier)


def test_a_barrier_whose_inside_is_set_goes_by_it():
    barrier, acted = Barrier(1), []
    barrier._action = lambda: acted.append(1)
    assert barrier.wait() == 0
    assert acted == [1]
    barrier._parties = 2
    assert barrier.parties == 2
    running = start_asleep(1, lambda i: barrier.wait())
    assert barrier.n_waiting == 1
    assert {barrier.wait(), *running.join()} == {0, 1}
    barrier.abort()
    assert barrier.broken
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait()
    barrier.reset()
    assert not barrier.broken
    del barrier._timeout
    with pytest.raises(AttributeError, match="_timeout"):
        barrier.wait()


def test_who_waits_at_a_barrier_that_is_taken_over_goes_on():
    barrier = Barrier(4)
    running = start_asleep(3, lambda i: barrier.wait(None if i else 3600))
    assert barrier._cond
    wait_until(lambda: barrier._count == 3)
    assert sorted([barrier.wait(), *running.join()]) == [0, 1, 2, 3]


def test_a_broken_barrier_that_is_taken_over_stays_broken():
    barrier = Barrier(2)
    barrier.abort()
    with barrier._cond:
        assert barrier.broken


def test_taking_over_at_any_moment_loses_nobody():
    for _ in range(30):
        barrier = Barrier(3)

        def work(i, barrier=barrier):
            if i == 3:
                return barrier._cond
            return [barrier.wait() for _ in range(30)]

        numbers = start_threads(4, work).join()[:3]
        assert [sorted(turn) for turn in zip(*numbers, strict=True)] == [[0, 1, 2]] * 30


@pytest.mark.parametrize("step", ["_enter", "_wait", "_release", "_exit", "_break"])
def test_a_barrier_with_a_step_of_its_own_takes_it(step):
    calls = []

    def own(self, *args):
        calls.append(step)
        return getattr(super(kind, self), step)(*args)

    kind = type("Own", (Barrier,), {step: own})
    barrier = kind(2)
    running = start_asleep(1, lambda i: barrier.wait())
    assert sorted([barrier.wait(), *running.join()]) == [0, 1]
    barrier.abort()
    assert calls
