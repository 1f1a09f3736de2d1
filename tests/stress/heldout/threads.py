"""Demonstrations: threads, hooks, timers, thread-local values and forks."""

from __future__ import annotations

import _thread
import contextlib
import sys
import time
import weakref
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from tests.support import handling, run_threads
from tests.support.asleep import once_main_sleeps, start_asleep

from .demonstrations import (
    FREE_THREADED,
    ROUNDS,
    Patience,
    Raised,
    Thing,
    child_says,
    demonstrates,
    ends,
    fail,
    happens,
    once,
    open_gate,
    raises,
    traced,
)

# Threads.


@demonstrates
def thread_name_twice(m: Any) -> bool:
    if not FREE_THREADED:
        pytest.skip("with the GIL it takes luck to meet the window")
    until = time.monotonic() + 2
    while time.monotonic() < until:
        names = run_threads(2, lambda _: [m.Thread().name for _ in range(300)])
        if len({*names[0], *names[1]}) < 600:
            return True
    return False


@demonstrates
def dummy_thread_stays(m: Any) -> bool:
    before = m.active_count()
    run_threads(1, lambda _: m.current_thread())
    return not happens(lambda: m.active_count() == before)


@demonstrates
def failed_start_stays_in_limbo(m: Any) -> bool:
    m._start_joinable_thread = lambda *_, **__: fail()
    thread = m.Thread()
    assert raises(Raised, thread.start)
    return thread in m.enumerate()


@demonstrates
def join_before_the_thread_state_is_gone(m: Any) -> bool:
    values = m.local()
    dropped: list[bool] = []

    class Slow:
        def __del__(self) -> None:
            gate.acquire(timeout=0.3)
            dropped.append(True)

    def keep() -> None:
        values.slow = Slow()

    with open_gate() as gate:
        thread = m.Thread(target=keep)
        thread.start()
        thread.join()
        return not dropped


@demonstrates
def join_interrupted_ends_the_thread(m: Any) -> bool:
    with open_gate() as gate, handling(fail) as handler:
        thread = m.Thread(target=gate.acquire)
        thread.start()
        once_main_sleeps(handler.strike)
        with contextlib.suppress(Raised):
            thread.join()
        return not thread.is_alive()


@demonstrates
def join_interrupted_keeps_the_lock(m: Any) -> bool:
    thread = m.Thread()
    thread.start()
    thread.join()

    def taken(frame: FrameType, _: str) -> bool:
        return "limit" in frame.f_locals and frame.f_locals["self"]._running.locked()

    traced(thread.join, once(taken))
    return not ends(thread.join)


@demonstrates
def list_of_threads_not_reentrant(m: Any) -> bool:
    def again() -> None:
        with m._active_limbo_lock:
            m.enumerate()

    return not ends(again)


@demonstrates
def false_target_not_called(m: Any) -> bool:
    class Target:
        called = False

        def __bool__(self) -> bool:
            return False

        def __call__(self) -> None:
            self.called = True

    target = Target()
    thread = m.Thread(target=target)
    thread.start()
    thread.join()
    return not target.called


@demonstrates
def stack_size_forgotten(m: Any) -> bool:
    m.stack_size(1 << 20)
    try:
        return _thread.stack_size() != 1 << 20
    finally:
        m.stack_size(0)


# Hooks, timers, local.


def fails_in_thread(thread: Any) -> None:
    thread.start()
    thread.join()


@demonstrates
def excepthook_error_is_lost(m: Any) -> bool:
    seen: list[object] = []
    before, sys.excepthook = sys.excepthook, lambda *_: seen.append(_)
    try:
        m.excepthook = fail
        fails_in_thread(m.Thread(target=fail))
    finally:
        sys.excepthook = before
    return not seen


@demonstrates
def excepthook_of_the_past(m: Any) -> bool:
    seen: list[object] = []
    thread = m.Thread(target=fail)
    m.excepthook = seen.append
    fails_in_thread(thread)
    return not seen


@demonstrates
def trace_of_running_threads_only(m: Any) -> bool:
    m._sys = SimpleNamespace(_settraceallthreads=lambda _: None)
    m.settrace_all_threads(fail)
    return m.gettrace() is not fail


@demonstrates
def timer_arguments_shared(m: Any) -> bool:
    return m.Timer(1, fail).args is m.Timer(1, fail).args


@demonstrates
def timer_sleeps_through_cancel(m: Any) -> bool:
    timer = m.Timer(1.5, fail)
    timer.start()
    timer.cancel()
    timer.join(Patience.seconds)
    alive: bool = timer.is_alive()
    timer.join()
    return alive


@demonstrates
def local_values_of_a_dead_thread(m: Any) -> bool:
    values = m.local()
    threads: list[Any] = []
    seen: list[bool] = []

    def look() -> None:
        seen.append(hasattr(values, "mine"))
        values.mine = True

    for _ in range(ROUNDS):
        threads.append(m.Thread(target=look))
        threads[-1].start()
        threads[-1].join()
    return any(seen)


@demonstrates
def local_values_outlive_the_thread(m: Any) -> bool:
    values = m.local()
    kept: list[weakref.ref[Any]] = []

    def keep() -> None:
        values.mine = Thing()
        kept.append(weakref.ref(values.mine))

    thread = m.Thread(target=keep)
    thread.start()
    thread.join()
    return not happens(lambda: kept[0]() is None)


@demonstrates
def lock_kept_by_interrupted_with(m: Any) -> bool:
    lock = m.Lock()

    def use() -> None:
        with lock:
            pass

    traced(use, once(lambda frame, event: (frame.f_code.co_name, event) == ("__enter__", "return")))
    return bool(lock.locked())


# Forks.


@demonstrates
def fork_native_id_of_the_parent(m: Any) -> bool:
    return child_says(lambda: m.current_thread().native_id != m.get_native_id())


@demonstrates
def fork_main_thread_of_the_parent(m: Any) -> bool:
    said: list[bool] = []

    def fork() -> None:
        said.append(child_says(lambda: m.main_thread() is not m.current_thread()))

    thread = m.Thread(target=fork)
    thread.start()
    thread.join()
    return said == [True]


@demonstrates
def fork_while_the_list_is_locked(m: Any) -> bool:
    with open_gate() as gate:

        def hold(_: int) -> None:
            with m._active_limbo_lock, gate:
                pass

        start_asleep(1, hold)
        return child_says(lambda: False)


@demonstrates
def fork_dead_threads_listed(m: Any) -> bool:
    with open_gate() as gate:
        thread = m.Thread(target=gate.acquire)
        thread.start()
        return child_says(lambda: thread in m.enumerate())


@demonstrates
def fork_in_a_dummy_thread(m: Any) -> bool:
    def fork(_: int) -> bool:
        m.current_thread()
        return child_says(lambda: m.main_thread().name != "MainThread")

    return run_threads(1, fork) == [True]
