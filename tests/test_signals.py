"""Signals that reach the main thread while it waits for a Lock or an RLock.

Handlers run during the wait, in the main thread. What they raise ends the wait, and the lock is
then as if acquire() had never been called; otherwise the wait goes on to its deadline.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import operator
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from asleep import once_main_sleeps, start_asleep, wait_until_asleep
from support import SECONDS, Running, run_threads, start_threads, wait_until

import ftthreading

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")

both = pytest.mark.parametrize("name", ["Lock", "RLock"])
timeouts = pytest.mark.parametrize("timeout", [-1, 60], ids=["untimed", "timed"])


class Raised(Exception):
    pass


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


@contextlib.contextmanager
def receiving(number: int, handler: Callable[..., object]) -> Iterator[None]:
    """Have the handler for this signal in the body, with the arguments that it gets."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def send(number: int = signal.SIGUSR1) -> None:
    """Send a signal to the main thread; which thread gets one sent to the process is open."""
    signal.pthread_kill(threading.main_thread().ident or 0, number)


class Holder:
    """A thread that holds a lock until told to let go."""

    def __init__(self, lock: Any) -> None:
        self._let_go = _thread.allocate_lock()
        self._let_go.acquire()
        self._holds = False

        def hold(_: int) -> None:
            with lock:
                self._holds = True
                self._let_go.acquire()

        self._running = start_threads(1, hold)
        wait_until(lambda: self._holds)

    def let_go(self) -> None:
        self._let_go.release()

    def end(self) -> None:
        self.let_go()
        self._running.join()


def is_usable(lock: Any) -> bool:
    """Whether waiting for the lock and being woken still works, and nothing is left behind."""
    assert lock.acquire(False)
    waiting = start_asleep(2, lambda _: (lock.acquire(), lock.release()))
    lock.release()
    return waiting.join() == [(True, None)] * 2 and not lock.locked()


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

    def handler(*_: object) -> None:
        raise Raised

    with receiving(signal.SIGUSR1, handler):
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
    handled = []

    def disturb() -> None:
        for count in range(1, 6):
            wait_until_asleep(os.getpid())
            send()
            wait_until(lambda count=count: len(handled) == count)
        wait_until_asleep(os.getpid())
        holder.let_go()

    with receiving(signal.SIGUSR1, lambda *_: handled.append(lock.locked())):
        disturbing = once_main_sleeps(disturb)
        assert lock.acquire(True, timeout) is True
        disturbing.join()
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
        later = start_asleep(1, lambda _: (lock.acquire(), served.append("later"), lock.release()))
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
    handled = []
    idents: list[int] = []
    lock.acquire()
    waiting = start_asleep(2, lambda _: (idents.append(_thread.get_ident()), lock.acquire())[1])
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

    def handler(*_: object) -> None:
        with lock:
            used.append(lock.locked())

    def disturb() -> None:
        send()
        wait_until_asleep(os.getpid())  # in the handler now, or still on its way to it
        holder.let_go()

    with receiving(signal.SIGUSR1, handler):
        disturbing = once_main_sleeps(disturb)
        assert lock.acquire() is True
        disturbing.join()
    wait_until(lambda: used == [True])
    lock.release()
    assert is_usable(lock)


@timeouts
@pytest.mark.parametrize("depth", [1, 3])
def test_handler_keeps_the_rlock_that_main_waits_for(timeout: float, depth: int) -> None:
    """Main has it then, whoever in it took it, and acquire() takes it once more (gh-144706).

    threading.RLock hangs here: seen on 3.13.0, 3.13.5t, 3.14.7t and 3.15.0rc1t. The handler has
    the lock, and main waits in acquire() for a release that only main could do.
    """
    rlock = ftthreading.RLock()
    holder = Holder(rlock)
    in_handler = False

    def handler(*_: object) -> None:
        nonlocal in_handler
        in_handler = True
        for _ in range(depth):
            rlock.acquire()

    def disturb() -> None:
        send()
        wait_until(lambda: in_handler)
        wait_until_asleep(os.getpid())
        holder.let_go()

    with receiving(signal.SIGUSR1, handler):
        disturbing = once_main_sleeps(disturb)
        assert rlock.acquire(True, timeout) is True
        disturbing.join()
    assert rlock._recursion_count() == depth + 1
    for _ in range(depth + 1):
        rlock.release()
    assert is_usable(rlock)


def test_handler_keeps_the_rlock_and_raises() -> None:
    rlock = ftthreading.RLock()
    holder = Holder(rlock)
    in_handler = False

    def handler(*_: object) -> None:
        nonlocal in_handler
        in_handler = True
        rlock.acquire()
        raise Raised

    def disturb() -> None:
        send()
        wait_until(lambda: in_handler)
        wait_until_asleep(os.getpid())
        holder.let_go()

    with receiving(signal.SIGUSR1, handler):
        disturbing = once_main_sleeps(disturb)
        with pytest.raises(Raised):
            rlock.acquire()
        disturbing.join()
    assert rlock._recursion_count() == 1
    rlock.release()
    assert is_usable(rlock)


