"""fork() and signals: a handler that forks during a wait, and handlers in a child."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

import ftthreading
from tests.support import SECONDS, run_threads, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, wait_until_asleep
from tests.support.forking import Child, end_of, finish, marks, use
from tests.support.interrupting import Holder, receiving, send

pytestmark = marks

both = pytest.mark.parametrize("name", ["Lock", "RLock"])


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


@both
def test_fork_in_a_signal_handler_that_interrupted_the_wait(name: str) -> None:
    """In the child the wait goes on as well, and ends when the lock is freed there."""
    lock = make(name)
    parent = os.getpid()
    children: list[int] = []
    holder = Holder(lock)

    def release_once_main_sleeps(_: int) -> None:
        wait_until_asleep(os.getpid())
        lock.release()

    def handler(*_: object) -> None:
        pid = os.fork()
        if pid != 0:
            children.append(pid)
        elif name == "Lock":
            start_threads(1, release_once_main_sleeps)
        else:
            lock._at_fork_reinit()

    def interrupt() -> None:
        send()
        wait_until(lambda: len(children) == 1)
        wait_until_asleep(parent)
        holder.let_go()

    acquired: bool | None = None

    def child() -> None:
        assert acquired is True
        assert lock.locked()
        lock.release()
        use(lock)

    with receiving(signal.SIGUSR1, handler):
        interrupting = once_main_sleeps(interrupt)
        try:
            acquired = lock.acquire()
        finally:
            if os.getpid() != parent:
                finish(child)
        interrupting.join()
    assert acquired is True
    lock.release()
    holder.join()
    end_of(children[0])
    use(lock)


@both
def test_timed_wait_goes_on_in_the_child_of_its_handler(name: str) -> None:
    lock = make(name)
    parent = os.getpid()
    children: list[int] = []
    holder = Holder(lock)

    def handler(*_: object) -> None:
        pid = os.fork()
        if pid != 0:
            children.append(pid)

    acquired: bool | None = None
    start = 0.0

    def child() -> None:
        assert acquired is False
        assert time.monotonic() - start >= 1
        assert lock.locked()

    with receiving(signal.SIGUSR1, handler):
        interrupting = once_main_sleeps(send)
        start = time.monotonic()
        try:
            acquired = lock.acquire(timeout=1)
        finally:
            if os.getpid() != parent:
                finish(child)
        interrupting.join()
    assert acquired is False
    assert len(children) == 1
    end_of(children[0])
    holder.end()
    use(lock)


def test_signals_interrupt_waits_in_a_child_of_another_thread() -> None:
    """The thread that called fork() is the child's main thread: it runs the handlers there."""

    class Alarm(Exception):
        pass

    def handler(*_: object) -> None:
        raise Alarm

    def child() -> None:
        signal.signal(signal.SIGALRM, handler)
        for lock in (ftthreading.Lock(), ftthreading.RLock()):
            run_threads(1, lambda _, lock=lock: lock.acquire())
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
                lock.acquire(timeout=SECONDS)
            except Alarm:
                signal.setitimer(signal.ITIMER_REAL, 0)
            else:
                raise AssertionError("not interrupted")

    def fork(_: int) -> None:
        Child(child).end()

    run_threads(1, fork, timeout=3 * SECONDS)
