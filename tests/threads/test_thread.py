"""Thread and Timer: join(), who current_thread() is, and what is left behind."""

from __future__ import annotations

import _thread
import inspect
import os
import threading
import time
import weakref
from typing import Any
from unittest import mock

import pytest

import ftthreading
from ftthreading import _thread as mended
from tests.support import SECONDS, run_python, start_threads, wait_until
from tests.support.starting import Gated, alone, processes


@pytest.fixture(params=[False, True], ids=["", "can be ended"])
def joins(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either way in which a join waits."""
    monkeypatch.setattr(mended, "joins_can_be_ended", request.param)


@pytest.mark.usefixtures("joins")
def test_errors_of_join() -> None:
    thread = ftthreading.Thread(target=lambda: None)
    with pytest.raises(RuntimeError, match="cannot join thread before it is started"):
        thread.join()
    with pytest.raises(RuntimeError, match="cannot join current thread"):
        ftthreading.current_thread().join()
    thread.start()
    thread.join(SECONDS)
    thread.join(-1)
    waiting = Gated()
    waiting.start()
    with pytest.raises(OverflowError):
        waiting.join(ftthreading.TIMEOUT_MAX * 2)
    waiting.gate.release()
    waiting.join(SECONDS)


@pytest.mark.usefixtures("joins")
def test_many_joiners() -> None:
    thread = Gated()
    thread.start()
    joining = start_threads(8, lambda _: thread.join(SECONDS))
    thread.join(0.001)
    assert thread.is_alive()
    thread.gate.release()
    joining.join()
    assert not thread.is_alive()


def test_current_thread_in_its_thread() -> None:
    seen: list[object] = []

    class Asking(ftthreading.Thread):
        def run(self) -> None:
            seen.extend((ftthreading.current_thread(), threading.current_thread()))

    thread = Asking()
    thread.start()
    thread.join(SECONDS)
    assert seen == [thread, thread]


def test_current_thread_of_threading_s_thread() -> None:
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(ftthreading.current_thread()))
    thread.start()
    thread.join(SECONDS)
    assert seen == [thread]


@alone
def test_current_thread_of_an_alien() -> None:
    seen: list[threading.Thread] = []
    done = _thread.allocate_lock()
    done.acquire()

    def ask() -> None:
        seen.extend((ftthreading.current_thread(), ftthreading.current_thread()))
        seen.append(threading.current_thread())
        done.release()

    _thread.start_new_thread(ask, ())
    assert done.acquire(timeout=SECONDS)
    dummy = seen[0]
    assert seen == [dummy] * 3
    assert dummy.name.startswith("Dummy-")
    assert isinstance(dummy, ftthreading.Thread)
    assert isinstance(dummy, threading._DummyThread)
    with pytest.raises(RuntimeError, match="cannot join a dummy thread"):
        dummy.join()
    wait_until(lambda: dummy not in ftthreading.enumerate())


def test_current_thread_is_a_function() -> None:
    """As is threading's, in the ways in which code was seen to ask."""
    ours, theirs = ftthreading.current_thread, threading.current_thread
    assert inspect.isfunction(ours)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert (ours.__doc__, ours.__name__) == (theirs.__doc__, theirs.__name__)
    for arguments, names in (((1,), {}), ((), {"of": 1})):
        with pytest.raises(TypeError, match=r"current_thread\(\)"):
            ours(*arguments, **names)


def test_the_thread_is_let_go() -> None:
    thread = ftthreading.Thread(target=ftthreading.current_thread)
    gone = weakref.ref(thread)
    thread.start()
    thread.join(SECONDS)
    del thread
    wait_until(lambda: gone() is None)


@processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_in_the_child_of_a_fork() -> None:
    run_python(
        """
import os, sys
import ftthreading as threading

def fork():
    me = threading.current_thread()
    before = threading.get_native_id()
    child = os.fork()
    if child == 0:
        ok = threading.current_thread() is me is threading.main_thread()
        ok = ok and threading.get_native_id() == os.getpid() != before
        ok = ok and threading.enumerate() == [me] and not other.is_alive()
        other.join()
        late = threading.Thread(target=lambda: None)
        late.start()
        late.join()
        os._exit(0 if ok else 1)
    statuses.append(os.waitpid(child, 0)[1])

statuses = []
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
forking = threading.Thread(target=fork)
forking.start()
forking.join()
fork()
done.set()
assert statuses == [0, 0], statuses
"""
    )


@processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
@pytest.mark.parametrize("mode", ["", "raise"])
def test_join_whose_signal_handler_forks(mode: str) -> None:
    """In the child the thread is no more, and the join ends."""
    run_python(
        """
import os, signal, sys
import ftthreading as threading
from ftthreading import diagnostics
from tests.support.asleep import once_main_sleeps

diagnostics.enable(deadlocks=sys.argv[1] or None)

children = []

def fork(*_):
    child = os.fork()
    if child:
        children.append(child)
        done.set()
    else:
        signal.alarm(20)

signal.signal(signal.SIGUSR1, fork)
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
once_main_sleeps(lambda: os.kill(os.getpid(), signal.SIGUSR1))
other.join()
if not children:
    os._exit(other.is_alive())
assert os.waitpid(children[0], 0)[1] == 0
""",
        mode,
    )


@processes
def test_nothing_is_kept_of_the_main_thread_at_exit() -> None:
    """Who embeds Python may start it again, in the same place of memory."""
    done = run_python(
        """
import atexit, threading

def look():
    threading._active[threading.get_ident()] = "looked up"
    print(ftthreading.current_thread())

atexit.register(look)
import ftthreading
atexit.register(lambda: print(ftthreading.current_thread() is threading.main_thread()))
"""
    )
    assert done.stdout == "True\nlooked up\n"


@processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_the_main_thread_is_let_go_in_another_s_child() -> None:
    """There it is no more, and nobody is left who could let it go."""
    run_python(
        """
import gc, os, weakref
import ftthreading as threading

def fork():
    main = weakref.ref(threading.main_thread())
    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(main() is not None)
    statuses.append(os.waitpid(child, 0)[1])

statuses = []
forking = threading.Thread(target=fork)
forking.start()
forking.join()
assert statuses == [0], statuses
"""
    )


@processes
def test_join_of_a_daemon_at_exit() -> None:
    """It has been stopped for good, so to wait for it would be for ever."""
    done = run_python(
        """
import ftthreading as threading, os, sys, time

class AtTheEnd:
    def __init__(self):
        running = threading.Event()
        self.daemon = threading.Thread(target=self.sleep, args=(running,), daemon=True)
        self.daemon.start()
        running.wait()

    @staticmethod
    def sleep(running):
        running.set()
        time.sleep(60)

    def __del__(self, error=PythonFinalizationError, write=os.write):
        try:
            self.daemon.join(5)
        except error:
            write(1, b"raised")

sys.ps1 = AtTheEnd()  # goes first, when all modules are still there
"""
    )
    assert done.stdout == "raised"


def test_timer() -> None:
    ran: list[Any] = []
    timer = ftthreading.Timer(0.001, lambda *args, **kwargs: ran.append((args, kwargs)), [1])
    timer.start()
    timer.join(SECONDS)
    assert ran == [((1,), {})]
    assert type(timer) is ftthreading.Timer is threading.Timer


@alone
def test_timer_where_run_is_patched() -> None:
    """A tool that patches Thread.run does not mean to patch Timer.run."""
    ran: list[None] = []
    with mock.patch.object(ftthreading.Thread, "run"):
        timer = ftthreading.Timer(0.001, ran.append, [None])
        timer.start()
        timer.join(SECONDS)
    assert ran == [None]


@processes
def test_timer_in_threading_s_place() -> None:
    run_python(
        """
import ftthreading
ftthreading.install()
import threading

ran = []
timer = threading.Timer(0.001, ran.append, args=(1,))
timer.start()
timer.join()
assert ran == [1]
"""
    )


def test_timer_cancelled() -> None:
    ran: list[None] = []
    timer = ftthreading.Timer(SECONDS, ran.append, args=(None,))
    timer.start()
    begin = time.monotonic()
    timer.cancel()
    timer.join(SECONDS)
    assert not timer.is_alive()
    assert time.monotonic() - begin < SECONDS
    assert not ran


@alone
def test_many_short_threads_leave_nothing() -> None:
    def use(count: int) -> None:
        for _ in range(count // 20):
            threads = [ftthreading.Thread(target=ftthreading.current_thread) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def state() -> tuple[int, int, int]:
        tasks = os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else []
        files = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
        return len(tasks), len(files), ftthreading.active_count()

    use(200)
    before = state()
    use(int(os.environ.get("FTT_THREADS", "2000")))
    wait_until(lambda: state() <= before, what="threads, files and registry are as before")
