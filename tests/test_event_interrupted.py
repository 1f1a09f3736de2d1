"""Event, interrupted: by exceptions, by handlers that use the same event, by fork."""

import gc
import os

import pytest
from interruptions import Interruption, at_every_place
from support import alarms, handling, run_threads, start_threads, wait_until
from test_event import start_waiters, waiting

from ftthreading import Event

SIGNALS = pytest.mark.thread_unsafe(reason="signal handlers are of the whole process")
MONITORS = pytest.mark.thread_unsafe(reason="interrupts by sys.monitoring, of the whole process")


@MONITORS
def test_interrupted_set_wakes_all_or_nobody():
    def scenario(interrupter):
        event = Event()
        running = start_waiters(event, 3)
        try:
            with interrupter.here():
                event.set()
        except Interruption:
            pass
        if not event.is_set():
            assert interrupter.where
            assert waiting(event) == 3
            event.set()
        assert running.join() == [True] * 3

    at_every_place(scenario, at_least=4)


@MONITORS
def test_interrupted_wait_leaves_nothing_behind():
    def scenario(interrupter):
        event = Event()
        try:
            with interrupter.here():
                assert event.wait(0.001) is False
        except Interruption:
            pass
        # A waiter may stay behind only if it was struck at leaving; it is woken in vain then.
        event.set()
        assert waiting(event) == 0
        event.clear()
        running = start_waiters(event, 1)
        event.set()
        assert running.join() == [True]

    at_every_place(scenario, at_least=5)


@MONITORS
def test_interrupted_clear_does_it_or_not_and_locks_nobody_out():
    def scenario(interrupter):
        event = Event()
        event.set()
        try:
            with interrupter.here():
                event.clear()
        except Interruption:
            pass
        assert interrupter.where or not event.is_set()
        run_threads(1, lambda i: event.clear())
        assert not event.is_set()

    at_every_place(scenario, at_least=5)


@MONITORS
@pytest.mark.parametrize("first", ["set", "clear"])
@pytest.mark.parametrize("second", ["set", "clear", "wait"])
def test_a_handler_may_call_anything_at_any_place(first, second):
    # The handler's call is made where the interruption strikes, within the interrupted call.
    def scenario(interrupter):
        event = Event()
        if first == "clear":
            event.set()
        running = start_waiters(event, 2) if first == "set" else None

        strike = interrupter.pass_by

        def call_instead(code, offset):
            try:
                strike(code, offset)
            except Interruption:
                interrupter._thread = None
                if second == "wait":
                    event.wait(0)
                else:
                    getattr(event, second)()

        interrupter.pass_by = call_instead
        with interrupter.here():
            getattr(event, first)()
        if second in (first, "wait"):
            assert event.is_set() == (first == "set")
        if running:
            event.set()
            assert running.join() == [True, True]
        late = start_threads(1, lambda i: event.wait())
        event.set()
        assert late.join() == [True]

    at_every_place(scenario, at_least=4)


@SIGNALS
def test_set_in_a_handler_ends_the_wait_it_interrupts():
    event = Event()

    def interrupt(_):
        wait_until(lambda: waiting(event) == 1)
        handler.strike()

    def set_and_clear():
        event.set()
        event.clear()

    with handling(set_and_clear) as handler:
        running = start_threads(1, interrupt)
        assert event.wait(60) is True
        running.join()


@SIGNALS
def test_set_in_a_handler_that_interrupts_set():
    # threading's event locks itself out here.
    event = Event()
    handled = []

    def set_and_clear():
        event.set()
        event.clear()
        handled.append(1)

    with alarms(set_and_clear):
        running = start_threads(2, lambda i: [event.wait(60) for _ in range(200)])
        while running.finished != 2 or len(handled) < 100:
            event.set()
            event.clear()
    assert all(all(results) for results in running.join())


def test_set_by_a_finalizer_inside_set():
    event = Event()

    class Sets:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            event.set()

    for _ in range(100):
        Sets()
        event.set()
        event.clear()
    gc.collect()
    assert event.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.thread_unsafe(reason="forks")
def test_usable_in_the_child_of_a_fork():
    event = Event()
    running = start_waiters(event, 2)
    pid = os.fork()
    if not pid:
        status = 1
        try:
            event._at_fork_reinit()
            if not event.is_set() and waiting(event) == 0:
                event.set()
                event.clear()
                event.set()
                status = 0 if event.wait() else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    event.set()
    assert running.join() == [True] * 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@SIGNALS
def test_fork_in_a_handler_that_interrupts_a_wait():
    event = Event()
    children = []

    def fork():
        pid = os.fork()
        if pid:
            children.append(pid)
        else:
            # The child goes on waiting; this thread will end that.
            start_threads(1, lambda i: event.set())

    def interrupt(_):
        wait_until(lambda: waiting(event) == 1)
        handler.strike()
        wait_until(lambda: children)
        event.set()

    pid = os.getpid()
    with handling(fork) as handler:
        running = start_threads(1, interrupt)
        got = event.wait(30)
        if os.getpid() != pid:
            os._exit(0 if got else 1)
        assert got
        running.join()
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
