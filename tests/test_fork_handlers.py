"""fork() and signals: a handler that forks during a wait, and handlers in a child."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from typing import Any

import pytest
from asleep import once_main_sleeps, wait_until_asleep
from forking import Child, finish, marks, use
from support import SECONDS, run_threads, start_threads, wait_until

import ftthreading

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
    let_go = _thread.allocate_lock()
    let_go.acquire()

    def hold(_: int) -> None:
        with lock:
            let_go.acquire()

    holding = start_threads(1, hold)
    wait_until(lock.locked)

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
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        wait_until(lambda: len(children) == 1)
        wait_until_asleep(parent)
        let_go.release()

    acquired: bool | None = None

    def child() -> None:
        assert acquired is True
        assert lock.locked()
        lock.release()
        use(lock)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        interrupting = once_main_sleeps(interrupt)
        try:
            acquired = lock.acquire()
        finally:
            if os.getpid() != parent:
                finish(child)
        interrupting.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert acquired is True
    lock.release()
    holding.join()
    assert os.waitpid(children[0], 0)[1] == 0
    use(lock)


@both
def test_timed_wait_goes_on_in_the_child_of_its_handler(name: str) -> None:
    lock = make(name)
    parent = os.getpid()
    children: list[int] = []
    let_go = _thread.allocate_lock()
    let_go.acquire()

    def hold(_: int) -> None:
        with lock:
            let_go.acquire()

    holding = start_threads(1, hold)
    wait_until(lock.locked)

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

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        interrupting = once_main_sleeps(
            lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        )
        start = time.monotonic()
        try:
            acquired = lock.acquire(timeout=1)
        finally:
            if os.getpid() != parent:
                finish(child)
        interrupting.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert acquired is False
    assert len(children) == 1
    assert os.waitpid(children[0], 0)[1] == 0
    let_go.release()
    holding.join()
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
