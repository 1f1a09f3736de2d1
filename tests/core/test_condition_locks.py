"""Condition and its lock: any object will do, and its own methods are called."""

import threading

import pytest

from ftthreading import Condition, Lock, RLock
from tests.support import run_threads
from tests.support.comparing import outcome
from tests.support.conditions import DuckLock, Waiter


class OwnRestore(RLock):
    """An RLock with an _acquire_restore of its own, which has to be called."""

    restored = 0

    def _acquire_restore(self, state):
        self.restored += 1
        super()._acquire_restore(state)


LOCKS = [
    Lock,
    RLock,
    OwnRestore,
    DuckLock,
    threading.Lock,
    threading.RLock,
    vars(threading)["_PyRLock"],
]


@pytest.mark.parametrize("locktype", LOCKS)
def test_wait_and_notify_with_any_lock(locktype):
    lock = locktype()
    cond = Condition(lock)
    waiter = Waiter(cond)
    cond.acquire()
    cond.notify()
    assert waiter.running.finished == 0
    cond.release()
    assert waiter.result() is True
    cond.acquire()
    assert cond.wait(0.001) is False
    assert cond.wait(0) is False
    assert cond.wait(-1) is False
    assert cond._is_owned()
    cond.release()
    assert len(cond._waiters) == 0


def test_a_lock_need_be_no_context_manager():
    cond = Condition(DuckLock())
    with cond as entered:
        assert entered is True
        assert not cond._lock.acquire(False)
    assert cond._lock.acquire(False)


def test_acquire_restore_of_a_subclass_is_called():
    lock = OwnRestore()
    cond = Condition(lock)
    with cond:
        cond.wait(0.001)
    assert lock.restored == 1


class Logged(Condition):
    """A condition with a way of its own to let go of the lock."""

    def __init__(self, lock):
        super().__init__(lock)
        self.calls = []

    def _release_save(self):
        self.calls.append("release")
        return super()._release_save()

    def _acquire_restore(self, x):
        self.calls.append("acquire")
        super()._acquire_restore(x)


@pytest.mark.parametrize("locktype", [Lock, DuckLock])
def test_methods_overridden_in_a_subclass_of_condition_are_called(locktype):
    cond = Logged(locktype())
    with cond:
        cond.wait(0)
    assert cond.calls == ["release", "acquire"]
    waiter = Waiter(cond)
    with cond:
        cond.notify()
    assert waiter.result() is True
    assert cond.calls == ["release", "acquire"] * 2


def test_overridden_methods_are_called_by_others():  # as in threading
    class Counted(Condition):
        waits = notifies = 0

        def wait(self, timeout=None):
            self.waits += 1
            return super().wait(timeout)

        def notify(self, n=1):
            self.notifies += 1
            super().notify(n)

    cond = Counted()
    with cond:
        assert cond.wait_for(bool, 0.001) is False
        cond.notify_all()
    assert (cond.waits, cond.notifies) == (1, 1)
    waiters = [Waiter(cond) for _ in range(3)]
    with cond:
        cond.notify_all()
    assert [w.result() for w in waiters] == [True] * 3


def test_an_rlock_s_own_methods_come_before_a_subclass_s():  # as in threading
    cond = Logged(RLock())
    with cond:
        cond.wait(0)
    assert cond.calls == []


def test_wait_frees_an_rlock_wholly_and_restores_its_depth():
    lock = RLock()
    cond = Condition(lock)
    with lock, lock, cond:
        assert cond.wait(0.001) is False
        assert lock._recursion_count() == 3
    assert not lock._is_owned()


def test_a_condition_is_true_to_its_lock():
    lock = Lock()
    cond = Condition(lock)
    assert cond._lock is lock
    assert cond.acquire() is True
    assert lock.locked()
    assert repr(cond) == f"<Condition({lock}, 0)>"
    cond.release()
    assert cond.locked() is False  # as threading's from 3.14 on


def test_no_transient_acquire_when_asked_who_owns_a_plain_lock():
    lock = Lock()
    cond = Condition(lock)
    for result in run_threads(4, lambda i: [cond._is_owned() for _ in range(500)]):
        assert result == [False] * 500
    with lock:
        assert cond._is_owned()


@pytest.mark.parametrize("lock", [5, "lock", object(), [], 0])
def test_bad_locks(lock):
    expected = outcome(threading.Condition, lock)
    assert expected[0] is AttributeError
    assert outcome(Condition, lock)[0] is AttributeError
