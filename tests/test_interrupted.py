"""Condition, Semaphore, Event, Barrier and the signals that reach the main thread in them.

Two questions: what is left of a wait that a handler's exception ends, and whether a handler may
call the very thing that it interrupts. test_signals.py asks them of the locks.
"""

import os
import threading

import pytest
from asleep import once_main_sleeps, start_asleep, wait_until_asleep
from support import alarms, handling, start_threads, wait_until

from ftthreading import (
    Barrier,
    BoundedSemaphore,
    BrokenBarrierError,
    Condition,
    Event,
    Lock,
    RLock,
    Semaphore,
)

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")

semaphores = pytest.mark.parametrize("semtype", [Semaphore, BoundedSemaphore])


class Raised(Exception):
    pass


def fail():
    raise Raised


class DuckLock:
    """A lock that cannot say whose it is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acquire = self.lock.acquire
        self.release = self.lock.release


class SubRLock(RLock):
    """An RLock of another type, which Condition asks through its methods."""


LOCKS = [Lock, RLock, SubRLock, threading.Lock, threading.RLock, DuckLock]
any_lock = pytest.mark.parametrize("locktype", LOCKS)
# threading.RLock runs no handlers while it is taken back.
interruptible_lock = pytest.mark.parametrize(
    "locktype", [lock for lock in LOCKS if lock is not threading.RLock]
)


def once_waiting(cond, action):
    """Run `action` in a thread once the main thread waits for the condition."""

    def main(i):
        wait_until(lambda: len(cond._waiters) == 1)
        wait_until_asleep(os.getpid())
        return action()

    return start_threads(1, main)


# Condition


@any_lock
@pytest.mark.parametrize("timeout", [None, 60])
def test_condition_holds_its_lock_after_an_exception(locktype, timeout):
    cond = Condition(locktype())
    with handling(fail) as handler:
        striking = once_waiting(cond, handler.strike)
        cond.acquire()
        with pytest.raises(Raised):
            cond.wait(timeout)
        assert cond._is_owned()
        assert start_threads(1, lambda i: cond.acquire(False)).join() == [False]
        assert len(cond._waiters) == 0
        cond.release()
        striking.join()
    assert cond.acquire(False)


@pytest.mark.parametrize("locktype", [RLock, SubRLock, threading.RLock])
def test_condition_restores_the_recursion_count_after_an_exception(locktype):
    lock = locktype()
    cond = Condition(lock)
    with handling(fail) as handler:
        striking = once_waiting(cond, handler.strike)
        with lock, lock, cond:
            with pytest.raises(Raised):
                cond.wait()
            assert lock._recursion_count() == 3
        striking.join()
    assert not lock._is_owned()


@interruptible_lock
def test_exceptions_while_the_lock_is_taken_back(locktype):  # gh-118433
    # Another thread has the lock all the while, and nobody but that one releases it.
    lock = locktype()
    cond = Condition(lock)
    released = []

    def number():
        raise Raised(handler.begun)

    def hold():
        lock.acquire()
        cond.notify()
        for _ in range(3):
            wait_until_asleep(os.getpid())  # it wants the lock, which we have
            handler.strike()
        wait_until_asleep(os.getpid())
        released.append(True)
        lock.release()

    with handling(number) as handler:
        holding = once_waiting(cond, hold)
        lock.acquire()
        with pytest.raises(Raised) as raised:
            cond.wait(60)
        assert released == [True]
        assert cond._is_owned()
        lock.release()
        holding.join()
    assert raised.value.args == (1,)
    assert handler.begun == 3
    assert lock.acquire(False)


@interruptible_lock
def test_a_notification_that_came_before_the_exception_is_passed_on(locktype):
    cond = Condition(locktype())
    bystanders = []

    def wait(i):
        with cond:
            return cond.wait()

    def notify():
        bystanders.append(start_threads(1, wait))
        wait_until(lambda: len(cond._waiters) == 2)
        cond.acquire()
        cond.notify()  # the main thread's turn
        assert len(cond._waiters) == 1
        wait_until_asleep(os.getpid())
        handler.strike()
        cond.release()

    with handling(fail) as handler:
        notifying = once_waiting(cond, notify)
        cond.acquire()
        with pytest.raises(Raised):
            cond.wait()
        cond.release()
        notifying.join()
    assert bystanders[0].join() == [True]


@pytest.mark.parametrize("locktype", [RLock, SubRLock, threading.RLock])
@pytest.mark.parametrize("times", [1, 2])
def test_a_handler_may_notify_the_wait_that_it_interrupts(locktype, times):
    cond = Condition(locktype())

    def notify():
        with cond:
            for _ in range(times):
                cond.notify()

    with handling(notify) as handler:
        striking = once_waiting(cond, handler.strike)
        with cond:
            assert cond.wait(60) is True
        striking.join()
    assert len(cond._waiters) == 0


def test_a_notification_and_an_exception_of_one_handler():
    # Who raises does not use the notification: it goes to the next who waits.
    cond = Condition()

    def notify_and_raise():
        with cond:
            cond.notify()
        raise Raised

    def interrupt():
        bystander = start_asleep(1, wait)
        handler.strike()
        return bystander.join()

    def wait(i):
        with cond:
            return cond.wait(60)

    with handling(notify_and_raise) as handler:
        striking = once_waiting(cond, interrupt)
        with cond, pytest.raises(Raised):
            cond.wait(60)
        assert striking.join() == [[True]]


def test_handlers_that_raise_in_notify():  # gh-92530
    # Wherever they strike, later calls work, and nobody who waits is forgotten.
    cond = Condition()
    stop = []

    def wait(i):
        told = 0
        with cond:
            while not stop:
                told += cond.wait(60)
        return told

    armed = False

    def fail_if_armed():
        nonlocal armed
        if armed:
            armed = False
            raise Raised

    waiting = start_threads(2, wait)
    raised = notified = 0
    with alarms(fail_if_armed):
        while raised < 100:
            try:
                armed = True
                with cond:
                    cond.notify()
                armed = False
                notified += 1
            except Raised:
                raised += 1
            while cond._is_owned():  # an exception came between __enter__ and the block
                cond.release()
    stop.append(True)
    with cond:
        cond.notify_all()
    waiting.join()
    assert len(cond._waiters) == 0
    assert notified > 0


def test_a_handler_keeps_the_rlock_that_wait_takes_back():
    lock = RLock()
    cond = Condition(lock)
    inside = []

    def hold():
        with lock:
            cond.notify()
            wait_until_asleep(os.getpid())
            threading.Thread(target=handler.strike).start()
            wait_until(lambda: inside)
            wait_until_asleep(os.getpid())

    def take():
        inside.append(1)
        lock.acquire()

    with handling(take) as handler:
        holding = once_waiting(cond, hold)
        with cond:
            assert cond.wait(60) is True
            assert lock._recursion_count() == 2
            lock.release()
        holding.join()
    assert not lock._is_owned()


# Semaphore


@semaphores
@pytest.mark.parametrize("timeout", [None, 60])
def test_an_exception_takes_no_permit(semtype, timeout):
    semaphore = semtype()
    semaphore.acquire()
    with handling(fail) as handler:
        striking = once_main_sleeps(handler.strike)
        with pytest.raises(Raised):
            semaphore.acquire(timeout=timeout)
        striking.join()
    assert semaphore._value == 0
    semaphore.release()
    assert semaphore._value == 1


@semaphores
def test_a_permit_goes_past_who_raises(semtype):
    # It comes while the first in the queue is on its way out.
    semaphore = semtype()
    semaphore.acquire()

    def release_and_raise():
        semaphore.release()
        raise Raised

    def interrupt():
        bystander = start_asleep(1, lambda i: semaphore.acquire(timeout=60))
        handler.strike()
        return bystander.join()

    with handling(release_and_raise) as handler:
        striking = once_main_sleeps(interrupt)
        with pytest.raises(Raised):
            semaphore.acquire()
        assert striking.join() == [[True]]
    assert semaphore._value == 0


def test_permits_and_exceptions_at_the_same_moment():
    # A signal and a permit race for the same waiter again and again; both sides are counted.
    semaphore = Semaphore(0)
    rounds = 300
    raised = []

    def release_and_raise():
        nonlocal armed
        if armed:
            armed = False
            # The permit that this gives is not for acquire(), which is about to raise.
            semaphore.release()
            raised.append(True)
            raise Raised

    def release(i):
        for n in range(rounds):
            wait_until(lambda n=n: len(raised) > n, what=f"signal {n} has been handled")
            semaphore.release()

    releasing = start_threads(1, release)
    attempts = []
    armed = False

    with alarms(release_and_raise):
        while len(raised) < rounds:
            try:
                armed = True
                # No handler can run between acquire() and the list: all is C.
                attempts.extend(map(semaphore.acquire, [True], [60]))
                armed = False
            except Raised:
                pass
    releasing.join()
    assert semaphore._value + len(attempts) == len(raised) + rounds


def test_release_in_a_handler_that_waits_for_it():
    semaphore = Semaphore(0)
    with handling(semaphore.release) as handler:
        striking = once_main_sleeps(handler.strike)
        assert semaphore.acquire(timeout=60) is True
        striking.join()
    assert semaphore._value == 0


@semaphores
def test_release_in_a_handler_that_interrupts_release(semtype):
    # threading's semaphore locks itself out here.
    semaphore = semtype(10**6)
    for _ in range(10**4):
        semaphore.acquire()
    before, handled = semaphore._value, []

    def release():
        semaphore.release()
        handled.append(1)

    waiting = start_threads(2, lambda i: [semaphore.acquire() for _ in range(100)])
    with alarms(release):
        while len(handled) < 200:
            semaphore.release()
            assert semaphore.acquire(False), "a permit is lost"
    waiting.join()
    assert semaphore._value == before + len(handled) - 200


# Event


def test_event_after_an_exception():
    event = Event()
    with handling(fail) as handler:
        striking = once_main_sleeps(handler.strike)
        with pytest.raises(Raised):
            event.wait()
        striking.join()
    assert not event.is_set()
    waiting = start_asleep(2, lambda i: event.wait(60))
    event.set()
    assert waiting.join() == [True] * 2


def test_set_in_a_handler_ends_the_wait_that_it_interrupts():
    event = Event()

    def set_and_clear():
        event.set()
        event.clear()

    with handling(set_and_clear) as handler:
        striking = once_main_sleeps(handler.strike)
        assert event.wait(60) is True
        striking.join()
    assert not event.is_set()


def test_set_in_a_handler_that_interrupts_set():
    # threading's event locks itself out here.
    event = Event()
    handled = []

    def set_and_clear():
        event.set()
        event.clear()
        handled.append(1)

    with alarms(set_and_clear):
        running = start_threads(2, lambda i: [event.wait(60) for _ in range(200)])
        while running.finished != 2 or len(handled) < 100:
            event.set()
            event.clear()
    assert all(all(results) for results in running.join())


# Barrier


def test_who_leaves_a_barrier_by_an_exception_breaks_nothing():
    barrier = Barrier(3)

    def interrupt():
        second = start_asleep(1, lambda i: barrier.wait(60))
        handler.strike()
        wait_until(lambda: barrier.n_waiting == 1)
        rest = start_threads(2, lambda i: barrier.wait(60))
        return second.join() + rest.join()

    with handling(fail) as handler:
        striking = once_main_sleeps(interrupt)
        with pytest.raises(Raised):
            barrier.wait()
        # Everybody has another number, though the first to come has gone.
        assert sorted(striking.join()[0]) == [0, 1, 2]
    assert not barrier.broken


@pytest.mark.parametrize("method", ["abort", "reset"])
def test_a_handler_breaks_the_barrier_that_it_interrupts(method):
    barrier = Barrier(2)
    with handling(getattr(barrier, method)) as handler:
        striking = once_main_sleeps(handler.strike)
        with pytest.raises(BrokenBarrierError):
            barrier.wait(60)
        striking.join()
    assert barrier.broken == (method == "abort")
    assert barrier.n_waiting == 0


def test_a_handler_crosses_the_barrier_that_it_interrupts():
    barrier = Barrier(2)
    numbers = []
    with handling(lambda: numbers.append(barrier.wait(60))) as handler:
        striking = once_main_sleeps(handler.strike)
        numbers.append(barrier.wait(60))
        striking.join()
    assert sorted(numbers) == [0, 1]
