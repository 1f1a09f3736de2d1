"""Interrupting a wait of the main thread: a lock that another thread holds, and real signals."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ftthreading import RLock
from tests.support import Running, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep, take, wait_until_asleep


class Raised(Exception):
    pass


class PlainLock:
    """A lock that cannot say whose it is."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acquire = self.lock.acquire
        self.release = self.lock.release


class SubRLock(RLock):
    """An RLock of another type, which Condition asks through its methods."""


def once_waiting(cond: Any, action: Callable[[], Any]) -> Running:
    """Run `action` in a thread once the main thread waits for the condition."""

    def main(_: int) -> Any:
        wait_until(lambda: len(cond._waiters) == 1)
        wait_until_asleep(os.getpid())
        return action()

    return start_threads(1, main)


def fail(*_: object) -> NoReturn:
    """A signal handler that raises."""
    raise Raised


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

    def join(self) -> None:
        """Wait for its end, once it has been told."""
        self._running.join()

    def end(self) -> None:
        self.let_go()
        self.join()


@contextlib.contextmanager
def interrupted(holder: Holder, handler: Callable[[], object], times: int = 1) -> Iterator[None]:
    """Have the main thread interrupted in the body, where it waits for the holder's lock.

    Each time it sleeps it gets a signal, and `handler()` is called; when it sleeps again, be it
    in the handler, the next one follows. After so many `times` the holder lets go.
    """
    begun = 0

    def begin(*_: object) -> None:
        nonlocal begun
        begun += 1
        handler()

    def disturb() -> None:
        try:
            for count in range(1, times + 1):
                send()
                wait_until(lambda: begun == count, what=f"handler {count} has begun")
                wait_until_asleep(os.getpid())
        finally:
            holder.let_go()

    with receiving(signal.SIGUSR1, begin):
        disturbing = once_main_sleeps(disturb)
        yield
        disturbing.join()


def is_usable(lock: Any) -> bool:
    """Whether waiting for the lock and being woken still works, and nothing is left behind."""
    assert lock.acquire(False)
    waiting = start_asleep(2, take, lock)
    lock.release()
    return waiting.join() == [True] * 2 and not lock.locked()
