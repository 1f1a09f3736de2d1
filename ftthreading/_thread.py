"""Thread and Timer: started once, and without waiting for the new thread.

The interpreter's start() waits until the new thread has said that it runs: a hand-over there and
back, which is most of what it costs. Nothing that start() promises needs it. The identifier is
known from the handle as soon as the thread exists; the kernel's number is waited for by whoever
asks for it. So start() ends with the thread made, on its way, and listed by enumerate().

    state      handle    started  _limbo  _active   changed by
    new        no ident  no       no      no
    starting   no ident  no       yes     no        start()
    made       ident     no       yes     no        start()
    on its way ident     yes      yes     no        start(), or whoever finds it made
    running    ident     yes      no      yes       the new thread, in _bootstrap_inner()
    ended      done      yes      no      no        the new thread, in _delete()

Of several start() calls the one that has the thread's own lock makes the thread; then the handle
has an ident, and the others see it. (The interpreter's start() looks at `started` and so tries
twice; the loser then takes the thread that runs out of `_limbo`, and the thread dies of it. Nor
does the handle stand two at once.) Who fails takes the thread out of `_limbo` only while there is
no ident, and a thread that runs puts itself in, both under the registry's lock: so one call may
fail while another succeeds. The lock is reentrant, for a signal handler that calls start(), too.

A signal handler may raise after any of start()'s steps. What start() left undone is then done by
those who look: an ident says that there is a thread, whatever was raised, and without one start()
may be called again. If a thread was made and ended before it could run, for want of memory,
join() or is_alive() finds its handle done and takes it out of `_limbo`.

All else, from the registry to the hooks and the exit, is the interpreter's own: our classes
inherit from it, so that there is one registry whichever module started a thread, and so that
what programs override (`_bootstrap_inner`, `_set_ident`) is called as ever.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from _thread import get_ident

from . import _core
from ._core import Event, RLock, _enter, _holding, _leave, _set_finder
from ._cpython import (
    HANDLE,
    IN_MAIN_INTERPRETER,
    JOIN_MAY_HANG_AT_EXIT,
    give_context,
    private,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    class _Private(threading.Thread):
        """What Thread inherits and typeshed does not tell."""

        _initialized: bool
        _started: Any
        _ident: int | None

        def _after_fork(self, new_ident: int | None = None) -> None: ...
        def _bootstrap(self) -> None: ...

else:
    _Private = threading.Thread

_StdThread: Any = threading.Thread  # not to be looked up again: install() replaces it
_StdTimer: Any = threading.Timer
_StdDummyThread: Any = private._DummyThread
_StdMainThread: Any = private._MainThread


class Thread(_Private):
    """A thread of control. The rules are those of `threading.Thread`.

    `start` returns as soon as the thread exists, without waiting for it to run. Called by several
    threads at once, one of them starts the thread and the others get RuntimeError.
    """

    if not TYPE_CHECKING:

        def __init__(self, *args, **kwargs):
            _StdThread.__init__(self, *args, **kwargs)
            self._started = Event()  # which a signal handler may use

        __init__.__doc__ = _StdThread.__init__.__doc__
        __init__.__wrapped__ = _StdThread.__init__  # whose signature it has

    def start(self) -> None:
        """Start the thread's activity, once: `run` is called in a thread of its own.

        Returns when the thread exists; it may not have run yet. Raises RuntimeError if it was
        started before, if another thread is just starting it, if __init__() was not called, or
        if the system makes no more threads, which is for good, as in `threading`.
        """
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        handle = getattr(self, HANDLE)
        if handle.ident:
            raise RuntimeError("threads can only be started once")
        try:
            give_context(self)
            bootstrap, daemon = self._bootstrap, self.daemon
            start_lock = vars(self).setdefault("_start_lock", RLock())
            _holding(private._active_limbo_lock, _expect, self, handle)
            # A subclass has no say from here to the thread.
            _holding(start_lock, _make, bootstrap, handle, daemon)
        except BaseException:
            _holding(private._active_limbo_lock, _give_up, self, handle)
            raise
        _settle(self)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended.

        timeout: seconds to wait at most; None waits for ever, a negative one not at all. Ask
            is_alive() whether the time ran out.

        Raises RuntimeError for the caller's own thread and for one that was not started,
        OverflowError beyond TIMEOUT_MAX, and PythonFinalizationError where a thread that the
        exiting interpreter has stopped would be waited for. Signal handlers run meanwhile in the
        main thread; if one raises, the wait ends.
        """
        if JOIN_MAY_HANG_AT_EXIT and sys.is_finalizing() and self.is_alive():
            raise PythonFinalizationError("cannot join a thread while the interpreter shuts down")
        _settle(self)
        super().join(timeout)
        _settle(self)

    def is_alive(self) -> bool:
        """Return whether the thread has been started and has not ended. Never waits."""
        _settle(self)
        alive = super().is_alive()
        if not alive:  # it may have ended just now
            _settle(self)
        return alive

    if hasattr(_StdThread, "native_id"):

        @property
        def native_id(self) -> int | None:
            """The number by which the kernel knows the thread; None before it is started.

            Just after start() it waits until the new thread has found out. It looks again and
            again, because a thread that dies before it has found out tells nobody.
            """
            pause = 0.00005
            while True:
                # In this order, for the thread finds out before it leaves _limbo.
                starting = self in private._limbo and not getattr(self, HANDLE).is_done()
                number: int | None = _StdThread.native_id.fget(self)
                if number is not None or not starting or self._ident == get_ident():
                    return number
                time.sleep(pause)
                pause = min(2 * pause, 0.01)

    def _after_fork(self, new_ident: int | None = None) -> None:
        super()._after_fork(new_ident)
        vars(self).pop("_start_lock", None)  # held by a thread that is no more, perhaps

    def _bootstrap(self) -> None:
        ident = get_ident()
        _running[ident] = self
        _enter(self)
        try:
            _holding(private._active_limbo_lock, private._limbo.__setitem__, self, self)
            super()._bootstrap()
        finally:
            _leave()
            _running.pop(ident, None)


