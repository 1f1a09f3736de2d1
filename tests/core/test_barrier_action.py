"""Barrier and its action: one at a time, who waits for it, and calls from inside it."""

import _thread
import threading
import time

import pytest

import ftthreading
from ftthreading import Barrier
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import are_asleep, needs_proc, start_asleep
from tests.support.crossing import BROKEN, crosses, start_waiters, wait


def test_more_threads_than_parties():
    actions = []
    together = []

    def action():
        together.append(1)
        actions.append(len(together))
        together.pop()
        if len(actions) == 900:
            barrier.abort()

    def cross(i):
        while wait(barrier) != BROKEN:
            pass

    barrier = Barrier(2, action)
    run_threads(6, cross)
    assert len(actions) == 900
    assert set(actions) == {1}, "two actions at once"


class TwoCrossings:
    """A first crossing is in its action, and the parties of a second wait for theirs."""

    def __init__(self, module=ftthreading, timeout=None, count=2):
        self.actions = []
        self.together = 0
        self.fails = False
        self.gate = ftthreading.Lock()
        self.gate.acquire()
        self.barrier = module.Barrier(2, self._action)
        self.first = start_threads(2, lambda i: self._cross(None))
        wait_until(lambda: self.actions)
        needs_proc()
        self.ids = []
        self.second = start_threads(count, lambda i: self._wait(timeout))
        # On a busy machine one's time may be over before the other comes.
        wait_until(
            lambda: self.barrier.broken or (len(self.ids) == count and are_asleep(*self.ids))
        )

    def _wait(self, timeout):
        self.ids.append(_thread.get_native_id())
        return self._cross(timeout)

    def _cross(self, timeout):
        try:
            return wait(self.barrier, timeout)
        except ZeroDivisionError:
            return "failed"

    def _action(self):
        self.together += 1
        self.actions.append(len(self.actions))
        self.gate.acquire(timeout=60)
        self.gate.release()
        assert self.together == 1, "two actions at once"
        self.together -= 1
        if self.fails:
            raise ZeroDivisionError


def test_one_action_at_a_time():
    crossings = TwoCrossings()
    assert crossings.actions == [0]
    assert crossings.barrier.n_waiting == 2
    crossings.gate.release()
    assert sorted(crossings.first.join()) == sorted(crossings.second.join()) == [0, 1]
    assert crossings.actions == [0, 1]


def test_crossings_that_wait_for_their_actions_cross_in_turn():
    crossings = TwoCrossings()
    third = start_asleep(2, lambda i: wait(crossings.barrier))
    fourth = start_asleep(1, lambda i: wait(crossings.barrier))
    assert crossings.actions == [0]
    crossings.gate.release()
    for running in (crossings.first, crossings.second, third):
        assert sorted(running.join()) == [0, 1]
    assert crossings.actions == [0, 1, 2]
    assert crossings.barrier.n_waiting == 1
    assert wait(crossings.barrier) == 1
    assert fourth.join() == [0]


def test_no_action_starts_while_the_barrier_breaks():
    crossings = TwoCrossings()
    crossings.barrier.abort()
    assert crossings.second.join() == [BROKEN] * 2
    assert crossings.actions == [0]
    crossings.gate.release()
    assert crossings.first.join() == [BROKEN] * 2
    assert crossings.barrier.broken
    assert crossings.actions == [0]


def test_reset_during_an_action_breaks_all_and_the_next_action_waits_for_its_end():
    crossings = TwoCrossings()
    crossings.barrier.reset()
    assert crossings.second.join() == [BROKEN] * 2
    assert crossings.barrier.n_waiting == 0
    third = start_asleep(2, lambda i: wait(crossings.barrier))
    assert crossings.actions == [0]
    crossings.gate.release()
    assert crossings.first.join() == [BROKEN] * 2
    assert sorted(third.join()) == [0, 1]
    assert crossings.actions == [0, 1]
    assert not crossings.barrier.broken


def test_an_action_that_fails_breaks_those_that_wait_for_theirs():
    crossings = TwoCrossings()
    crossings.fails = True
    crossings.gate.release()
    assert sorted(crossings.first.join()) == [BROKEN, "failed"]
    assert crossings.second.join() == [BROKEN] * 2
    assert crossings.actions == [0]
    assert crossings.barrier.broken


