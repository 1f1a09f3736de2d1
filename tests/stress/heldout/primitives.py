"""Demonstrations: locks, conditions, semaphores, events and barriers."""

from __future__ import annotations

import contextlib
import functools
import signal
import time
from types import FrameType
from typing import Any

from tests.support import Running, handling, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep

from .demonstrations import (
    ROUNDS,
    Patience,
    Raised,
    demonstrates,
    fail,
    finishes,
    in_function,
    naps,
    once,
    raises,
    traced,
)

# Locks.


@demonstrates
def lock_acquire_deaf_to_signals(m: Any) -> bool:
    lock = m.Lock()
    lock.acquire()
    before = signal.signal(signal.SIGALRM, lambda *_: lock.locked() and lock.release())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        return not lock.acquire(True, Patience.seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@demonstrates
def lock_nonblocking_waits_for_mutex(m: Any) -> bool:
    lock = m.Lock()
    lock.acquire()
    return not finishes(traced(lock.release, in_function("notify", lambda: lock.acquire(False))))


@demonstrates
def rlock_pure_python(m: Any) -> bool:
    lock = m.RLock()

    def use() -> None:
        with lock:
            pass

    traced(use, once(lambda frame, _: frame.f_locals.get("rc")))
    return not lock.acquire(False)


@demonstrates
def rlock_depth_lost_in_wait(m: Any) -> bool:
    condition = m.Condition()
    condition.acquire()
    condition.acquire()
    condition.wait(0)
    condition.release()
    return raises(RuntimeError, condition.release)


# Conditions.


def waiting(condition: Any, timeout: float | None = None) -> Running:
    """Start a thread that waits for this; return once it does."""

    def main(_: int) -> object:
        with condition:
            return condition.wait(timeout)

    return start_asleep(1, main)


def wakes_one(condition: Any) -> bool:
    """Return whether notify() wakes the only one who waits."""
    waiter = waiting(condition)
    with condition:
        condition.notify()
    return finishes(waiter)


@demonstrates
def condition_wait_polls(m: Any) -> bool:
    condition = m.Condition()
    with condition:
        return naps(m, lambda: condition.wait(0.05))


@demonstrates
def condition_timed_out_waiter_stays(m: Any) -> bool:
    condition = m.Condition()
    with condition:
        condition.wait(0)
    return not wakes_one(condition)


@demonstrates
def condition_wakeup_stolen(m: Any) -> bool:
    for _ in range(ROUNDS):
        condition = m.Condition()
        waiter = waiting(condition)
        with condition:
            condition.notify()
            stolen = condition.wait(0.001)
        if stolen:
            return not finishes(waiter)
    return False


@demonstrates
def condition_wait_for_begins_anew(m: Any) -> bool:
    condition = m.Condition()

    def main(_: int) -> object:
        with condition:
            return condition.wait_for(lambda: False, 0.2)

    waiter = start_threads(1, main)
    until = time.monotonic() + 1 + Patience.seconds

    def over() -> bool:
        with condition:
            condition.notify_all()
        return waiter.finished == 1 or time.monotonic() > until

    wait_until(over)
    return not waiter.finished


@demonstrates
def condition_interrupted_waiter_stays(m: Any) -> bool:
    condition = m.Condition()
    with handling(fail) as handler:
        once_main_sleeps(handler.strike)
        with contextlib.suppress(Raised), condition:
            condition.wait()
    return not wakes_one(condition)


# Semaphores.


@demonstrates
def bounded_semaphore_checks_too_early(m: Any) -> bool:
    semaphore = m.BoundedSemaphore(1)
    semaphore.acquire()
    with semaphore._cond:
        releasers = start_asleep(2, lambda _: semaphore.release())
    return finishes(releasers) and not releasers.exceptions


@demonstrates
def semaphore_notifies_from_zero_only(m: Any) -> bool:
    for _ in range(ROUNDS):
        semaphore = m.Semaphore(0)
        takers = start_asleep(2, lambda _, s=semaphore: s.acquire())
        semaphore.release()
        semaphore.release()
        if not finishes(takers):
            return True
    return False


@demonstrates
def semaphore_does_not_look_again(m: Any) -> bool:
    for _ in range(ROUNDS):
        semaphore = m.Semaphore(0)
        taker = start_asleep(1, lambda _, s=semaphore: s.acquire())
        semaphore.release()
        if semaphore.acquire(False):
            return finishes(taker, 0.3)
    return False


@demonstrates
def semaphore_late_grant_lost(m: Any) -> bool:
    for _ in range(ROUNDS):
        semaphore = m.Semaphore(0)
        taker = start_asleep(1, lambda _, s=semaphore: s.acquire(timeout=0.1))
        with semaphore._cond:
            releaser = start_asleep(1, lambda _, s=semaphore: s.release())
            until = time.monotonic() + 0.15
            wait_until(lambda: time.monotonic() > until)  # when the taker waits for the lock
        if taker.join() == [True]:
            return False
        if finishes(releaser) and not semaphore.acquire(False):
            return True
    return False


@demonstrates
def semaphore_starves_who_waits(m: Any) -> bool:
    return naps(m, lambda: m.Semaphore(0).acquire(timeout=0.05))


# Events.


@demonstrates
def event_wait_reads_the_flag_again(m: Any) -> bool:
    for _ in range(ROUNDS):
        event = m.Event()
        waiter = start_asleep(1, lambda _, e=event: e.wait())
        event.set()
        event.clear()
        if waiter.join() == [False]:
            return True
    return False


@demonstrates
def event_wait_looks_before_the_lock(m: Any) -> bool:
    event = m.Event()
    with event._cond:
        waiter = start_asleep(1, lambda _: event.wait())
        event._flag = True
    return not finishes(waiter)


# Barriers.


@demonstrates
def barrier_entered_while_it_drains(m: Any) -> bool:
    for _ in range(ROUNDS):
        barrier = m.Barrier(2)
        start_asleep(1, lambda _, b=barrier: b.wait())
        barrier.wait()
        if not raises(m.BrokenBarrierError, functools.partial(barrier.wait, 0.02)):
            return True
    return False


@demonstrates
def barrier_action_breaks_it_silently(m: Any) -> bool:
    barrier = m.Barrier(2, fail)
    other = start_asleep(1, lambda _: barrier.wait())
    assert raises(Raised, barrier.wait)
    return not finishes(other)


@demonstrates
def barrier_counts_before_the_lock(m: Any) -> bool:
    barrier = m.Barrier(2)
    others: list[Running] = []

    def meet(frame: FrameType, event: str) -> None:
        if not others and event == "line" and "index" in frame.f_locals:
            others.append(start_asleep(1, lambda _: barrier.wait()))

    return not finishes(traced(barrier.wait, meet)) or not finishes(others[0])
