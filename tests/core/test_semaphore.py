"""Semaphore and BoundedSemaphore: no permit is lost, none is made up."""

import copy
import gc
import pickle
import threading
import weakref

import pytest

import ftthreading
from ftthreading import BoundedSemaphore, Semaphore
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep
from tests.support.comparing import outcome

BOTH = pytest.mark.parametrize("semtype", [Semaphore, BoundedSemaphore])


def emptied(semtype, value=3):
    """A semaphore without permits, which may get `value`."""
    semaphore = semtype(value)
    for _ in range(value):
        assert semaphore.acquire(False)
    return semaphore


def start_waiters(semaphore, count, timeout=None):
    """Threads that sleep in acquire()."""
    return start_asleep(count, lambda i: semaphore.acquire(timeout=timeout))


@BOTH
def test_counting(semtype):
    semaphore = semtype(2)
    assert semaphore._value == 2
    assert semaphore.acquire() is True
    assert semaphore.acquire(True, 0.001) is True
    assert semaphore.acquire(False) is False
    assert semaphore.acquire(timeout=0) is False
    assert semaphore.acquire(timeout=-1) is False
    assert semaphore.acquire(timeout=0.001) is False
    assert semaphore.release() is None
    assert semaphore._value == 1
    with semaphore as entered:
        assert entered is True
        assert semaphore._value == 0
    assert semaphore._value == 1


def test_bound():
    semaphore = BoundedSemaphore(2)
    for n in (1, 2):
        with pytest.raises(ValueError, match="Semaphore released too many times"):
            semaphore.release(n)
        assert semaphore._value == 2
    semaphore.acquire()
    with pytest.raises(ValueError, match="Semaphore released too many times"):
        semaphore.release(2)
    assert semaphore._value == 1
    with pytest.raises(ValueError, match="Semaphore released too many times"):
        semaphore.release(10**30)
    semaphore.release()
    assert semaphore._initial_value == semaphore._value == 2
    Semaphore(0).release(5)


@BOTH
def test_release_wakes_as_many(semtype):
    semaphore = emptied(semtype, 5)
    running = start_waiters(semaphore, 4)
    semaphore.release(2)
    wait_until(lambda: running.finished == 2)
    assert semaphore._value == 0
    semaphore.release(3)
    assert running.join() == [True] * 4
    assert semaphore._value == 1


@BOTH
def test_more_waiters_than_permits(semtype):
    # Each release() lets in exactly as many as it gives permits, none too few, none too many.
    semaphore = emptied(semtype, 8)
    running = start_waiters(semaphore, 6)
    for n, finished in ((1, 1), (2, 3), (1, 4)):
        semaphore.release(n)
        wait_until(lambda finished=finished: running.finished == finished)
        assert semaphore._value == 0
    assert semaphore.acquire(False) is False
    semaphore.release(4)
    assert running.join() == [True] * 6
    assert semaphore._value == 2


@BOTH
def test_bound_with_waiters(semtype):
    # Whether the limit is kept does not depend on the path that release() takes.
    semaphore = emptied(semtype, 2)
    running = start_waiters(semaphore, 1)
    if semtype is BoundedSemaphore:
        with pytest.raises(ValueError, match="Semaphore released too many times"):
            semaphore.release(3)
        assert semaphore._value == 0
        assert running.finished == 0
    semaphore.release(2)
    assert running.join() == [True]
    assert semaphore._value == 1


@BOTH
def test_no_permit_is_lost_to_a_timeout(semtype):
    # Waiters give up all the time while permits come: who counts on both sides is equal.
    semaphore = emptied(semtype, 10**6)
    rounds, done = 3000, []

    def take(i):
        taken = 0
        while not done or semaphore._value:
            taken += semaphore.acquire(timeout=0.00002 * (1 + i))
        return taken

    taking = start_threads(4, take)
    for _ in range(rounds):
        semaphore.release()
    done.append(True)
    assert sum(taking.join()) == rounds
    assert semaphore._value == 0


