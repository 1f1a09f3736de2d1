"""The bugs that the harness is measured against: each is there, and the control has none of them.

A demonstration knows where to look, and arranges what a race would have to meet; that the harness
meets it as well is not said here.
"""

from __future__ import annotations

import _thread
import contextlib
import functools
import os
import queue
import signal
import sys
import sysconfig
import time
import weakref
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest

from stress.targets.heldout.building import CONTROL, NoBug, bugs, build
from tests.support import SECONDS, Running, handling, run_threads, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep
from tests.support.forking import marks

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
patience = 0.7
"""Seconds after which what has not ended hangs; it becomes longer where nothing is to hang."""
ROUNDS = 30
"""How often a demonstration tries what one thread can be too fast for."""

pytestmark = [pytest.mark.once, *marks]

shows: dict[str, Callable[[Any], bool]] = {}
"""By the name of a bug, whether a module shows it."""


class Raised(Exception):
    pass


class Thing:
    pass


def fail(*_: object) -> NoReturn:
    raise Raised


def demonstrates(function: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Have this function show the bug whose name it has."""
    shows[function.__name__] = function
    return function


def happens(predicate: Callable[[], object], seconds: float | None = None) -> bool:
    """Return whether this becomes true."""
    with contextlib.suppress(AssertionError):
        wait_until(predicate, patience if seconds is None else seconds)
    return bool(predicate())


def finishes(running: Running, seconds: float | None = None) -> bool:
    """Return whether all these threads come to their end."""
    return happens(lambda: running.finished == running.count, seconds)


def ends(function: Callable[[], object]) -> bool:
    """Return whether a thread of its own gets through with this."""
    return finishes(start_threads(1, lambda _: function()))


def raises(kind: type[BaseException], function: Callable[[], object]) -> bool:
    try:
        function()
    except kind:
        return True
    return False


def traced(function: Callable[[], object], act: Callable[[FrameType, str], object]) -> Running:
    """Run the function in a thread of its own, and `act` at each of its events: it may raise."""

    def trace(frame: FrameType, event: str, _: object) -> Any:
        act(frame, event)
        return trace

    def main(_: int) -> object:
        sys.settrace(trace)
        try:
            return function()
        finally:
            sys.settrace(None)

    running = start_threads(1, main)
    finishes(running)
    return running


def once(condition: Callable[[FrameType, str], object]) -> Callable[[FrameType, str], None]:
    """Return what raises, for `traced`, at the first event for which the condition is true."""
    done: list[bool] = []

    def act(frame: FrameType, event: str) -> None:
        if not done and condition(frame, event):
            done.append(True)
            raise Raised

    return act


def in_function(name: str, action: Callable[[], object]) -> Callable[[FrameType, str], None]:
    """Return what runs the action, for `traced`, at the first call of a function of this name."""
    done: list[bool] = []

    def act(frame: FrameType, event: str) -> None:
        if not done and event == "call" and frame.f_code.co_name == name:
            done.append(True)
            action()

    return act


def child_says(function: Callable[[], object]) -> bool:
    """Fork; return whether this is true in the child, or the child does not come that far."""
    pid = os.fork()
    if pid == 0:
        os._exit(bool(function()))
    status = -1

    def ended() -> bool:
        nonlocal status
        done, status = os.waitpid(pid, os.WNOHANG)
        return done != 0

    try:
        wait_until(ended, patience)
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return True
    return os.waitstatus_to_exitcode(status) != 0


@contextlib.contextmanager
def open_gate() -> Iterator[Any]:
    """Give a lock that is held in the body, to keep threads there."""
    gate = _thread.allocate_lock()
    gate.acquire()
    try:
        yield gate
    finally:
        gate.release()


def naps(module: Any, function: Callable[[], object]) -> bool:
    """Return whether the module sleeps a while and looks again."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    module._sleep = sleep
    function()
    return len(slept) > 1


# Locks.


@demonstrates
def lock_acquire_deaf_to_signals(m: Any) -> bool:
    lock = m.Lock()
    lock.acquire()
    before = signal.signal(signal.SIGALRM, lambda *_: lock.locked() and lock.release())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        return not lock.acquire(True, patience)
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
    until = time.monotonic() + 1 + patience

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
    timer.join(patience)
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


@pytest.mark.parametrize("name", [CONTROL, *bugs()])
def test_each_is_built_from_this_interpreter_s_source(name: str) -> None:
    module = build(name)
    assert isinstance(module, ModuleType)
    assert module is not build(name)


def test_the_control_has_all_names() -> None:
    module, real = build(CONTROL), sys.modules["threading"]
    words = {word for word in vars(real) if not word.startswith("_")} - {"warnings"}
    words |= {"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "ThreadPoolExecutor", "Future"}
    words |= {"as_completed", "wait_futures", "ALL_COMPLETED", "FIRST_COMPLETED"}
    words |= {"FIRST_EXCEPTION", "CancelledError", "TimeoutError"}
    assert not {word for word in words if not hasattr(module, word)}
    assert (module.Empty, module.Full, module.ShutDown) == (queue.Empty, queue.Full, queue.ShutDown)
    assert module.Condition is not vars(real)["Condition"]


def test_there_are_enough_of_them_and_each_says_what_it_is() -> None:
    assert len(bugs()) >= 42
    assert all(bug.title and bug.issue and bug.area for bug in bugs().values())
    assert {*shows} == {*bugs()}


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(NoBug):
        build("nothing of this name")


@pytest.mark.parametrize("name", shows)
def test_the_bug_is_there_and_not_in_the_control(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shows[name](build(name))
    monkeypatch.setattr(sys.modules[__name__], "patience", SECONDS)
    assert not shows[name](build(CONTROL))
