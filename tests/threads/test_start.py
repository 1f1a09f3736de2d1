"""What start() promises: when it returns the thread has begun, and exactly one call starts it.

How several calls at once end is in contract/test_promises.py too, beside what `threading` does.
"""

from __future__ import annotations

import _thread
import ctypes
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import ftthreading
from ftthreading._cpython import HANDLE
from tests.support import SECONDS, run_python, start_threads, wait_until
from tests.support.starting import Gated, alone, processes, refused


def test_it_runs_when_start_returns() -> None:
    asked: list[int] = []
    thread = Gated(target=lambda: asked.append(ftthreading.get_native_id()))
    assert (thread.ident, thread.native_id) == (None, None)
    thread.start()
    assert thread.is_alive()
    assert threading._active[thread.ident] is thread  # type: ignore[attr-defined]
    assert thread not in threading._limbo  # type: ignore[attr-defined]
    assert ftthreading.enumerate().count(thread) == 1
    assert "started" in repr(thread)
    with pytest.raises(RuntimeError, match="cannot set daemon status of active thread"):
        thread.daemon = True
    native_id = thread.native_id
    thread.gate.release()
    thread.join(SECONDS)
    assert asked == [native_id]
    assert not thread.is_alive()
    assert thread not in ftthreading.enumerate()


@alone
def test_a_thousand_are_visible_when_start_returns() -> None:
    """To the C API, that is, and to those who dump all stacks."""
    for _ in range(1000):
        thread = Gated()
        thread.start()
        frames = sys._current_frames()
        thread.gate.release()
        assert thread.ident in frames
        thread.join(SECONDS)


class Asynchronous(Exception):
    pass


@alone
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_can_be_sent_when_start_returns() -> None:
    """Where the thread gets it is another matter: before run(), perhaps."""
    for _ in range(100):
        over: list[None] = []

        def run(over: list[None] = over) -> None:
            while not over:
                time.sleep(0.0001)

        thread = ftthreading.Thread(target=run)
        thread.start()
        ident, exception = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Asynchronous)
        sent = ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, exception)
        if sent != 1:
            over.append(None)
        thread.join(SECONDS)
        assert sent == 1
        assert not thread.is_alive()


def test_a_pool_s_threads_run_when_submit_returns() -> None:
    active: dict[int | None, object] = threading._active  # type: ignore[attr-defined]
    for _ in range(50):
        gate = ftthreading.Event()
        with ThreadPoolExecutor(4) as pool:
            try:
                for _ in range(4):
                    pool.submit(gate.wait, SECONDS)
                    assert all(active.get(thread.ident) is thread for thread in pool._threads)
            finally:
                gate.set()


def test_only_names_of_threading_s_in_an_instance() -> None:
    thread = Gated()
    before = {*vars(thread)}
    thread.start()
    assert {*vars(thread)} == before
    thread.gate.release()
    thread.join(SECONDS)
    assert {*vars(thread)} <= before


def test_a_subclass_has_the_name_start_lock() -> None:
    ran: list[None] = []

    class Locking(ftthreading.Thread):
        def __init__(self) -> None:
            super().__init__(target=ran.append, args=(None,))
            self._start_lock = _thread.allocate_lock()
            self._start_lock.acquire()

    class Computing(ftthreading.Thread):
        @property
        def _start_lock(self) -> object:
            raise AssertionError

    thread = Locking()
    running = start_threads(1, lambda _: thread.start())
    running.join(5)
    thread.join(SECONDS)
    assert ran == [None]
    other = Computing(target=ran.append, args=(None,))
    other.start()
    other.join(SECONDS)
    assert ran == [None, None]


def test_only_one_start() -> None:
    thread = ftthreading.Thread()
    thread.start()
    thread.join()
    for state in (thread, ftthreading.current_thread(), ftthreading.main_thread()):
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            state.start()


@alone
def test_many_starts_at_once() -> None:
    for _ in range(1000):
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


class Stillborn(ftthreading.Thread):
    def _bootstrap(self) -> None:
        raise SystemExit


class OutOfMemory(ftthreading.Thread):
    def _bootstrap(self) -> None:
        raise MemoryError


class Idle(ftthreading.Thread):
    def _bootstrap(self) -> None:
        pass


class WithoutNumber(ftthreading.Thread):
    def _set_native_id(self) -> None:
        raise MemoryError


def check_that_it_died(thread: ftthreading.Thread) -> None:
    with pytest.raises(RuntimeError, match="can't start new thread"):
        thread.start()
    assert thread not in ftthreading.enumerate()
    assert not thread.is_alive()
    with pytest.raises(RuntimeError, match="cannot join thread before it is started"):
        thread.join()
    assert refused(thread)
    wait_until(getattr(thread, HANDLE).is_done)
    assert refused(thread)
    assert thread not in ftthreading.enumerate()


DIES_OF_IT = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@DIES_OF_IT
@pytest.mark.parametrize("kind", [Stillborn, OutOfMemory, Idle, WithoutNumber])
def test_a_thread_that_dies_before_it_begins(kind: type[ftthreading.Thread]) -> None:
    """python/cpython gh-140746: start() would wait for ever."""
    ran: list[None] = []
    check_that_it_died(kind(target=ran.append, args=(None,)))
    assert not ran


@alone
@DIES_OF_IT
def test_a_thread_that_dies_as_it_registers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(dict[int, threading.Thread]):
        def __setitem__(self, ident: int, thread: threading.Thread) -> None:
            raise MemoryError

    active: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]
    monkeypatch.setattr(threading, "_active", Full(active))
    check_that_it_died(ftthreading.Thread())


@alone
@DIES_OF_IT
@pytest.mark.parametrize("kind", [Stillborn, WithoutNumber])
def test_start_fails_before_the_thread_has_ended(
    kind: type[ftthreading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has left the registry, but is not yet done with its launch."""
    raised = threading.Event()
    starter = threading.get_ident()

    class Last:
        def __del__(self) -> None:
            raised.wait(SECONDS)

    class Limbo(dict[threading.Thread, threading.Thread]):
        def pop(self, thread: threading.Thread, *default: Any) -> Any:
            super().pop(thread, *default)
            return Last() if threading.get_ident() != starter else None

    monkeypatch.setattr(threading, "_limbo", Limbo())
    thread = kind()
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            thread.start()
        assert not thread.is_alive()
    finally:
        raised.set()
    wait_until(getattr(thread, HANDLE).is_done)


@processes
def test_what_a_thread_died_of_is_reported_as_ever() -> None:
    program = """
import sys, threading
if sys.argv[1] == "ours":
    import ftthreading
class Dying(threading.Thread):
    def _set_native_id(self):
        self._started.set()  # or threading's start() would wait for ever
        raise MemoryError
    def __repr__(self):
        return "<Dying>"
thread = Dying()
try:
    thread.start()
except RuntimeError:
    pass
"""
    ours, theirs = (
        re.sub(r"\d{9,}", "IDENT", run_python(program, whose).stderr)
        for whose in ("ours", "theirs")
    )
    assert "Exception ignored in thread started by" in theirs
    assert ours == theirs