def test_an_action_that_fails_after_a_reset_breaks_nothing_new():
    crossings = TwoCrossings()
    crossings.barrier.reset()
    assert crossings.second.join() == [BROKEN] * 2
    third = start_waiters(crossings.barrier, 1)
    crossings.fails = True
    crossings.gate.release()
    assert sorted(crossings.first.join()) == [BROKEN, "failed"]
    crossings.fails = False
    assert not crossings.barrier.broken
    assert crossings.barrier.n_waiting == 1
    assert wait(crossings.barrier) == 1
    assert third.join() == [0]


@pytest.mark.parametrize("module", [threading, ftthreading])
def test_who_times_out_behind_a_crossing_fails_alone(module):
    crossings = TwoCrossings(module, timeout=0.05, count=1)
    if module is ftthreading:  # threading's counts its time from the end of the action
        assert crossings.second.join() == [BROKEN]
    crossings.gate.release()
    assert sorted(crossings.first.join()) == [0, 1]
    assert crossings.second.join() == [BROKEN]
    assert crossings.barrier.broken
    crossings.barrier.reset()
    assert crosses(crossings.barrier)


@pytest.mark.parametrize("module", [threading, ftthreading])
def test_who_waits_behind_a_crossing_is_not_counted(module):
    crossings = TwoCrossings(module, count=1)
    assert crossings.barrier.n_waiting == 2
    assert not crossings.barrier.broken
    crossings.gate.release()
    assert sorted(crossings.first.join()) == [0, 1]
    wait_until(lambda: crossings.barrier.n_waiting == 1)
    assert wait(crossings.barrier) == 1
    assert crossings.second.join() == [0]


def test_who_is_complete_does_not_time_out_before_its_action():
    for timeout in (0.05, 0.5, 5):
        crossings = TwoCrossings(timeout=timeout)
        until = time.monotonic() + 1.5 * timeout
        if crossings.barrier.broken:  # one's time was over before the other came
            crossings.barrier.abort()
            crossings.gate.release()
            crossings.first.join(), crossings.second.join()
            continue
        wait_until(lambda until=until: time.monotonic() > until)
        assert (crossings.second.finished, crossings.barrier.broken) == (0, False)
        crossings.gate.release()
        assert sorted(crossings.first.join()) == sorted(crossings.second.join()) == [0, 1]
        assert crossings.actions == [0, 1]
        return
    pytest.fail("two threads could not even call wait() within 5 seconds")


@pytest.mark.parametrize("method", ["abort", "reset"])
def test_abort_and_reset_in_the_action(method):  # threading's barrier hangs
    calls = []

    def action():
        if not calls:
            calls.append(method)
            getattr(barrier, method)()

    barrier = Barrier(3, action)
    assert run_threads(3, lambda i: wait(barrier)) == [BROKEN] * 3
    assert barrier.broken == (method == "abort")
    barrier.reset()
    assert crosses(barrier)


def test_an_action_that_fails_breaks_it():
    def action():
        raise ZeroDivisionError

    def attempt(i):
        try:
            return wait(barrier)
        except ZeroDivisionError:
            return "failed"

    barrier = Barrier(3, action)
    assert sorted(run_threads(3, attempt)) == [BROKEN, BROKEN, "failed"]
    assert barrier.broken


def test_the_action_sees_all_waiting_and_the_barrier_whole():
    seen = []
    barrier = Barrier(3, lambda: seen.append((barrier.n_waiting, barrier.broken)))
    assert crosses(barrier)
    assert seen == [(3, False)]
    assert barrier.n_waiting == 0


def test_a_timeout_during_the_action_waits_for_its_verdict():
    for timeout in (0.05, 0.5, 5):
        over = []

        def action(timeout=timeout, over=over):
            # The other's time is over before this ends; it must not break what is complete.
            until = time.monotonic() + 1.5 * timeout
            wait_until(lambda: time.monotonic() > until)
            over.append((impatient.finished, barrier.broken))

        barrier = Barrier(2, action)
        impatient = start_waiters(barrier, 1, timeout)
        crossed = wait(barrier)
        if not over:  # it was over before we came: the machine is slow
            assert crossed == BROKEN
            continue
        assert crossed == 1
        assert over == [(0, False)]
        assert impatient.join() == [0]
        assert not barrier.broken
        return
    pytest.fail("this thread could not even call wait() within 5 seconds")
