"""Thread and Timer: what start() promises when it does not wait, and who current_thread() is."""

from __future__ import annotations

import _thread
import contextlib
import dis
import itertools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from support import SECONDS, run_python, start_threads, wait_until

import ftthreading
from ftthreading._cpython import HANDLE

alone = pytest.mark.thread_unsafe(reason="changes names of threading, or looks at all threads")
processes = pytest.mark.thread_unsafe(reason="runs interpreters by itself")


class Gated(ftthreading.Thread):
    """A thread that the system has made and that has not yet run a line of Thread's own."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.arrived = _thread.allocate_lock()
        self.arrived.acquire()
        self.gate = _thread.allocate_lock()
        self.gate.acquire()

    def _bootstrap_inner(self) -> None:
        self.arrived.release()
        self.gate.acquire(timeout=SECONDS)
        super()._bootstrap_inner()  # type: ignore[misc]


def test_start_does_not_wait() -> None:
    ran: list[int] = []
    thread = Gated(target=lambda: ran.append(_thread.get_ident()))
    thread.start()
    assert thread.arrived.acquire(timeout=SECONDS)
    assert not ran
    assert thread.ident is not None
    assert thread.is_alive()
    assert thread in ftthreading.enumerate()
    assert "started" in repr(thread)
    with pytest.raises(RuntimeError, match="cannot set daemon status of active thread"):
        thread.daemon = True
    thread.gate.release()
    thread.join(SECONDS)
    assert ran == [thread.ident]
    assert not thread.is_alive()
    assert thread not in ftthreading.enumerate()


def test_native_id_is_waited_for() -> None:
    asked: list[int | None] = []
    thread = Gated(target=lambda: asked.append(ftthreading.get_native_id()))
    assert thread.native_id is None
    thread.start()
    assert thread.arrived.acquire(timeout=SECONDS)
    asking = start_threads(1, lambda _: thread.native_id)
    thread.gate.release()
    thread.join(SECONDS)
    assert asking.join() == asked == [thread.native_id]


@alone
def test_native_id_found_out_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread runs and ends between the two things that native_id looks at."""
    thread = Gated()

    class Limbo(dict[object, object]):
        def __contains__(self, key: object) -> bool:
            if thread.gate.locked():
                thread.gate.release()
                thread.join(SECONDS)
            return super().__contains__(key)

    monkeypatch.setattr(threading, "_limbo", Limbo())
    thread.start()
    assert thread.arrived.acquire(timeout=SECONDS)
    assert thread.native_id is not None


def test_only_one_start() -> None:
    thread = ftthreading.Thread()
    thread.start()
    thread.join()
    for state in (thread, ftthreading.current_thread(), ftthreading.main_thread()):
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            state.start()


def test_many_starts_at_once() -> None:
    for _ in range(50):
        ran: list[None] = []
        thread = ftthreading.Thread(target=ran.append, args=(None,))

        def start(_: int, thread: threading.Thread = thread) -> bool:
            try:
                thread.start()
            except RuntimeError:
                return False
            return True

        assert sorted(start_threads(4, start).join()) == [False, False, False, True]
        thread.join(SECONDS)
        assert ran == [None]


def test_without_init() -> None:
    class Forgetful(ftthreading.Thread):
        def __init__(self) -> None:
            pass

    with pytest.raises(RuntimeError, match=r"thread.__init__\(\) not called"):
        Forgetful().start()
    with pytest.raises(RuntimeError, match=r"Thread.__init__\(\) not called"):
        Forgetful().join()


def test_the_other_constructor() -> None:
    """A subclass of ours that calls threading's, because it says so by name."""

    class Mixed(ftthreading.Thread):
        def __init__(self) -> None:
            threading.Thread.__init__(self)

    thread = Mixed()
    thread.start()
    thread.join(SECONDS)
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        thread.start()


class Interrupt(BaseException):
    pass


def interrupt(thread: ftthreading.Thread) -> None:
    raise Interrupt


def start_inside(thread: ftthreading.Thread) -> None:
    with contextlib.suppress(RuntimeError):
        thread.start()


@alone
@pytest.mark.parametrize("handle", [interrupt, start_inside])
def test_a_handler_anywhere_in_start(handle: Callable[[ftthreading.Thread], None]) -> None:
    """It runs after a call, whichever that is: the thread runs once, or may be started again."""
    code = ftthreading.Thread.start.__code__
    steps = itertools.pairwise(dis.get_instructions(code))
    after_call = {step.offset for before, step in steps if before.opname.startswith("CALL")}
    left = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code is not code:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lasti in after_call:
            left -= 1
            if left == 0:
                handle(frame.f_locals["self"])
        return trace

    before = ftthreading.enumerate()
    startable = on_its_way = 0
    for call in range(1, len(after_call) + 2):
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
def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    ran: list[None] = []
    thread = ftthreading.Thread(target=ran.append, args=(None,))
    with monkeypatch.context() as patch:
        patch.setattr(threading, "_start_joinable_thread", refuse)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                thread.start()
            assert thread not in ftthreading.enumerate()
            assert thread.ident is None
            assert not thread.is_alive()
    thread.start()
    thread.join(SECONDS)
    assert ran == [None]


@pytest.mark.parametrize("look", ["join", "is_alive"])
def test_a_bootstrap_that_dies(look: str) -> None:
    class Stillborn(ftthreading.Thread):
        def _bootstrap(self) -> None:
            raise SystemExit

    thread = Stillborn()
    thread.start()
    if look == "join":
        thread.join(SECONDS)
    else:
        wait_until(lambda: not thread.is_alive())
    assert thread not in ftthreading.enumerate()
    assert thread.native_id is None


class Late:
    """A handle that says from its second look on what has been true before."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.looks = itertools.count()

    def is_done(self) -> bool:
        return next(self.looks) > 0 and self.handle.is_done()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handle, name)


def test_a_bootstrap_that_dies_while_it_is_looked_at() -> None:
    started = ftthreading.Event()

    class Stillborn(ftthreading.Thread):
        def _bootstrap(self) -> None:
            started.wait()  # for start() would notice the death of a thread that is dead by then
            raise SystemExit

    thread = Stillborn()
    thread.start()
    handle = getattr(thread, HANDLE)
    started.set()
    wait_until(handle.is_done)
    setattr(thread, HANDLE, Late(handle))
    assert not thread.is_alive()
    assert thread not in ftthreading.enumerate()


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
def test_nothing_is_kept_of_the_main_thread_at_exit() -> None:
    """Who embeds Python may start it again, in the same place of memory."""
    done = run_python(
        """
import atexit, threading

def look():
    ftthreading._core._set_finder(lambda: "looked up")
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
    assert isinstance(timer, threading.Timer)


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
