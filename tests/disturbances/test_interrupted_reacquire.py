"""Condition: who wants the lock back after a wait, and is interrupted.

A lock that can say that it is not ours is asked for again; one that cannot is asked once, as under
threading. And nobody is kept for ever by a holder that never lets go: the second KeyboardInterrupt
ends the wait.
"""

import os
import signal
import threading

import pytest

from ftthreading import Condition, Lock, RLock
from tests.support import handling, start_threads, wait_until
from tests.support.asleep import wait_until_asleep
from tests.support.interrupting import PlainLock, Raised, SubRLock, fail, once_waiting

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")


class Interrupt(KeyboardInterrupt):
    pass


def raising(exceptions):
    """A handler that raises these in turn."""
    left = list(exceptions)

    def handle():
        raise left.pop(0)

    return handle


def keep(cond, handler, times, ended):
    """Notify the main thread, and strike it so often while we have the lock; release it at last."""
    cond.acquire()
    try:
        cond.notify()
        for _ in range(times):
            wait_until_asleep(os.getpid())
            handler.strike()
        wait_until(lambda: ended)
    finally:
        cond.release()


def wait_in_vain(cond, exceptions, wait):
    """Call `wait()` while another thread keeps the lock and these are raised; what it raises."""
    ended = []
    with handling(raising(exceptions)) as handler:
        holding = once_waiting(cond, lambda: keep(cond, handler, len(exceptions), ended))
        with pytest.raises((KeyboardInterrupt, RuntimeError)) as raised:
            wait()
        assert start_threads(1, lambda i: cond.acquire(False)).join() == [False]  # the other has it
        ended.append(True)
        holding.join()
    assert len(cond._waiters) == 0
    assert cond.acquire(False)  # once: nothing is left of the first time
    cond.release()
    assert start_threads(1, lambda i: cond.acquire(False)).join() == [True]
    return raised.value


def hold_and_wait(cond):
    cond.acquire()
    cond.wait(60)


def wait_in_block(cond):
    with cond:
        cond.wait(60)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Interrupt])
@pytest.mark.parametrize("others", [[], [Raised()]], ids=["", "among-others"])
@pytest.mark.parametrize(
    ("kind_of_condition", "locktype"),
    [
        (Condition, Lock),
        (Condition, RLock),
        (Condition, SubRLock),
        (Condition, vars(threading)["_PyRLock"]),
        (threading.Condition, RLock),
    ],
)
def test_a_second_keyboard_interrupt_ends_a_wait_for_the_lock(
    kind_of_condition, locktype, others, kind
):
    # The holder never lets go, so that otherwise nobody could end the program from a keyboard.
    cond = kind_of_condition(locktype())
    second = kind("second")
    exceptions = [*others, kind("first"), *others, second]
    assert wait_in_vain(cond, exceptions, lambda: hold_and_wait(cond)) is second


@pytest.mark.parametrize("locktype", [RLock, SubRLock])
def test_with_finds_that_the_lock_is_lost(locktype):  # as under threading
    cond = Condition(locktype())
    second = KeyboardInterrupt()
    raised = wait_in_vain(cond, [KeyboardInterrupt(), second], lambda: wait_in_block(cond))
    assert type(raised) is RuntimeError
    assert raised.__context__ is second


@pytest.mark.parametrize("locktype", [threading.Lock, PlainLock])
def test_a_lock_that_cannot_say_whose_it_is_is_asked_for_once(locktype):  # as under threading
    cond = Condition(locktype())
    only = KeyboardInterrupt()
    assert wait_in_vain(cond, [only], lambda: hold_and_wait(cond)) is only


@pytest.mark.parametrize("locktype", [Lock, RLock, SubRLock, vars(threading)["_PyRLock"]])
def test_an_interrupt_of_the_wait_is_not_one_of_the_wait_for_the_lock(locktype):
    lock = locktype()
    cond = Condition(lock)
    first = KeyboardInterrupt()

    def hold():
        lock.acquire()
        handler.strike()
        wait_until_asleep(os.getpid())
        handler.strike()
        wait_until_asleep(os.getpid())
        lock.release()

    with handling(raising([first, KeyboardInterrupt()])) as handler:
        holding = once_waiting(cond, hold)
        with pytest.raises(KeyboardInterrupt) as raised, cond:
            cond.wait(60)
        holding.join()
    assert raised.value is first
    assert handler.begun == 2
    assert lock.acquire(False)


def test_who_ends_without_the_lock_passes_its_notification_on():
    cond = Condition()
    bystanders = []

    def wait(i):
        with cond:
            return cond.wait(60)

    def hold():
        bystanders.append(start_threads(1, wait))
        wait_until(lambda: len(cond._waiters) == 2)
        keep(cond, handler, 2, ended)

    ended = []
    with handling(raising([KeyboardInterrupt(), KeyboardInterrupt()])) as handler:
        holding = once_waiting(cond, hold)
        cond.acquire()
        with pytest.raises(KeyboardInterrupt):
            cond.wait()
        ended.append(True)
        holding.join()
    assert bystanders[0].join() == [True]


class Counted:
    """A lock in Python, with the calls of _acquire_restore counted; the first ones raise."""

    def __init__(self, before=0, after=0):
        self.lock = threading.Lock()
        self.acquire, self.release = self.lock.acquire, self.lock.release
        self.before, self.after = before, after
        self.calls = 0

    def _release_save(self):
        self.lock.release()

    def _acquire_restore(self, state):
        self.calls += 1
        if self.calls <= self.before:
            signal.raise_signal(signal.SIGUSR1)
        if not self.lock.acquire(timeout=1):
            raise AssertionError("acquired twice")
        if self.calls <= self.after:
            signal.raise_signal(signal.SIGUSR1)


class CountedAndOwned(Counted):
    def _is_owned(self):
        return self.lock.locked()


@pytest.mark.parametrize(
    ("lock", "calls", "held"),
    [
        (Counted(after=1), 1, True),
        (Counted(before=1), 1, False),
        (CountedAndOwned(after=1), 1, True),
        (CountedAndOwned(before=3), 4, True),
        (CountedAndOwned(before=10**9), 10, False),
    ],
    ids=["unknown-after", "unknown-before", "after", "before", "dead"],
)
def test_a_foreign_lock_is_called_again_only_if_it_says_that_it_is_lost(lock, calls, held):
    cond = Condition(lock)
    with handling(fail) as handler:
        handler.asked = 10**9
        lock.acquire()
        with pytest.raises(Raised):
            cond.wait(0)
        handler.asked = handler.begun
    assert (lock.calls, lock.lock.locked()) == (calls, held)


def test_the_exceptions_of_a_foreign_lock_in_another_thread_are_its_own():
    class Dead(CountedAndOwned):
        def _acquire_restore(self, state):
            self.calls += 1
            raise Raised

    lock = Dead()
    cond = Condition(lock)

    def wait(i):
        lock.acquire()
        with pytest.raises(Raised):
            cond.wait(0)

    start_threads(1, wait).join()
    assert lock.calls == 1
