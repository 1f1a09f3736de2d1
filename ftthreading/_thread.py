"""What we mend in the interpreter's Thread: start() and join().

`threading.Thread` stays the class that it is; importing ftthreading sets our functions in it. So
classes derived from it before, Timer among them, its special threads, and whatever programs ask
of it or override in it are as ever. Two things are mended in start():

Of several calls at once one starts the thread. (The interpreter's looks at `_started` alone, and
so lets several in; the loser then takes the thread that runs out of `_limbo`, and the thread dies
of it.) Which one, a claim decides: see core/threads/launch.c.

It comes back from a thread that dies before it has begun. (The interpreter's waits for ever.)
What waits is the C core's Event, which the thread sets, or the launch that it died in.

    state     handle    _started  _limbo  _active   changed by
    new       no ident  no        no      no
    claimed   no ident  no        yes     no        start()
    made      ident     no        yes     no        start()
    begun     ident     yes       yes     no        the new thread, in _bootstrap_inner()
    running   ident     yes       no      yes       the new thread, in _bootstrap_inner()
    ended     done      yes       no      no        the new thread, in _delete()
    died      done      no        no      no        launch, and start(), which raises

join() is the interpreter's; ours tells others meanwhile who waits for whom (diagnostics), and lets
them end that wait where they want to (core/threads/join.c). Before 3.14 it refuses to wait for a
thread that the finalizing interpreter has stopped.

start() returns when the thread runs. A signal handler may raise after any of its steps: without
an ident there is no thread, the claim is given back, and start() may be called again; with one
there is a thread on its way, which counts as started, and can be joined.

If a signal handler forks while start() waits, the child has no such thread, and the handle says
so: start() looks at it now and then. What it tells the child is that the thread was started and
is no more, which is what a fork does to any thread. Who forks holds the registry's lock.

A tool that has put a function of its own in start()'s place calls the interpreter's, which it
keeps; we leave both. What starts threads that are none (green threads, tests: see
`is_plain`) gets the interpreter's start() as it was.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from _thread import get_ident
from types import FunctionType

from ._core import Event, _enter, _holding, _join, _Launch, _leave, _speed_up
from ._cpython import (
    HANDLE,
    IN_MAIN_INTERPRETER,
    JOIN_MAY_HANG_AT_EXIT,
    depth_of_registry,
    give_context,
    is_own,
    is_plain,
    private,
    registers_itself,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LOOK_SECONDS = 0.1  # between two looks whether this has become the child of a fork

_ENDED = "_ended"
"""An attribute of a Thread's `_started`, where it has one: the Event for which its joiners wait."""
joins_can_be_ended = False
"""Whether the threads that are started from now on get one; `diagnostics.enable` sets it."""

_start: Any = threading.Thread.start
_their_join: Any = threading.Thread.join
_is_alive: Any = threading.Thread.is_alive
# The classes whose place an Event of ours can take before anybody has seen it.
_EVENTS: Any = (threading.Event, Event)


class Thread:
    """Functions for `threading.Thread`, under the names by which tracebacks know them."""

    def start(self: Any) -> None:
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        before = self._started
        if before.is_set():
            raise RuntimeError("threads can only be started once")
        handle = getattr(self, HANDLE)
        if not is_plain(handle) or type(before) not in _EVENTS:
            return _start(self)  # type: ignore[no-any-return]
        launch = _Launch(self, self._bootstrap, _forget)
        launch.run(private._active_limbo_lock, private._limbo, handle, _make)
        if before is not self._started:
            before.set()  # somebody may have looked at it
        return None

    def join(self: Any, timeout: float | None = None) -> None:
        if not self._initialized or not _is_alive(self):
            return _their_join(self, timeout)  # type: ignore[no-any-return]
        if JOIN_MAY_HANG_AT_EXIT and sys.is_finalizing():
            raise PythonFinalizationError("cannot join a thread while the interpreter shuts down")
        ended = getattr(self._started, _ENDED, None)
        if ended is None:
            return _join(self, timeout, _their_join, None)
        call = object()
        try:
            _joins[call] = ended
            return _join(self, timeout, _their_join, ended)
        finally:
            _joins.pop(call, None)


