"""Signal handlers in start(): one that raises, starts, forks, or holds the registry."""

from __future__ import annotations

import contextlib
import dis
import itertools
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

import ftthreading
from ftthreading import _thread as mended
from ftthreading._cpython import HANDLE
from tests.support import SECONDS, handling, run_python, wait_until
from tests.support.asleep import once_main_sleeps
from tests.support.starting import Held, Interrupt, alone, interrupt, processes, refused


def start_inside(thread: ftthreading.Thread) -> None:
    with contextlib.suppress(RuntimeError):
        thread.start()


def after_calls(code: Any) -> set[int]:
    """The places in a function's code where a signal handler may run, but for its beginning."""
    steps = itertools.pairwise(dis.get_instructions(code))
    return {step.offset for before, step in steps if before.opname.startswith("CALL")}


@alone
@pytest.mark.parametrize("handle", [interrupt, start_inside])
def test_a_handler_anywhere_in_start(handle: Callable[[ftthreading.Thread], None]) -> None:
    """It runs after a call, whichever that is: the thread runs once, or may be started again."""
    codes = [ftthreading.Thread.start.__code__, mended._wait_until_it_runs.__code__]
    places = {code: after_calls(code) for code in codes}
    left = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code not in places:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lasti in places[frame.f_code]:
            left -= 1
            if left == 0:
                handle(thread)
        return trace

    before = ftthreading.enumerate()
    startable = on_its_way = 0
    for call in itertools.count(1):
        ran: list[None] = []
        thread = ftthreading.Thread(target=ran.append, args=(None,))
        left = call
        sys.settrace(trace)
        try:
            thread.start()
        except (Interrupt, RuntimeError):
            pass
        finally:
            sys.settrace(None)
        if left > 0:  # so many calls start() does not make
            thread.join(SECONDS)
            break
        try:
            thread.start()
            startable += 1
        except RuntimeError:
            on_its_way += 1
        thread.join(SECONDS)
        assert ran == [None], f"interrupted after call {call}"
        assert ftthreading.enumerate() == before
    assert on_its_way >= 2
    assert startable >= 3 or handle is start_inside


@alone
def test_a_handler_that_raises_while_start_waits() -> None:
    """The thread has been made, so it counts as started."""
    ran: list[None] = []
    thread = Held(target=ran.append, args=(None,))
    with handling(lambda: interrupt(thread)) as handler:
        striking = once_main_sleeps(handler.strike)
        with pytest.raises(Interrupt):
            thread.start()
        striking.join()
    assert thread in ftthreading.enumerate()
    assert thread.is_alive()
    assert thread.ident == getattr(thread, HANDLE).ident
    assert refused(thread)
    thread.gate.release()
    thread.join(SECONDS)
    assert refused(thread)
    assert ran == [None]


@alone
def test_a_handler_that_start_waits_for() -> None:
    thread = Held()
    with handling(thread.gate.release) as handler:
        striking = once_main_sleeps(handler.strike)
        thread.start()
        striking.join()
    thread.join(SECONDS)


@processes
@pytest.mark.parametrize("way", ["with", "handler"])
def test_start_by_one_who_holds_the_registry(way: str) -> None:
    """As a handler does that interrupted enumerate(): what it asks of the thread does not wait."""
    run_python(
        """
import signal, sys, threading, ftthreading
started = []

def start(*_):
    thread = ftthreading.Thread(target=lambda: None)
    thread.start()
    started.append((thread, thread.ident, thread.native_id))

def ask(*_):
    for thread in threading.enumerate():
        thread.native_id

if sys.argv[1] == "with":
    with threading._active_limbo_lock:
        start()
else:
    signal.signal(signal.SIGALRM, ask)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    for _ in range(2000):
        start()
    signal.setitimer(signal.ITIMER_REAL, 0)
for thread, ident, native_id in started:
    thread.join()
    assert ident == thread.ident and native_id == thread.native_id is not None
""",
        way,
        timeout=60,
    )


@processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_a_handler_that_forks_while_start_waits() -> None:
    """The child has no such thread; to it, it was started and is no more, as any other."""
    run_python(
        """
import os, signal, sys, _thread, warnings
import ftthreading
from tests.support.asleep import once_main_sleeps
from tests.support import SECONDS, handling
warnings.simplefilter("ignore")

class Held(ftthreading.Thread):
    def _bootstrap(self):
        gate.acquire(timeout=SECONDS)
        super()._bootstrap()

def fork():
    global child
    child = os.fork()
    if child == 0:
        handler.end = lambda: None
    else:
        status.append(os.waitpid(child, 0)[1])
        gate.release()

gate = _thread.allocate_lock()
gate.acquire()
status = []
thread = Held()
with handling(fork) as handler:
    striking = once_main_sleeps(handler.strike)
    thread.start()
    if child == 0:
        thread.join()
        assert not thread.is_alive() and ftthreading.enumerate() == [ftthreading.main_thread()]
        late = ftthreading.Thread()
        late.start()
        late.join()
        os._exit(0)
    striking.join()
thread.join()
assert status == [0], status
""",
        timeout=60,
    )


@alone
def test_a_thread_that_dies_when_nobody_waits_for_it() -> None:
    class Dying(Held):
        def _bootstrap(self) -> None:
            self.gate.acquire(timeout=SECONDS)
            raise SystemExit

    thread = Dying()
    with handling(lambda: interrupt(thread)) as handler:
        striking = once_main_sleeps(handler.strike)
        with pytest.raises(Interrupt):
            thread.start()
        striking.join()
    assert refused(thread)
    thread.gate.release()
    wait_until(lambda: thread not in ftthreading.enumerate())
    thread.join(SECONDS)
    assert not thread.is_alive()