def _expect(thread: Thread, handle: Any) -> None:
    """List a thread that is about to be made. With the registry's lock."""
    if not handle.ident:
        private._limbo[thread] = thread


def _give_up(thread: Thread, handle: Any) -> None:
    """Take out of the list a thread that was not made. With the registry's lock."""
    if not handle.ident:
        private._limbo.pop(thread, None)


def _make(bootstrap: Callable[[], None], handle: Any, daemon: bool) -> None:
    """Make the thread, unless it has been made. With the thread's own lock."""
    if handle.ident:
        raise RuntimeError("threads can only be started once")
    private._start_joinable_thread(bootstrap, handle=handle, daemon=daemon)


def _settle(thread: Thread) -> None:
    """Note what the handle says: that there is a thread, or that it is no more."""
    handle = getattr(thread, HANDLE, None)  # None: __init__() was not called
    if handle is None or not handle.ident:
        return
    if not thread._started.is_set():
        thread._ident = handle.ident
        thread._started.set()
    if thread in private._limbo and handle.is_done():
        _holding(private._active_limbo_lock, private._limbo.pop, thread, None)


class Timer(Thread, threading.Timer):
    """A thread that calls a function after a time, unless it is cancelled before.

    interval: seconds. The rules are those of `threading.Timer`.
    """

    def __init__(
        self,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        # Not super(), for it calls the Thread that it finds in `threading`, ours or not.
        _StdTimer.__init__(self, interval, function, args, kwargs)
        self._started = Event()
        self.finished: Any = Event()


class _MainThread(_StdMainThread, Thread):  # type: ignore[misc]
    """The interpreter's, and a Thread of ours."""


class _DummyThread(_StdDummyThread, Thread):  # type: ignore[misc]
    """The interpreter's, and a Thread of ours."""


def _find() -> threading.Thread:
    """The Thread object of a caller that was not started by our Thread."""
    try:
        thread: threading.Thread = private._active[get_ident()]
    except KeyError:
        thread = private._DummyThread()
    if type(thread) is _StdDummyThread:
        thread.__class__ = _DummyThread
    return thread


def _forget_the_dead() -> None:
    """In the child of a fork, where only the caller goes on."""
    global _running
    me = get_ident()
    _running = {me: _running[me]} if me in _running else {}


def _adopt_main_thread() -> None:
    main = threading.main_thread()
    if type(main) is _StdMainThread:
        main.__class__ = _MainThread
    # In the main interpreter, whose main thread is there to the end and runs what atexit calls.
    if main.ident == get_ident() and IN_MAIN_INTERPRETER:
        _running[get_ident()] = main  # type: ignore[assignment]
        _enter(main)
        atexit.register(_leave)


# By identifier: those whom _enter() was told of. It does not keep them alive, since nobody could
# take back what a thread keeps that a forked child does not have.
_running: dict[int, Thread] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_dead)
_set_finder(_find)
_adopt_main_thread()

for _public in (Thread, Timer, _core.current_thread, getattr(_core, "get_native_id", None)):
    if _public is not None:
        _public.__module__ = "ftthreading"