def _make(thread: Any, launch: _Launch, handle: Any) -> None:
    """Make the thread that `launch` has claimed, and wait until it runs."""
    before = thread._started
    give_context(thread)
    launch.started = thread._started = before if type(before) is Event else Event()
    if joins_can_be_ended:
        launch.ended = ended = Event()
        setattr(thread._started, _ENDED, ended)
    private._start_joinable_thread(launch, handle=handle, daemon=thread.daemon)
    _wait_until_it_runs(thread, launch, handle)


def _wait_until_it_runs(thread: Any, launch: _Launch, handle: Any) -> None:
    while not launch.wait(_LOOK_SECONDS):
        if handle.is_done():
            thread._started.set()
            return
    # From here it takes the thread a few instructions to register itself, but for the lock.
    known = registers_itself(thread)
    pause = 0  # microseconds
    while known and thread in private._limbo and not launch.has_ended and not handle.is_done():
        launch.pause(pause)
        pause = min(2 * pause + 50, 5000)
    if launch.failed or (known and launch.listed):
        thread._started.clear()
        _forget(thread)
        raise RuntimeError("can't start new thread: it died before it had begun")


def _forget(thread: Any) -> None:
    """Take out of the registry a thread that does not get as far as to do so itself."""
    _holding(private._active_limbo_lock, private._limbo.pop, thread, None)


def _mend(name: str) -> None:
    theirs, ours = getattr(threading.Thread, name), getattr(Thread, name)
    if is_own(theirs):
        ours.__module__, ours.__doc__ = theirs.__module__, theirs.__doc__
        ours.__annotations__ = theirs.__annotations__
        setattr(threading.Thread, name, ours)


def _copy_of_current_thread() -> Any:
    """The interpreter's function, which our C core answers for where it can."""
    theirs: Any = threading.current_thread
    if not is_own(theirs):
        return theirs
    ours = FunctionType(theirs.__code__, theirs.__globals__, theirs.__name__)
    ours.__doc__, ours.__qualname__ = theirs.__doc__, theirs.__qualname__
    ours.__module__ = "ftthreading"
    _speed_up(ours)
    return ours


# What the core knows of the main thread, to whom a reference is needed: see core/python/current.c.
_main: dict[int, threading.Thread] = {}


_joins: dict[object, Event] = {}  # by call, what it waits for


def _keep_own() -> None:
    """In the child of a fork, where only the caller goes on."""
    global _main
    _main = {ident: thread for ident, thread in _main.items() if ident == get_ident()}
    # A signal handler may have forked in the midst of a join, whose thread is no more.
    for ended in list(_joins.values()):
        ended.set()


def _adopt_main_thread() -> None:
    main, ident = threading.main_thread(), get_ident()
    # In the main interpreter, whose main thread is there to the end and runs what atexit calls.
    if main.ident == ident and IN_MAIN_INTERPRETER:
        _main[ident] = main
        _enter(main)
        atexit.register(_leave)


_PATIENCE = 0.5  # seconds: who holds it may wait for what the forking program has locked before
_forking: dict[int, list[tuple[Any, int | None]]] = {}  # by thread: a handler may fork meanwhile


def _hold_registry() -> None:
    """Before a fork: let no other thread hold the registry's lock.

    In the child, before any of its handlers has renewed the lock, the interpreter clears what dead
    threads have left; that of a foreign thread that once asked for current_thread() takes itself
    out of the registry, and would wait for a dead holder. The caller's own hold lets it in.
    """
    lock = private._active_limbo_lock
    depth = depth_of_registry(lock)
    # Known before it is held: a signal handler may raise after any step, and we are called again.
    _forking.setdefault(get_ident(), []).append((lock, depth))
    if depth is not None:
        lock.acquire(timeout=_PATIENCE)


def _release_registry() -> None:
    """After it, on both sides: the child's is a new lock, but not for who holds the old one."""
    forks = _forking.get(get_ident(), [])
    if forks:
        lock, before = forks.pop()
        while before is not None and (depth_of_registry(lock) or 0) > before:
            lock.release()
    if not forks:
        _forking.pop(get_ident(), None)


_mend("start")
_mend("join")
current_thread: Callable[[], threading.Thread] = _copy_of_current_thread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_own)
    os.register_at_fork(
        before=_hold_registry,
        after_in_parent=_release_registry,
        after_in_child=_release_registry,
    )
_adopt_main_thread()
