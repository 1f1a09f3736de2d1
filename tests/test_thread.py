"""Thread and Timer, mended in place: what start() promises, and who current_thread() is.

How several calls of start() at once end is in test_promises.py too, beside what `threading` does.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import dis
import inspect
import itertools
import os
import pickle
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any
from unittest import mock

import pytest
from asleep import once_main_sleeps
from support import SECONDS, handling, run_python, start_threads, wait_until

import ftthreading
from ftthreading import _thread as mended
from ftthreading._cpython import HANDLE

alone = pytest.mark.thread_unsafe(reason="changes names of threading, or looks at all threads")
processes = pytest.mark.thread_unsafe(reason="runs interpreters by itself")


class Gated(ftthreading.Thread):
    """A thread that runs until its gate is opened."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.gate = _thread.allocate_lock()
        self.gate.acquire()

    def run(self) -> None:
        self.gate.acquire(timeout=SECONDS)
        super().run()


class Held(Gated):
    """One that the system has made and that does not begin until its gate is opened."""

    def _bootstrap(self) -> None:
        self.gate.acquire(timeout=SECONDS)
        self.gate.release()
        super()._bootstrap()  # type: ignore[misc]


# What start() promises: the thread has begun.


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


class Interrupt(BaseException):
    pass


def interrupt(thread: ftthreading.Thread) -> None:
    raise Interrupt


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


def refused(thread: ftthreading.Thread) -> bool:
    try:
        thread.start()
    except RuntimeError:
        return True
    return False


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
from asleep import once_main_sleeps
from support import SECONDS, handling
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
        env={"PYTHONPATH": os.path.dirname(__file__)},
        timeout=60,
    )


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


# What it does not disturb.


@alone
def test_another_way_to_start_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who starts threads in another way gets threading's start(), which needs no more of it."""
    begun: list[object] = []

    def start(*arguments: Any, **names: Any) -> None:
        begun.append(arguments[0].__self__)
        _thread.start_joinable_thread(*arguments, **names)  # type: ignore[attr-defined]

    monkeypatch.setattr(threading, "_start_joinable_thread", start)
    seen: list[object] = []
    thread = ftthreading.Thread(target=lambda: seen.append(ftthreading.current_thread()))
    thread.start()
    thread.join(SECONDS)
    assert begun == seen == [thread]


def test_a_subclass_that_does_all_itself() -> None:
    class Alone(ftthreading.Thread):
        def _bootstrap_inner(self) -> None:
            self._set_ident()  # type: ignore[attr-defined]
            self._started.set()
            gate.acquire(timeout=SECONDS)

    gate = _thread.allocate_lock()
    gate.acquire()
    thread = Alone()
    thread.start()
    assert thread.is_alive()
    gate.release()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert thread not in ftthreading.enumerate()  # threading's would list it for ever


def test_who_waits_for_the_start_of_a_thread_is_told() -> None:
    thread = Gated()
    waiting = start_threads(1, lambda _: thread._started.wait(SECONDS))
    wait_until(lambda: thread._started._cond._waiters)
    thread.start()
    assert waiting.join() == [True]
    thread.gate.release()
    thread.join(SECONDS)


@processes
@pytest.mark.parametrize("first", ["the tool", "ftthreading"])
def test_a_tool_that_puts_itself_in_start_s_place(first: str) -> None:
    run_python(
        """
import sys
import threading

def instrument():
    start = threading.Thread.start
    def instrumented(thread):
        seen.append(thread)
        return start(thread)
    threading.Thread.start = instrumented

seen = []
if sys.argv[1] == "the tool":
    instrument()
    its_own = threading.Thread.start
import ftthreading
if sys.argv[1] == "the tool":
    assert threading.Thread.start is its_own
else:
    instrument()
ftthreading.install()
here = []
thread = threading.Thread(target=lambda: here.append(threading.current_thread()))
thread.start()
thread.join()
assert here == seen == [thread]
""",
        first,
    )


def test_what_is_mended_looks_as_it_did() -> None:
    names = ["start", "join"] if sys.version_info < (3, 14) else ["start"]
    theirs = {"start": mended._start, "join": mended._join}
    for name in names:
        ours = getattr(threading.Thread, name)
        assert ours is getattr(mended.Thread, name) is not theirs[name]
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            assert getattr(ours, attribute) == getattr(theirs[name], attribute)
        assert [*inspect.signature(ours).parameters] == [
            *inspect.signature(theirs[name]).parameters
        ]
        assert inspect.isfunction(ours)
        assert inspect.ismethod(getattr(threading.main_thread(), name))
        assert pickle.loads(pickle.dumps(ours)) is ours


@processes
def test_loaded_twice() -> None:
    """The first one's start() stands, and goes on working."""
    run_python(
        """
import sys, threading
import ftthreading
start = threading.Thread.start
for name in [name for name in sys.modules if name.partition(".")[0] == "ftthreading"]:
    del sys.modules[name]
import ftthreading as again
assert again is not ftthreading and threading.Thread.start is start
for module in (ftthreading, again):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(module.current_thread()))
    thread.start()
    thread.join()
    assert seen == [thread] and module.current_thread() is threading.main_thread()
"""
    )


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


def test_current_thread_is_a_function() -> None:
    """As is threading's, in the ways in which code was seen to ask."""
    ours, theirs = ftthreading.current_thread, mended.threading.current_thread
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
