"""What demonstrations of held-out bugs share.

A demonstration knows where to look, and arranges what a race would have to meet; that the harness
meets it as well is not said here.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

from tests.support import Running, start_threads, wait_until

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
ROUNDS = 30
"""How often a demonstration tries what one thread can be too fast for."""

shows: dict[str, Callable[[Any], bool]] = {}
"""By the name of a bug, whether a module shows it."""


class Patience:
    """Seconds after which what has not ended hangs; more where nothing is to hang."""

    seconds = 0.7


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
        wait_until(predicate, Patience.seconds if seconds is None else seconds)
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
        wait_until(ended, Patience.seconds)
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
