"""Demonstrations: queues, futures and executors, and leaks."""

from __future__ import annotations

import time
import weakref
from types import FrameType
from typing import Any

import pytest

from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep

from .demonstrations import (
    FREE_THREADED,
    Raised,
    Thing,
    demonstrates,
    ends,
    fail,
    finishes,
    happens,
    in_function,
    open_gate,
    raises,
    traced,
)

# Queues.


@demonstrates
def queue_shutdown_leaves_getters(m: Any) -> bool:
    line = m.Queue()
    getter = start_asleep(1, lambda _: line.get())
    line.shutdown()
    return not finishes(getter)


@demonstrates
def queue_shutdown_leaves_putters(m: Any) -> bool:
    line = m.Queue(1)
    line.put(1)
    putter = start_asleep(1, lambda _: line.put(2))
    line.shutdown()
    return not finishes(putter)


@demonstrates
def queue_shutdown_keeps_the_count(m: Any) -> bool:
    line = m.Queue()
    line.put(1)
    line.shutdown(immediate=True)
    return not ends(line.join)


@demonstrates
def queue_shutdown_forgets_tasks_at_work(m: Any) -> bool:
    line = m.Queue()
    line.put(1)
    line.get()
    line.shutdown(immediate=True)
    return raises(ValueError, line.task_done)


@demonstrates
def queue_counts_after_the_item_is_seen(m: Any) -> bool:
    line = m.Queue()
    refused: list[bool] = []

    def consume(frame: FrameType, _: str) -> None:
        if frame.f_code.co_name == "put" and line.queue and not line.mutex.locked():
            line.get()
            refused.append(raises(ValueError, line.task_done))

    traced(lambda: line.put(1), consume)
    return any(refused)


@demonstrates
def queue_counts_a_refused_item(m: Any) -> bool:
    line = m.PriorityQueue()
    line.put(1)
    assert raises(TypeError, lambda: line.put("a"))
    line.get()
    line.task_done()
    return not ends(line.join)


@demonstrates
def simple_queue_not_reentrant(m: Any) -> bool:
    line = m.SimpleQueue()
    return not finishes(traced(lambda: line.put(1), in_function("notify", lambda: line.put(2))))


# Futures and executors.


@demonstrates
def wait_counts_without_a_lock(m: Any) -> bool:
    if not FREE_THREADED:
        pytest.skip("with the GIL it takes luck to meet the window")
    until = time.monotonic() + 2
    while time.monotonic() < until:
        waiter = m.wait_futures.__globals__["_AllCompletedWaiter"](4000, False)
        run_threads(2, lambda _, w=waiter: [w.add_result(None) for _ in range(2000)])
        if not waiter.event.is_set():
            return True
    return False


@demonstrates
def wait_leaves_without_the_lock(m: Any) -> bool:
    future = m.Future()
    waiter = start_asleep(1, lambda _: m.wait_futures([future], 0.1))
    with future._condition:
        return finishes(waiter, 0.3)


@demonstrates
def as_completed_given_one_twice(m: Any) -> bool:
    future = m.Future()
    waiter = start_asleep(1, lambda _: list(m.as_completed([future, future])))
    future.set_result(1)
    return not finishes(waiter) or bool(waiter.exceptions)


@demonstrates
def as_completed_keeps_what_it_gave(m: Any) -> bool:
    futures = [m.Future()]
    futures[0].set_result(1)
    completed = m.as_completed(futures)
    future = weakref.ref(next(completed))
    futures.clear()
    return future() is not None


@demonstrates
def future_cancelled_gets_a_result(m: Any) -> bool:
    future = m.Future()
    future.cancel()
    return not raises(Exception, lambda: future.set_result(1))


@demonstrates
def future_cancelled_while_it_begins(m: Any) -> bool:
    future = m.Future()
    with future._condition:
        canceller = start_asleep(1, lambda _: future.cancel())
        future.set_running_or_notify_cancel()
    return canceller.join() == [True]


@demonstrates
def callback_error_hits_who_adds_it(m: Any) -> bool:
    future = m.Future()
    future.set_result(1)
    return raises(Raised, lambda: future.add_done_callback(fail))


@demonstrates
def pool_starts_threads_it_has(m: Any) -> bool:
    with m.ThreadPoolExecutor(4) as pool:
        pool.submit(int).result()
        wait_until(lambda: pool._idle_semaphore._value == 1)
        pool.submit(int).result()
        return len(pool._threads) > 1


@demonstrates
def pool_broken_with_work_waiting(m: Any) -> bool:
    with open_gate() as gate:
        pool = m.ThreadPoolExecutor(1, initializer=lambda: gate.acquire() and fail())
        futures = [pool.submit(int), pool.submit(int)]
    return not happens(lambda: all(future.done() for future in futures))


@demonstrates
def pool_cancels_without_notice(m: Any) -> bool:
    pool = m.ThreadPoolExecutor(1)
    with open_gate() as gate:
        pool.submit(gate.acquire)
        futures = [pool.submit(int)]
        waiter = start_asleep(1, lambda _: list(m.as_completed(futures)))
        pool.shutdown(wait=False, cancel_futures=True)
        return not finishes(waiter)


@demonstrates
def pool_shutdown_ends_one_thread(m: Any) -> bool:
    pool, meeting = m.ThreadPoolExecutor(2), m.Barrier(2)
    for future in [pool.submit(meeting.wait), pool.submit(meeting.wait)]:
        future.result()
    wait_until(pool._work_queue.empty)
    waiter = start_threads(1, lambda _: pool.shutdown())
    ended = finishes(waiter)
    pool._work_queue.put(None)
    return not ended


@demonstrates
def unjoined_threads_kept(m: Any) -> bool:
    m.Thread().start()
    return bool(getattr(m, "_unjoined", ()))


@demonstrates
def waiters_of_done_futures_kept(m: Any) -> bool:
    future = m.Future()
    future.set_result(1)
    list(m.as_completed([future]))
    return bool(future._waiters)


@demonstrates
def pool_keeps_its_last_work(m: Any) -> bool:
    argument = Thing()
    kept = weakref.ref(argument)
    with m.ThreadPoolExecutor(1) as pool:
        pool.submit(id, argument).result()
        del argument
        wait_until(lambda: pool._idle_semaphore._value == 1)
        return not happens(lambda: kept() is None)
