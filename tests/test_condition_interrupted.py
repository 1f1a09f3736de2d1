"""Condition, interrupted: wait() ends with the lock held and no notification lost."""

import sys
import threading

import pytest
from interruptions import Interruption, at_every_place
from support import handling, start_threads, wait_until
from test_condition import NATIVE_LOCKS, Waiter, hold

from ftthreading import Condition, Lock, RLock
from ftthreading._steps import in_one_step

SIGNALS = pytest.mark.thread_unsafe(reason="signal handlers are of the whole process")
MONITORS = pytest.mark.thread_unsafe(reason="interrupts by sys.monitoring, of the whole process")


@MONITORS
@pytest.mark.parametrize("depth", [1, 3])
def test_interrupted_rlock_wait_holds_the_lock(depth):
    def scenario(interrupter):
        lock = RLock()
        cond = Condition(lock)
        hold(lock, depth)
        try:
            with interrupter.here():
                assert cond.wait(0.001) is False
        except Interruption:
            pass
        assert lock._recursion_count() == depth
        assert not cond._waiters

    at_every_place(scenario, at_least=15)


@MONITORS
def test_interrupted_lock_wait_holds_the_lock():
    def scenario(interrupter):
        lock = Lock()
        cond = Condition(lock)
        lock.acquire()
        try:
            with interrupter.here():
                assert cond.wait(0.001) is False
        except Interruption:
            pass
        # Held, and not by another thread: there is none.
        assert lock.locked()
        assert not cond._waiters

    at_every_place(scenario, at_least=15)


@MONITORS
@pytest.mark.parametrize("locktype", NATIVE_LOCKS)
def test_interrupted_waiter_passes_its_notification_on(locktype):
    def scenario(interrupter):
        cond = Condition(locktype())

        def be_interrupted(_):
            cond.acquire()
            try:
                with interrupter.here():
                    return cond.wait()
            except Interruption:
                return None
            finally:
                cond.release()

        victim = start_threads(1, be_interrupted)
        wait_until(lambda: len(cond._waiters) == 1 or victim.finished)
        bystander = Waiter(cond)
        with cond:
            cond.notify(1)
        if victim.join()[0]:
            # It got the notification, and nobody else did.
            assert len(cond._waiters) == 1
            assert bystander.running.finished == 0
            with cond:
                cond.notify()
        assert bystander.result() is True
        assert not cond._waiters
        assert cond.acquire(False)

    at_every_place(scenario, at_least=10)


@MONITORS
def test_interrupted_timeout_makes_no_notification_up():
    def scenario(interrupter):
        cond = Condition()
        bystander = Waiter(cond)
        with cond:
            try:
                with interrupter.here():
                    assert cond.wait(0.001) is False
            except Interruption:
                pass
            assert len(cond._waiters) == 1
            cond.notify()
        assert bystander.result() is True

    at_every_place(scenario, at_least=15)


@MONITORS
def test_interrupted_notify_loses_nobody():
    def scenario(interrupter):
        cond = Condition()
        waiters = [Waiter(cond) for _ in range(3)]
        with cond:
            try:
                with interrupter.here():
                    cond.notify(2)
            except Interruption:
                pass
            woken = 3 - len(cond._waiters)
            assert woken in (0, 2)
            assert woken == 2 or interrupter.where
        wait_until(lambda: sum(w.running.finished for w in waiters) == woken)
        with cond:
            cond.notify_all()
        assert [w.result() for w in waiters] == [True] * 3

    at_every_place(scenario, at_least=4)


class Raised(Exception):
    pass


def raise_it():
    raise Raised


@SIGNALS
@pytest.mark.parametrize("locktype", NATIVE_LOCKS)
def test_a_handler_that_raises_in_the_wait(locktype):
    cond = Condition(locktype())

    def interrupt(_):
        wait_until(lambda: len(cond._waiters) == 1 and cond.acquire(False))
        cond.release()
        handler.strike()

    with handling(raise_it) as handler:
        cond.acquire()
        running = start_threads(1, interrupt)
        with pytest.raises(Raised):
            cond.wait(60)
        assert cond._is_owned()
        assert not cond._waiters
        cond.release()
        running.join()


@SIGNALS
@pytest.mark.parametrize("locktype", NATIVE_LOCKS)
def test_a_handler_that_raises_while_the_lock_is_taken_back(locktype):  # gh-118433
    lock = locktype()
    cond = Condition(lock)
    released_by_owner = []
    main = threading.get_ident()

    def raise_number():
        raise Raised(handler.begun)

    def takes_it_back(turn):
        # An RLock goes on by itself. For a Lock, wait() tries again, which is the turn we look
        # for: an exception before it has got there would be the one too many that only C stops.
        frame = sys._current_frames()[main]
        caller = frame.f_back
        if frame.f_code is not in_one_step.__code__:
            return False
        if locktype is RLock or turn == 0:
            return caller.f_code is Condition.wait.__code__ and len(cond._waiters) == 0
        return caller.f_code is Condition._restore.__code__ and caller.f_locals["turn"] == turn - 1

    def hold_it(_):
        wait_until(lambda: len(cond._waiters) == 1 and lock.acquire(False))
        cond.notify()
        for turn in range(3):  # the waiter now wants the lock, which we have
            wait_until(lambda turn=turn: takes_it_back(turn))
            handler.strike()
        released_by_owner.append(True)
        lock.release()  # fails if somebody else has released it

    with handling(raise_number) as handler:
        lock.acquire()
        running = start_threads(1, hold_it)
        with pytest.raises(Raised) as caught:
            cond.wait(60)
        assert released_by_owner
        assert cond._is_owned()
        lock.release()
        running.join()
    assert caught.value.args == (1,)
    assert handler.begun == 3


@SIGNALS
def test_a_handler_may_notify_the_wait_it_interrupts():
    cond = Condition()

    def notify_twice():
        with cond:
            cond.notify()
            cond.notify()

    def interrupt(_):
        wait_until(lambda: len(cond._waiters) == 1 and cond.acquire(False))
        cond.release()
        handler.strike()

    with handling(notify_twice) as handler:
        running = start_threads(1, interrupt)
        with cond:
            assert cond.wait(60) is True
        running.join()
