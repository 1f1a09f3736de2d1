"""What tests of threads need: wait for a state, run threads together, run another Python.

Nothing here uses what is tested: threads and locks come from the interpreter's `_thread`.
Nothing sleeps in the hope that something has happened: every wait looks at a state and has a
deadline.
"""

from __future__ import annotations

import _thread
import contextlib
import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from toolkit import child

SECONDS = 30.0
"""How long anything may take that is only waited for; generous, for a loaded machine."""

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_SIGNALS = ("env", "--default-signal=HUP,INT,TERM")
"""Before a shell's command line: a shell can't trap what was ignored when it began, and below
nohup SIGHUP is."""


def wait_until(
    predicate: Callable[[], object], timeout: float = SECONDS, what: str | None = None
) -> None:
    """Return as soon as `predicate()` is true.

    timeout: seconds. what: the state waited for, in words, for the message.
    Raises AssertionError when the time has run out.
    """
    deadline = time.monotonic() + timeout
    pause = 0.0001
    while not predicate():
        if time.monotonic() > deadline:
            state = what or getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"not reached within {timeout:g} seconds: {state}")
        time.sleep(pause)
        pause = min(pause * 2, 0.01)


class Running:
    """Threads that `start_threads` has started."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.results: dict[int, Any] = {}
        self.exceptions: dict[int, BaseException] = {}

    @property
    def finished(self) -> int:
        """How many have come to their end."""
        return len(self.results) + len(self.exceptions)

    def join(self, timeout: float = SECONDS) -> list[Any]:
        """Wait for all; return their results in order, or raise the first exception."""
        deadline = time.monotonic() + timeout
        pause = 0.0001
        while self.finished < self.count and not self.exceptions:
            if time.monotonic() > deadline:
                faulthandler.dump_traceback(file=sys.__stderr__ or 2)
                raise AssertionError(
                    f"{self.count - self.finished} of {self.count} threads did not end within"
                    f" {timeout:g} seconds (all stacks are on standard error)"
                )
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        for _, exception in sorted(self.exceptions.items()):
            raise exception
        return [result for _, result in sorted(self.results.items())]


def start_threads(count: int, function: Callable[..., Any], *arguments: object) -> Running:
    """Run ``function(i, *arguments)`` in `count` threads, i from 0; begin them all together."""
    running = Running(count)
    ready = []
    gates = [_thread.allocate_lock() for _ in range(count)]

    def main(i: int) -> None:
        ready.append(i)
        gates[i].acquire()
        try:
            running.results[i] = function(i, *arguments)
        except BaseException as exception:
            running.exceptions[i] = exception

    for gate in gates:
        gate.acquire()
    for i in range(count):
        _thread.start_new_thread(main, (i,))
    try:
        wait_until(lambda: len(ready) == count, what=f"{count} threads have started")
    finally:
        for gate in gates:
            gate.release()
    return running


def run_threads(
    count: int, function: Callable[..., Any], *arguments: object, timeout: float = SECONDS
) -> list[Any]:
    """Run ``function(i, *arguments)`` in `count` threads at once; return their results in order.

    timeout: seconds for all together. Raises the first thread's exception; when the time has
    run out, dumps all stacks and raises AssertionError.
    """
    return start_threads(count, function, *arguments).join(timeout)


class SignalHandler:
    """A signal handler for tests, and the way to have it run in the main thread."""

    def __init__(self, number: int, function: Callable[[], object]) -> None:
        self.number = number
        self.function = function
        self.asked = 0
        self.begun = 0
        self._striking = 0
        self._over = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.begun < self.asked:  # or else strike() has sent it once too often
            self.begun += 1
            self.function()

    def strike(self) -> None:
        """Have the handler run once, now. Call this in another thread than the main one.

        A signal that arrives just before a thread goes to sleep in the kernel does not wake it
        up: no interpreter can help that without a race. So it is sent until it is noticed.
        """
        self._striking += 1
        self.asked += 1
        deadline = time.monotonic() + SECONDS
        try:
            while self.begun < self.asked:
                if self._over or time.monotonic() > deadline:
                    raise AssertionError(f"signal {self.number} was not handled")
                signal.pthread_kill(_thread._get_main_thread_ident(), self.number)  # type: ignore[attr-defined]
                with contextlib.suppress(AssertionError):
                    wait_until(lambda: self.begun == self.asked, timeout=0.2)
        finally:
            self._striking -= 1

    def end(self) -> None:
        """Return when no thread will send the signal any more."""
        self._over = True
        wait_until(lambda: not self._striking, what="the last signal has been sent")


@contextlib.contextmanager
def handling(function: Callable[[], object]) -> Iterator[SignalHandler]:
    """Have `function()` called for SIGUSR1 in the body. Only in the main thread."""
    handler = SignalHandler(signal.SIGUSR1, function)
    before = signal.signal(handler.number, handler)
    try:
        yield handler
    finally:
        handler.end()
        signal.signal(handler.number, before)


@contextlib.contextmanager
def alarms(function: Callable[[], object], seconds: float = 0.0002) -> Iterator[None]:
    """Have `function()` called again and again by a timer in the body. Only in the main thread."""
    before = signal.signal(signal.SIGALRM, lambda number, frame: function())
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def in_main_thread() -> bool:
    """Return whether this is the thread in which signal handlers run."""
    main: int = _thread._get_main_thread_ident()  # type: ignore[attr-defined]
    return _thread.get_ident() == main


@contextlib.contextmanager
def in_time(process: subprocess.Popen[Any], seconds: float = 2 * SECONDS) -> Iterator[None]:
    """Kill the process if the body takes longer, so that what reads from it comes to an end."""
    over = _thread.allocate_lock()
    over.acquire()

    def watch() -> None:
        if not over.acquire(timeout=seconds):
            process.kill()

    _thread.start_new_thread(watch, ())
    try:
        yield
    finally:
        over.release()


def run_python(
    program: str | Path,
    *arguments: str,
    timeout: float = 120.0,
    env: dict[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run this Python on a program, as code (a str) or a file (a Path), from the checkout.

    timeout: seconds; then the child writes all its stacks to standard error and dies.
    env: variables to add. check: raise AssertionError, with all that the child wrote, when it
    fails.
    """
    command = [sys.executable, "-X", "faulthandler"]
    command += [str(program)] if isinstance(program, Path) else ["-c", program]
    command += arguments
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    done = child.run(command, env={**os.environ, "PYTHONPATH": path, **(env or {})}, limit=timeout)
    if done.ended_by_us or (check and done.fault):
        raise AssertionError(
            f"{command}: {done.fault}\n--- standard output\n{done.stdout}"
            f"\n--- standard error\n{done.stderr}"
        )
    return subprocess.CompletedProcess(command, done.code, done.stdout, done.stderr)