@BOTH
def test_permits_are_conserved(semtype):
    permits = 3
    semaphore = semtype(permits)
    holders = []
    most = [0]

    def work(i):
        taken = 0
        for n in range(400):
            blocking = n % 3 != 0
            if semaphore.acquire(blocking, 0.0005 * (n % 5) if blocking and n % 2 else None):
                holders.append(i)
                most[0] = max(most[0], len(holders))
                taken += 1
                holders.pop()
                semaphore.release()
        return taken

    assert sum(run_threads(8, work)) > 0
    assert most[0] <= permits
    assert semaphore._value == permits


BAD_CALLS = [
    ("acquire", (False, 1), {}),
    ("acquire", (False, 0), {}),
    ("acquire", (True, "1"), {}),
    ("acquire", (True, 1e300), {}),
    ("acquire", (1, 2, 3), {}),
    ("acquire", (), {"wait": True}),
    ("release", (0,), {}),
    ("release", (-1,), {}),
    ("release", ("1",), {}),
    ("release", (None,), {}),
    ("release", (1, 2), {}),
]


@pytest.mark.parametrize(("method", "args", "kwargs"), BAD_CALLS)
@pytest.mark.parametrize("name", ["Semaphore", "BoundedSemaphore"])
@pytest.mark.parametrize("value", [0, 1])
def test_bad_calls_end_as_threadings(name, value, method, args, kwargs):
    results = []
    for module in (threading, ftthreading):
        semaphore = getattr(module, name)(1)
        if not value:
            semaphore.acquire()
        results.append((outcome(getattr(semaphore, method), *args, **kwargs), semaphore._value))
    assert results[0] == results[1]


def test_permits_are_counted_in_a_machine_word():  # threading's may be any number
    semaphore = Semaphore(2**60)
    with pytest.raises(OverflowError, match="too many permits"):
        semaphore.release(10**30)
    with pytest.raises(OverflowError, match="too many permits"):
        semaphore.release(2**61 - 2**60)
    assert semaphore._value == 2**60
    for semtype in (Semaphore, BoundedSemaphore):
        with pytest.raises(OverflowError, match="too many permits"):
            semtype(10**30)


@pytest.mark.parametrize("number", [0.5, -0.5])
def test_permits_are_whole(number):  # threading takes 0.5 permits as none
    with pytest.raises(TypeError):
        Semaphore(number)
    with pytest.raises(TypeError):
        Semaphore().release(number)


def test_nan_seconds_are_over():
    # threading's semaphore tries again and again, for ever.
    assert emptied(Semaphore).acquire(timeout=float("nan")) is False


@pytest.mark.parametrize("value", [-1, "1", None, []])
@pytest.mark.parametrize("name", ["Semaphore", "BoundedSemaphore"])
def test_bad_values(name, value):
    assert outcome(getattr(threading, name), value) == outcome(getattr(ftthreading, name), value)


@BOTH
def test_copies_weak_references_subclasses(semtype):
    semaphore = semtype(2)
    for make in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="cannot pickle"):
            make(semaphore)
    assert weakref.ref(semaphore)() is semaphore
    semaphore.extra = 1
    assert vars(semaphore) == {"extra": 1}

    class Counting(semtype):
        released = 0

        def release(self, n=1):
            self.released += 1
            super().release(n)

    counting = Counting()
    with counting:
        pass
    assert counting.released == 1
    assert f"{__name__}.test_copies" in repr(counting)


@BOTH
def test_init_that_was_not_called(semtype):
    class Forgetful(semtype):
        def __init__(self):
            pass

    semaphore = Forgetful()
    for call in (semaphore.acquire, semaphore.release, semaphore.__enter__):
        with pytest.raises(AttributeError, match="_cond"):
            call()


@BOTH
def test_nothing_keeps_a_semaphore(semtype):
    semaphore = semtype(1)
    with semaphore:
        semaphore.acquire(timeout=0.001)
    semaphore.cycle = semaphore
    gone = weakref.ref(semaphore)
    del semaphore
    gc.collect()
    assert gone() is None
