"""Semaphore, Event and the signals that reach the main thread in them.

Two questions: what is left of a wait that a handler's exception ends, and whether a handler may
call the very thing that it interrupts. test_signals.py asks them of the locks,
test_interrupted_condition.py of Condition, test_interrupted_barrier.py of Barrier.
"""

import pytest

from ftthreading import BoundedSemaphore, Event, Semaphore
from tests.support import alarms, handling, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep
from tests.support.interrupting import Raised, fail

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")

semaphores = pytest.mark.parametrize("semtype", [Semaphore, BoundedSemaphore])


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
