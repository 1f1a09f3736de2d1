"""Barrier: one verdict for each crossing. What its action may do: see test_barrier_action.py."""

import copy
import gc
import pickle
import threading
import weakref

import pytest

import ftthreading
from ftthreading import Barrier
from tests.support import run_threads, start_threads
from tests.support.comparing import outcome
from tests.support.crossing import BROKEN, crosses, start_waiters, wait


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


def test_verdicts_are_final():
    # Who was let through does not see the abort that follows.
    for _ in range(100):
        barrier = Barrier(2)
        running = start_waiters(barrier, 1)
        assert barrier.wait() == 1
        barrier.abort()
        assert running.join() == [0]


BAD_CALLS: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
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
