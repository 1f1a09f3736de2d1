"""Condition and the signals that reach the main thread in it.

After an exception wait() must leave the lock as it found it and no notification lost; and a
handler may call the very condition that it interrupts.
"""

import ctypes
import functools
import os
import signal
import threading

import pytest

from ftthreading import Condition, Lock, RLock
from tests.support import alarms, handling, start_threads, wait_until
from tests.support.asleep import start_asleep, wait_until_asleep
from tests.support.interrupting import PlainLock, Raised, SubRLock, fail, once_waiting

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")


LOCKS = [Lock, RLock, SubRLock, threading.Lock, threading.RLock, PlainLock]
any_lock = pytest.mark.parametrize("locktype", LOCKS)
# The others: threading.RLock runs no handlers while it is taken back, and two cannot say whose
# they are (test_interrupted_reacquire.py).
interruptible_lock = pytest.mark.parametrize(
    "locktype", [Lock, RLock, SubRLock, vars(threading)["_PyRLock"]]
)


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


class Pending:
    """A timeout that is not more than 0, at the comparison of which a signal arrives.

    It does so in C alone. Between two lines of Python its handler would run before wait() begins.
    """

    __gt__ = staticmethod(functools.partial(ctypes.CDLL(None)["raise"], signal.SIGUSR1))


@pytest.mark.parametrize("locktype", [RLock, SubRLock])
def test_a_handler_gives_the_rlock_away_as_wait_begins(locktype):
    lock = locktype()
    cond = Condition(lock)
    taken, done = threading.Event(), threading.Event()
    taking = []

    def take(i):
        with lock:  # its exit checks that it is still ours
            taken.set()
            done.wait()

    def give_away():
        lock.release()
        taking.append(start_threads(1, take))
        taken.wait()

    with handling(give_away) as handler:
        handler.asked = 1
        lock.acquire()
        with pytest.raises(RuntimeError, match="un-acquired lock"):
            cond.wait(Pending())
        assert len(taking) == 1
        assert not lock.acquire(False)
        done.set()
        taking[0].join()
    assert len(cond._waiters) == 0
    assert lock.acquire(False)


@pytest.mark.parametrize("locktype", [Lock, threading.Lock])
def test_a_handler_releases_the_lock_as_wait_begins(locktype):
    lock = locktype()
    cond = Condition(lock)
    with handling(lock.release) as handler:
        handler.asked = 1
        lock.acquire()
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            cond.wait(Pending())
    assert len(cond._waiters) == 0
    assert lock.acquire(False)
