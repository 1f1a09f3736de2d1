"""Barrier: one verdict for each crossing, and calls from inside the action."""

import copy
import gc
import pickle
import threading
import time
import weakref

import pytest

import ftthreading
from ftthreading import Barrier, BrokenBarrierError
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep
from tests.support.comparing import outcome

BROKEN = "broken"


def wait(barrier, timeout=None):
    try:
        return barrier.wait(timeout)
    except BrokenBarrierError:
        return BROKEN


def start_waiters(barrier, count, timeout=None):
    before = barrier.n_waiting
    running = start_threads(count, lambda i: wait(barrier, timeout))
    wait_until(
        lambda: barrier.n_waiting == before + count or running.finished,
        what=f"{count} more threads wait",
    )
    return running


def crosses(barrier):
    """Whether all parties can cross the barrier."""
    results = run_threads(barrier.parties, lambda i: wait(barrier))
    return sorted(results) == list(range(barrier.parties))


def test_properties():
    barrier = Barrier(3, timeout=7)
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 0, False)
    for name in ("parties", "n_waiting", "broken"):
        with pytest.raises(AttributeError):
            setattr(barrier, name, 1)
    running = start_waiters(barrier, 2)
    assert repr(barrier).endswith("waiters=2/3>")
    barrier.abort()
    assert (barrier.n_waiting, barrier.broken) == (0, True)
    assert repr(barrier).endswith(": broken>")
    assert running.join() == [BROKEN] * 2


def test_many_crossings():
    parties, rounds = 4, 1000
    counts = []
    barrier = Barrier(parties, action=lambda: counts.append(sum(arrived)))
    arrived = [0] * parties

    def cross(i):
        numbers = []
        for n in range(rounds):
            arrived[i] = n + 1
            numbers.append(barrier.wait())
            # Nobody is more than one round ahead of anybody.
            assert min(arrived) >= n + 1
        return numbers

    numbers = run_threads(parties, cross)
    assert counts == [parties * (n + 1) for n in range(rounds)]
    for in_one_round in zip(*numbers, strict=True):
        assert sorted(in_one_round) == list(range(parties))


def test_ten_thousand_generations_back_to_back():
    barrier = Barrier(2)
    rounds = 10_000
    numbers = run_threads(2, lambda i: [barrier.wait() for _ in range(rounds)])
    assert all(map({(0, 1), (1, 0)}.__contains__, zip(*numbers, strict=True)))


def test_crossings_follow_each_other_without_waiting_for_stragglers():
    barrier = Barrier(1)
    assert [barrier.wait() for _ in range(5)] == [0] * 5


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
        self.second = start_asleep(count, lambda i: self._cross(timeout))

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


def test_timeout_breaks_it_for_all():
    barrier = Barrier(3)
    running = start_waiters(barrier, 1)
    assert wait(barrier, 0.001) == BROKEN
    assert running.join() == [BROKEN]
    assert barrier.broken
    assert wait(barrier) == BROKEN
    barrier.reset()
    assert crosses(barrier)


def test_default_timeout():
    barrier = Barrier(2, timeout=0.001)
    assert wait(barrier) == BROKEN
    barrier.reset()
    assert wait(barrier, 0) == BROKEN
    barrier.reset()
    running = start_threads(1, lambda i: wait(barrier, 60))
    assert wait(barrier, 60) in (0, 1)
    running.join()


def test_reset_lets_waiters_go_and_is_usable_at_once():
    barrier = Barrier(3)
    for _ in range(20):
        running = start_waiters(barrier, 2)
        barrier.reset()
        assert not barrier.broken
        assert barrier.n_waiting == 0
        assert crosses(barrier)
        assert running.join() == [BROKEN] * 2


def test_abort_is_for_all_until_reset():
    barrier = Barrier(3)
    running = start_waiters(barrier, 2)
    barrier.abort()
    barrier.abort()
    assert running.join() == [BROKEN] * 2
    assert run_threads(4, lambda i: wait(barrier)) == [BROKEN] * 4
    barrier.reset()
    assert crosses(barrier)


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


def test_verdicts_are_final():
    # Who was let through does not see the abort that follows.
    for _ in range(100):
        barrier = Barrier(2)
        running = start_waiters(barrier, 1)
        assert barrier.wait() == 1
        barrier.abort()
        assert running.join() == [0]


BAD_CALLS = [
    ("wait", ("1",), {}),
    ("wait", (1e300,), {}),
    ("wait", (1, 2), {}),
    ("reset", (1,), {}),
    ("abort", (1,), {}),
    ("__init__", (), {}),
    ("__init__", (0,), {}),
    ("__init__", (-1,), {}),
    ("__init__", ("1",), {}),
    ("__init__", (None,), {}),
    ("__init__", (1, None, None, None), {}),
]


@pytest.mark.parametrize(("method", "args", "kwargs"), BAD_CALLS)
def test_bad_calls_end_as_threadings(method, args, kwargs):
    results = []
    for module in (threading, ftthreading):
        barrier = module.Barrier(2)
        kind, text = outcome(getattr(barrier, method), *args, **kwargs)
        # 3.13.0 words this one differently.
        results.append((kind, text.replace("must be > 0", "must be >= 1")))
        results.append((barrier.n_waiting, barrier.broken))
    assert results[:2] == results[2:]
    assert crosses(barrier)


def test_copies_and_weak_references():
    barrier = Barrier(2)
    for make in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="cannot pickle"):
            make(barrier)
    assert weakref.ref(barrier)() is barrier
    barrier.extra = barrier.cycle = barrier
    assert set(vars(barrier)) == {"extra", "cycle"}
    gone = weakref.ref(barrier)
    del barrier
    gc.collect()
    assert gone() is None


def test_init_is_called_once():
    barrier = Barrier(2)
    with pytest.raises(RuntimeError, match="called twice"):
        barrier.__init__(3)

    class Forgetful(Barrier):
        def __init__(self):
            pass

    with pytest.raises(AttributeError, match="_timeout"):
        Forgetful().wait()


def test_a_huge_number_of_parties_costs_nothing():
    assert Barrier(10**12).parties == 10**12
