"""Barrier and the signals that reach the main thread in it (see test_interrupted.py)."""

import time

import pytest

from ftthreading import Barrier, BrokenBarrierError, Lock
from tests.support import handling, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep
from tests.support.interrupting import Raised, fail

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")


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


class InTheAction:
    """A crossing of two is in its action until told; so many handlers are to run meanwhile."""

    def __init__(self, handler, strikes=1):
        self.actions = []
        self.gate = Lock()
        self.gate.acquire()
        self.barrier = Barrier(2, self._action)
        self._handler = handler
        self._strikes = strikes

    def _action(self):
        self.actions.append(len(self.actions))
        self.gate.acquire(timeout=60)
        self.gate.release()

    def cross_and_strike(self, after=0):
        """Come, and strike the main thread in the action, `after` so many seconds."""
        crossing = start_threads(1, lambda _: cross(self.barrier))
        self.strike(after)
        return crossing.join()

    def strike(self, after=0):
        try:
            wait_until(lambda: self.actions or self.barrier.broken, what="the action has begun")
            until = time.monotonic() + after
            wait_until(lambda: time.monotonic() > until)
            for _ in range(0 if self.barrier.broken else self._strikes):
                self._handler.strike()
        finally:
            self.gate.release()


def cross(barrier, timeout=60):
    try:
        return barrier.wait(timeout)
    except BrokenBarrierError:
        return "broken"


def test_handlers_run_in_a_wait_whose_time_is_over_in_the_action():
    handled = []
    for timeout in (0.05, 0.5, 5):
        with handling(lambda: handled.append(1)) as handler:
            crossing = InTheAction(handler, strikes=3)
            striking = once_main_sleeps(lambda: crossing.cross_and_strike(1.5 * timeout))
            number = cross(crossing.barrier, timeout)
            others = striking.join()[0]
        if number == "broken":  # the other came too late: the machine is slow
            continue
        assert (number, others, len(handled)) == (0, [1], 3)
        assert not crossing.barrier.broken
        return
    pytest.fail("the other thread could not even call wait() within 5 seconds")


def test_an_exception_in_the_action_ends_only_the_wait_that_it_interrupts():
    for timeout in (0.05, 0.5, 5):
        with handling(fail) as handler:
            crossing = InTheAction(handler)
            striking = once_main_sleeps(lambda: crossing.cross_and_strike(1.5 * timeout))
            try:
                number = cross(crossing.barrier, timeout)
            except Raised:
                number = "raised"
            others = striking.join()[0]
        if number == "broken":
            continue
        assert (number, others) == ("raised", [1])
        assert not crossing.barrier.broken
        return
    pytest.fail("the other thread could not even call wait() within 5 seconds")


def test_another_leads_when_the_last_leaves_before_its_turn():
    with handling(fail) as handler:
        crossing = InTheAction(handler)
        first = start_threads(2, lambda _: cross(crossing.barrier))
        wait_until(lambda: crossing.actions, what="the first action runs")
        second = start_asleep(1, lambda _: cross(crossing.barrier))
        striking = once_main_sleeps(crossing.strike)
        with pytest.raises(Raised):
            crossing.barrier.wait(60)  # complete: the turn of the second is next
        striking.join()
    assert sorted(first.join()) == [0, 1]
    assert second.join() == [1]
    assert crossing.actions == [0, 1]
    assert not crossing.barrier.broken


def test_a_turn_goes_by_if_all_have_left_before_it():
    with handling(fail) as handler:
        crossing = InTheAction(handler)
        crossing.barrier = Barrier(1, crossing._action)
        first = start_threads(1, lambda _: cross(crossing.barrier))
        wait_until(lambda: crossing.actions, what="the first action runs")
        striking = once_main_sleeps(crossing.strike)
        with pytest.raises(Raised):
            crossing.barrier.wait(60)
        striking.join()
    assert first.join() == [0]
    assert crossing.actions == [0]
    assert crossing.barrier.wait() == 0
    assert crossing.actions == [0, 1]