@pytest.mark.parametrize("depth", [1, 3])
def test_acquire_restore_leaves_with_the_lock_whatever_is_raised(depth: int) -> None:
    """Condition.wait() ends with it: `with condition` must find the lock held (gh-118433)."""
    rlock = ftthreading.RLock()
    for _ in range(depth):
        rlock.acquire()
    state = rlock._release_save()
    holder = Holder(rlock)
    handled = 0

    def handler(*_: object) -> None:
        nonlocal handled
        handled += 1
        raise Raised(handled)

    def disturb() -> None:
        for count in (1, 2, 3):
            wait_until_asleep(os.getpid())
            send()
            wait_until(lambda: handled == count)
        wait_until_asleep(os.getpid())
        holder.let_go()

    with receiving(signal.SIGUSR1, handler):
        disturbing = once_main_sleeps(disturb)
        with pytest.raises(Raised) as raised:
            rlock._acquire_restore(state)
        disturbing.join()
    assert raised.value.args == (1,)
    assert rlock._recursion_count() == depth
    for _ in range(depth):
        rlock.release()
    assert is_usable(rlock)


@pytest.mark.parametrize("raises", [False, True], ids=["returns", "raises"])
def test_handler_keeps_the_rlock_during_acquire_restore(raises: bool) -> None:
    """What the handler took is its own, on top of what is restored."""
    rlock = ftthreading.RLock()
    with rlock, rlock, rlock:
        state = rlock._release_save()
        holder = Holder(rlock)
        in_handler = False

        def handler(*_: object) -> None:
            nonlocal in_handler
            in_handler = True
            rlock.acquire()
            if raises:
                raise Raised

        def disturb() -> None:
            send()
            wait_until(lambda: in_handler)
            wait_until_asleep(os.getpid())
            holder.let_go()

        with receiving(signal.SIGUSR1, handler):
            disturbing = once_main_sleeps(disturb)
            try:
                rlock._acquire_restore(state)
            except Raised:
                assert raises
            else:
                assert not raises
            disturbing.join()
        assert rlock._recursion_count() == 4
        rlock.release()
    assert is_usable(rlock)


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

    def conduct(_: int) -> None:
        nonlocal begun
        for n in range(1, rounds + 1):
            with lock:
                overtaking = start_asleep(1, overtake)
                begun = n
                wait_until(lambda n=n: entered == n)
                wait_until_asleep(os.getpid())
            overtaking.join()
            wait_until(lambda n=n: left == n)

    with receiving(signal.SIGUSR1, handler):
        conducting = start_threads(1, conduct)
        for n in range(1, rounds + 1):
            wait_until(lambda n=n: begun == n)
            entered = n
            assert lock.acquire(True, timeout) is True
            left = n
            lock.release()
        conducting.join()
    assert in_vain > 0


@pytest.mark.parametrize("raises", [False, True], ids=["returns", "raises"])
def test_signals_while_many_contend(raises: bool) -> None:
    """Wherever a signal strikes, nobody's turn is lost and nobody gets in unasked."""
    rlock = ftthreading.RLock()
    total = own = handled = raised = 0
    done = armed = False

    def handler(*_: object) -> None:
        nonlocal handled, armed
        handled += 1
        with rlock:
            pass
        if armed and raises:
            armed = False
            raise Raised

    def use(_: int) -> int:
        nonlocal total
        n = 0
        while not done:
            with rlock:
                seen = total
                n += 1
                total = seen + 1
        return n

    using = start_threads(3, use)
    with receiving(signal.SIGALRM, handler):
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        while handled < 300:
            try:
                armed = True
                rlock.acquire(timeout=0.001 if handled % 2 else -1)
                armed = False
            except Raised:
                raised += 1
            if rlock._is_owned():
                seen = total
                own += 1
                total = seen + 1
            while rlock._is_owned():
                rlock.release()
        signal.setitimer(signal.ITIMER_REAL, 0)
    done = True
    assert total == own + sum(using.join())
    assert own > 0
    assert (raised > 0) is raises
    assert is_usable(rlock)


@both
def test_wait_begun_with_a_pending_signal(name: str) -> None:
    """A signal that came just before the wait is handled in it, not after it.

    Everything between the signal and acquire() is C here, which leaves it pending.
    """
    lock = make(name)
    holder = Holder(lock)

    def handler(*_: object) -> None:
        raise Raised

    steps = [partial(ctypes.PyDLL(None)["raise"], signal.SIGUSR1), partial(lock.acquire, True, 20)]
    with receiving(signal.SIGUSR1, handler):
        acquired = []
        with pytest.raises(Raised):
            acquired.extend(map(operator.call, steps))
    assert acquired == []
    assert lock.locked()
    holder.end()
    assert is_usable(lock)


def test_handlers_see_locks_of_the_interrupted_thread() -> None:
    """An RLock is owned by a thread, not by a call: its handler re-enters."""
    rlock, lock = ftthreading.RLock(), ftthreading.Lock()
    seen: list[object] = []

    def handler(*_: object) -> None:
        seen.append((rlock._recursion_count(), rlock.acquire(False), lock.acquire(False)))
        rlock.release()

    with receiving(signal.SIGUSR1, handler), rlock, lock:
        send()
        wait_until(lambda: bool(seen))
    assert seen == [(1, True, False)]
    assert not rlock.locked()
    assert not lock.locked()


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
