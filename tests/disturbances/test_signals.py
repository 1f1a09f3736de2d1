"""Signals that reach the main thread while it waits for a Lock or an RLock.

Handlers run during the wait, in the main thread. What they raise ends the wait, and the lock is
then as if acquire() had never been called; otherwise the wait goes on to its deadline.
"""

from __future__ import annotations

import _thread
import ctypes
import operator
import os
import random
import resource
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import ftthreading
from tests.support import SECONDS, Running, run_threads, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep, wait_until_asleep
from tests.support.interrupting import Holder, Raised, fail, interrupted, is_usable, receiving, send

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")

both = pytest.mark.parametrize("name", ["Lock", "RLock"])
timeouts = pytest.mark.parametrize("timeout", [-1, 60], ids=["untimed", "timed"])


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


@both
@timeouts
def test_keyboard_interrupt_ends_the_wait(name: str, timeout: float) -> None:
    lock = make(name)
    holder = Holder(lock)
    for _ in range(3):
        with receiving(signal.SIGINT, signal.default_int_handler):
            interrupting = once_main_sleeps(lambda: send(signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                lock.acquire(True, timeout)
            interrupting.join()
        assert lock.locked()
        if name == "RLock":
            assert not lock._is_owned()
    holder.end()
    assert not lock.locked()
    assert is_usable(lock)


@both
def test_with_is_not_entered_when_interrupted(name: str) -> None:
    lock = make(name)
    holder = Holder(lock)
    entered = False

    with receiving(signal.SIGUSR1, fail):
        interrupting = once_main_sleeps(send)
        with pytest.raises(Raised), lock:
            entered = True
        interrupting.join()
    assert not entered
    assert lock.locked()
    holder.end()
    assert is_usable(lock)


@both
@timeouts
def test_wait_goes_on_after_a_harmless_handler(name: str, timeout: float) -> None:
    lock = make(name)
    holder = Holder(lock)
    handled: list[bool] = []

    with interrupted(holder, lambda: handled.append(lock.locked()), times=5):
        assert lock.acquire(True, timeout) is True
    assert handled == [True] * 5
    lock.release()
    assert is_usable(lock)


@both
def test_place_in_the_queue_is_kept(name: str) -> None:
    """A waiter that ran a handler is still older than who came after it."""
    lock = make(name)
    holder = Holder(lock)
    handled: list[int] = []
    served: list[str] = []

    def disturb() -> Running:
        def wait(_: int) -> None:
            with lock:
                served.append("later")

        later = start_asleep(1, wait)
        for count in (1, 2):
            send()
            wait_until(lambda: len(handled) == count)
            wait_until_asleep(os.getpid())
        holder.let_go()
        return later

    with receiving(signal.SIGUSR1, lambda *_: handled.append(1)):
        disturbing = once_main_sleeps(disturb)
        assert lock.acquire()
        served.append("main")
        lock.release()
        disturbing.join()[0].join()
    assert served == ["main", "later"]


@both
def test_forty_signals_do_not_prolong_a_timeout(name: str) -> None:
    """Deadlines are absolute: what a signal interrupts is continued, not begun anew."""
    lock = make(name)
    holder = Holder(lock)
    handled = 0
    enough = int(SECONDS / 0.0125)

    def handler(*_: object) -> None:
        nonlocal handled
        handled += 1
        if handled > enough:  # acquire() would never end
            signal.setitimer(signal.ITIMER_REAL, 0)

    with receiving(signal.SIGALRM, handler):
        signal.setitimer(signal.ITIMER_REAL, 0.0125, 0.0125)
        try:
            before = time.monotonic_ns()
            assert lock.acquire(timeout=0.5) is False
            took = time.monotonic_ns() - before
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert took >= 500_000_000
    assert 3 <= handled < enough
    holder.end()
    assert is_usable(lock)


def test_signal_in_another_waiting_thread() -> None:
    """A signal that interrupts the sleep of another thread is none of that thread's business."""
    lock = ftthreading.Lock()
    handled: list[int] = []
    idents: list[int] = []
    lock.acquire()

    def wait(_: int) -> bool:
        idents.append(_thread.get_ident())
        return lock.acquire()

    waiting = start_asleep(2, wait)
    with receiving(signal.SIGUSR1, lambda *_: handled.append(_thread.get_ident())):
        for count in range(1, 6):
            signal.pthread_kill(idents[count % 2], signal.SIGUSR1)
            wait_until(lambda: len(handled) == count)
    assert handled == [threading.main_thread().ident] * 5
    assert waiting.finished == 0
    lock.release()
    wait_until(lambda: waiting.finished == 1)
    lock.release()
    assert waiting.join() == [True, True]


def test_handler_releases_the_lock_that_main_waits_for() -> None:
    lock = ftthreading.Lock()
    lock.acquire()
    with receiving(signal.SIGUSR1, lambda *_: lock.release()):
        for timeout in (-1, 60):
            releasing = once_main_sleeps(send)
            assert lock.acquire(True, timeout) is True
            releasing.join()
    lock.release()
    assert is_usable(lock)


@both
def test_handler_uses_the_lock_that_main_waits_for(name: str) -> None:
    """It gets it before main does, for main is busy with the handler."""
    lock = make(name)
    holder = Holder(lock)
    used = []

    def handler() -> None:
        with lock:
            used.append(lock.locked())

    with interrupted(holder, handler):
        assert lock.acquire() is True
    assert used == [True]
    lock.release()
    assert is_usable(lock)


@both
@timeouts
def test_signal_during_a_wake_up_in_vain(name: str, timeout: float) -> None:
    """Woken, main may find the lock taken by somebody faster and go back to sleep. A signal that
    came in between did not interrupt any sleep, and must not be overslept."""
    lock = make(name)
    handled = begun = entered = left = in_vain = 0
    rounds = 40

    def handler(*_: object) -> None:
        nonlocal handled
        handled += 1

    def overtake(_: int) -> None:
        """Get the lock handed over, wake main with it, and be faster."""
        nonlocal in_vain
        before = handled
        lock.acquire()
        lock.release()
        faster = lock.acquire(False)
        in_vain += entered > left
        try:
            send()
            wait_until(lambda: handled > before, what="main has handled the signal")
        finally:
            if faster:
                lock.release()

    def reached(n: int) -> None:
        wait_until(lambda: entered == n, what=f"main has entered round {n}")

    def over(n: int) -> None:
        wait_until(lambda: left == n, what=f"main has left round {n}")

    def started(n: int) -> None:
        wait_until(lambda: begun == n, what=f"round {n} has begun")

    def conduct(_: int) -> None:
        nonlocal begun
        for n in range(1, rounds + 1):
            with lock:
                overtaking = start_asleep(1, overtake)
                begun = n
                reached(n)
                wait_until_asleep(os.getpid())
            overtaking.join()
            over(n)

    with receiving(signal.SIGUSR1, handler):
        conducting = start_threads(1, conduct)
        for n in range(1, rounds + 1):
            started(n)
            entered = n
            assert lock.acquire(True, timeout) is True
            left = n
            lock.release()
        conducting.join()
    assert in_vain > 0


@both
def test_wait_begun_with_a_pending_signal(name: str) -> None:
    """A signal that came just before the wait is handled in it, not after it.

    Everything between the signal and acquire() is C here, which leaves it pending.
    """
    lock = make(name)
    holder = Holder(lock)
    steps = [partial(ctypes.PyDLL(None)["raise"], signal.SIGUSR1), partial(lock.acquire, True, 20)]
    with receiving(signal.SIGUSR1, fail):
        results: list[object] = []
        with pytest.raises(Raised):
            results.extend(map(operator.call, steps))
    assert results == [0]  # that of the first step alone
    assert lock.locked()
    holder.end()
    assert is_usable(lock)


@pytest.mark.parametrize("name", ["Lock", "Event"])
def test_signals_aimed_at_the_beginning_of_a_sleep(name: str) -> None:
    """What comes between the last look for signals and the sleep interrupts nothing."""
    rounds, entered = 2000, 0
    lock, event = ftthreading.Lock(), ftthreading.Event()
    wait: Any = {"Lock": lock.acquire, "Event": event.wait}[name]
    finish = {"Lock": lock.release, "Event": event.set}[name]
    aim = random.Random(1)

    def shoot(_: int) -> None:
        for n in range(1, rounds + 1):
            end = time.monotonic() + SECONDS
            while entered < n and time.monotonic() < end:
                pass  # not wait_until(): it would be late
            until = time.perf_counter_ns() + aim.randrange(60_000)
            while time.perf_counter_ns() < until:
                pass
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    lock.acquire()
    with receiving(signal.SIGUSR1, lambda *_: finish()):
        shooting = start_threads(1, shoot)
        for n in range(1, rounds + 1):
            event.clear()
            entered = n
            assert wait(timeout=SECONDS)
        shooting.join()


@pytest.mark.skipif(
    sys.platform != "linux" or Path(sys.prefix).name.endswith("-posix"),
    reason="without a futex no signal ends a sleep, so it looks 50 times a second",
)
def test_an_idle_main_thread_sleeps() -> None:
    """It wakes to look for signals ever more rarely: once a minute in the end."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    assert not ftthreading.Event().wait(4)
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before < 25


def test_other_threads_of_signal_handlers_keep_waiting() -> None:
    """A handler that waits does so in the main thread; the others go about their business."""
    first, second = ftthreading.Lock(), ftthreading.Lock()
    first.acquire()
    second.acquire()
    inside = False

    def handler(*_: object) -> None:
        nonlocal inside
        inside = True
        assert second.acquire(timeout=SECONDS)

    def help_out() -> None:
        send()
        wait_until(lambda: inside)
        wait_until_asleep(os.getpid())
        assert run_threads(2, lambda _: first.acquire(timeout=0.01)) == [False, False]
        second.release()
        wait_until_asleep(os.getpid())
        first.release()

    with receiving(signal.SIGUSR1, handler):
        helping = once_main_sleeps(help_out)
        assert first.acquire(timeout=SECONDS)
        helping.join()
