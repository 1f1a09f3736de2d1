"""Thread and Timer: started once, and without waiting for the new thread.

The interpreter's start() waits until the new thread has said that it runs: a hand-over there and
back, which is most of what it costs. Nothing that start() promises needs it. The identifier is
known from the handle as soon as the thread exists; the kernel's number is waited for by whoever
asks for it. So start() ends with the thread made, on its way, and listed by enumerate().

    state      claim  started  _limbo  _active   changed by
    new        no     no       no      no
    starting   yes    no       yes     no        start(), which made the claim
    started    yes    yes      yes     no        start() and the new thread, whoever comes first
    running    yes    yes      no      yes       the new thread, in _bootstrap_inner()
    ended      yes    yes      no      no        the new thread, in _delete()

Of several threads that call start() one makes the claim, for that is one step on a dictionary.
(The interpreter's start() looks at `started` and so may start twice; the loser then takes the
thread that runs out of `_limbo`, and the thread dies of it.) If no thread could be made, or a
signal handler raised before there was one, start() withdraws the claim: that there is a thread is
known by the handle's identifier, whatever was raised meanwhile. If a thread was made and ended
before it could run, for want of memory, join() or is_alive() finds its handle done and takes it
out of `_limbo`.

All else, from the registry to the hooks and the exit, is the interpreter's own: our classes
inherit from it, so that there is one registry whichever module started a thread, and so that
what programs override (`_bootstrap_inner`, `_set_ident`) is called as ever.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from _thread import get_ident

from . import _core
from ._core import Event, _enter, _leave, _set_finder
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
        _start_claim: object
        _ident: int | None

        def _bootstrap(self) -> None: ...

else:
    _Private = threading.Thread

_StdThread: Any = threading.Thread  # not to be looked up again: install() replaces it
_StdDummyThread: Any = private._DummyThread
_StdMainThread: Any = private._MainThread


class Thread(_Private):
    """A thread of control. The rules are those of `threading.Thread`.

    `start` returns as soon as the thread exists, without waiting for it to run. Called by several
    threads at once, one of them starts the thread and the others get RuntimeError.
    """

    def start(self) -> None:
        """Start the thread's activity, once: `run` is called in a thread of its own.

        Returns when the thread exists; it may not have run yet. Raises RuntimeError if it was
        started before, if another thread is just starting it, if __init__() was not called, or
        if the system makes no more threads; after the last it may be tried again.
        """
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        handle = getattr(self, HANDLE)
        claim = object()
        try:
            # setdefault() is one step, whichever threads call it.
            if self._started.is_set() or vars(self).setdefault("_start_claim", claim) is not claim:
                raise RuntimeError("threads can only be started once")
            self._started = Event()  # the constructor made the interpreter's
            give_context(self)
            with private._active_limbo_lock:
                private._limbo[self] = self
            private._start_joinable_thread(self._bootstrap, handle=handle, daemon=self.daemon)
            self._on_its_way(handle.ident)
        except BaseException:  # of a signal handler, too, after any call above
            if vars(self).get("_start_claim") is claim:
                if handle.ident:
                    self._on_its_way(handle.ident)
                else:
                    _leave_limbo(self)
                    del self._start_claim
            raise

    def _on_its_way(self, ident: int) -> None:
        self._ident = ident
        self._started.set()

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
        _StdThread.join(self, timeout)
        _tidy(self)

    def is_alive(self) -> bool:
        """Return whether the thread has been started and has not ended. Never waits."""
        alive: bool = _StdThread.is_alive(self)
        if not alive:
            _tidy(self)
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

    def _bootstrap(self) -> None:
        _enter(self)
        try:
            super()._bootstrap()
        finally:
            _leave()


def _tidy(thread: Thread) -> None:
    """Forget a thread that ended before it could run."""
    if thread in private._limbo and getattr(thread, HANDLE).is_done():
        _leave_limbo(thread)


def _leave_limbo(thread: Thread) -> None:
    with private._active_limbo_lock:
        private._limbo.pop(thread, None)


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
        super().__init__(interval, function, args, kwargs)
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


_set_finder(_find)

for _public in (Thread, Timer, _core.current_thread, getattr(_core, "get_native_id", None)):
    if _public is not None:
        _public.__module__ = "ftthreading"

_main = threading.main_thread()
if type(_main) is _StdMainThread:
    _main.__class__ = _MainThread
# In the main interpreter, whose main thread is there to the end and runs what atexit calls.
if _main.ident == get_ident() and IN_MAIN_INTERPRETER:
    _enter(_main)
    atexit.register(_leave)
