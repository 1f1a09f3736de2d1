"""Signal handlers that use the very RLock for which the main thread waits, and may keep it."""

from __future__ import annotations

import signal

import pytest

import ftthreading
from tests.support import start_threads, wait_until
from tests.support.interrupting import Holder, Raised, interrupted, is_usable, receiving, send

pytestmark = pytest.mark.thread_unsafe(reason="signals and their handlers are the process's")

timeouts = pytest.mark.parametrize("timeout", [-1, 60], ids=["untimed", "timed"])


@timeouts
@pytest.mark.parametrize("depth", [1, 3])
def test_handler_keeps_the_rlock_that_main_waits_for(timeout: float, depth: int) -> None:
    """Main has it then, whoever in it took it, and acquire() takes it once more (gh-144706).

    threading.RLock hangs here: seen on 3.13.0, 3.13.5t, 3.14.7t and 3.15.0rc1t. The handler has
    the lock, and main waits in acquire() for a release that only main could do.
    """
    rlock = ftthreading.RLock()
    holder = Holder(rlock)

    def handler() -> None:
        for n in range(depth):
            assert rlock.acquire()
            assert rlock._recursion_count() == n + 1

    with interrupted(holder, handler):
        assert rlock.acquire(True, timeout) is True
    assert rlock._recursion_count() == depth + 1
    for _ in range(depth + 1):
        rlock.release()
    assert is_usable(rlock)


def test_handler_keeps_the_rlock_and_raises() -> None:
    rlock = ftthreading.RLock()
    holder = Holder(rlock)

    def handler() -> None:
        rlock.acquire()
        raise Raised

    with interrupted(holder, handler), pytest.raises(Raised):
        rlock.acquire()
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

    def handler() -> None:
        nonlocal handled
        handled += 1
        raise Raised(handled)

    with interrupted(holder, handler, times=3), pytest.raises(Raised) as raised:
        rlock._acquire_restore(state)
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

        def handler() -> None:
            rlock.acquire()
            if raises:
                raise Raised

        with interrupted(holder, handler):
            try:
                rlock._acquire_restore(state)
            except Raised:
                assert raises
            else:
                assert not raises
        assert rlock._recursion_count() == 4
        rlock.release()
    assert is_usable(rlock)


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
