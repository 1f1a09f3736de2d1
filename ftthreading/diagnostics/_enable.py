"""Looking on: a signal that prints the dump, and deadlocks that are told.

One thread of ours does both. It waits for a byte in a pipe, which the signal's handler writes from
C (core/python/wake.c), and looks for deadlocks each time that it has waited `_LOOK_SECONDS`. It is
no `threading.Thread`, is not listed, ends before the interpreter does, and uses no lock of ours.

A fork does not take threads along, and Python warns of forking with threads; so the thread ends
before a fork, and is started again after it, in the parent and in the child. The signal stays ours
meanwhile, as it would end the process: what comes of it waits in the pipe. The child gets a pipe of
its own.
"""

from __future__ import annotations

import _thread
import atexit
import os
import select
import signal as signals
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from .. import _core
from .._cpython import KNOWN, start_unlisted
from . import _deadlocks, _dump, _waits
from ._names import Threads

DEADLOCK_EXIT_CODE = 86
"""The exit code with which ``deadlocks="abort"`` ends the process."""

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 2.0
_MODES = (None, "report", "raise", "abort")


class DeadlockError(RuntimeError):
    """Raised in a thread whose wait could not have ended, with ``deadlocks="raise"``."""


class _Watch:
    """What is switched on, and the thread that does it."""

    def __init__(self, signum: int | None, mode: str | None, file: TextIO | None) -> None:
        self.signum = signum
        self.mode = mode
        self.file = file
        self.told: set[object] = set()
        self.seen: set[object] = set()
        self.due = time.monotonic() + _LOOK_SECONDS
        self.reader, self.writer = -1, -1
        self.ends = [False]  # of the thread that runs
        self.join: Callable[[float], object] = lambda seconds: None

    def open(self) -> None:
        """Begin to be told of the signal."""
        self.reader, self.writer = os.pipe()
        for end in (self.reader, self.writer):
            os.set_blocking(end, False)
        if self.signum is not None:
            _core._write_on_signal(self.signum, self.writer)

    def close(self) -> None:
        """The signal gets its handler from before back."""
        if self.signum is not None:
            _core._write_on_signal(self.signum, -1)
        for end in (self.reader, self.writer):
            with suppress(OSError):  # a program may have closed all that is open
                os.close(end)

    def start(self) -> None:
        ends = self.ends = [False]
        self.join = start_unlisted(lambda: self.run(ends))

    def stop(self) -> None:
        """Let the thread end, and wait for it, but not for ever: it may be unable to write."""
        self.ends[0] = True
        with suppress(OSError):
            os.write(self.writer, b"\0")  # no signal has this number
        if _thread.get_ident() not in _deadlocks.own:
            self.join(_PATIENCE_SECONDS)

    def run(self, ends: list[bool]) -> None:
        ident = _thread.get_ident()
        _deadlocks.own.add(ident)
        try:
            poll = select.poll()
            poll.register(self.reader, select.POLLIN)
            while True:
                wait = None if self.mode is None else max(0.0, self.due - time.monotonic())
                ready = poll.poll(None if wait is None else wait * 1000)
                if ends[0]:
                    return
                try:
                    self.act(bool(ready))
                except (OSError, ValueError):
                    pass  # cannot be written there; the next may be
                except Exception:
                    sys.excepthook(*sys.exc_info())
        except OSError:
            pass  # the pipe was closed under us
        finally:
            _deadlocks.own.discard(ident)

    def act(self, ready: bool) -> None:
        if self.mode is not None and time.monotonic() >= self.due:
            self.due = time.monotonic() + _LOOK_SECONDS
            self.look()
        if ready and any(os.read(self.reader, 4096)):
            _dump.dump(self.file)

    def look(self) -> None:
        Threads().remember()
        found = [each for each in _deadlocks.find() if each.key not in self.told]
        # What is still so at the next look has lasted.
        lasting = [each for each in found if each.key in self.seen]
        self.seen = {each.key for each in found}
        if not lasting:
            return
        records = {(wait.number, wait.began): wait for wait in _waits.waits()}
        for each in lasting:
            self.told.add(each.key)
            if self.tell(_deadlocks.with_stacks(each, records)):
                return  # the others may have ended with it: see at the next look

    def tell(self, found: _deadlocks.Deadlock) -> bool:
        """Whether something was raised."""
        out = sys.stderr if self.file is None else self.file
        victim = None
        lines = ["", *_dump.report(found)]
        if found.certain and self.mode == "abort":
            lines.append(f"ftthreading: ends the process with exit code {DEADLOCK_EXIT_CODE}")
        elif found.certain and self.mode == "raise":
            victim = _raise(found)
            lines.append(
                f'ftthreading: raises DeadlockError in thread "{victim.name}"'
                if victim is not None
                else "ftthreading: nothing can be raised in any of these waits"
            )
        try:
            if out is not None:
                out.write("\n".join(lines) + "\n\n")
                out.flush()
        finally:
            if found.certain and self.mode == "abort":
                os._exit(DEADLOCK_EXIT_CODE)
        return victim is not None


def _raise(found: _deadlocks.Deadlock) -> _waits.Wait | None:
    """Raise in the youngest wait that can be left without what it waits for."""
    can = [wait for wait in found.waits if wait.kind != "reacquire"]
    for _ in range(100 if can else 0):
        for wait in sorted(can, key=lambda wait: -wait.began):
            if _core._throw(wait.number, wait.began, DeadlockError(found.sentence)):
                return wait
        time.sleep(0.01)  # one may be awake for a moment, to look for signals
    return None


_watch: _Watch | None = None
_switch = _thread.RLock()  # for who changes it; a signal handler may fork meanwhile


def enable(
    *,
    signal: int | None = None,
    deadlocks: str | None = None,
    file: TextIO | None = None,
) -> None:
    """Look on from now on, until `disable` or the end of the process.

    Args:
        signal: the number of a signal that prints the dump, as ``signal.SIGUSR1``; also while the
            main thread is blocked, be it in C. It takes the place of a handler of Python's.
        deadlocks: what to do about waits that cannot end, within two seconds. ``"report"``: tell
            of each once. ``"raise"``: also raise DeadlockError in the youngest wait of it, if it
            is certain and the wait can be left: no Condition that has to come back with its lock,
            no join of a thread that was started before. ``"abort"``: end the process with
            DEADLOCK_EXIT_CODE, if it is certain.
        file: where to write; standard error as it is then, if not given.

    Replaces what was enabled before. Raises ValueError for another word or a signal that cannot be
    handled. To be called in any thread; not from a signal handler.
    """
    global _watch
    if deadlocks not in _MODES:
        raise ValueError(f"deadlocks must be one of {_MODES}, not {deadlocks!r}")
    if signal is not None and (
        signal not in signals.valid_signals() or signal in (signals.SIGKILL, signals.SIGSTOP)
    ):
        raise ValueError(f"signal {signal} cannot be handled")
    with _switch:
        disable()
        if signal is None and deadlocks is None:
            return
        watch = _Watch(signal, deadlocks, file)
        watch.open()
        try:
            watch.start()
        except BaseException:
            watch.close()
            raise
        _watch = watch
        _let_joins_end(deadlocks == "raise")
        atexit.register(disable)  # a thread that writes to a file would abort the end


def _let_joins_end(may: bool) -> None:
    if KNOWN:  # or else start() and join() are the interpreter's
        from .. import _thread as mended

        mended.joins_can_be_ended = may


def disable() -> None:
    """Undo `enable`; the signal gets its handler from before back. Without it, do nothing."""
    global _watch
    with _switch:
        atexit.unregister(disable)
        watch, _watch = _watch, None
        if watch is not None:
            _let_joins_end(False)
            watch.stop()
            watch.close()


def _before_fork() -> None:
    _switch.acquire()
    if _watch is not None:
        _watch.stop()


def _after_fork_in_parent() -> None:
    if _watch is not None:
        _watch.start()
    _switch.release()


def _after_fork_in_child() -> None:
    global _switch
    _switch = _thread.RLock()
    _deadlocks.own.clear()
    if _watch is not None:
        reader, writer = _watch.reader, _watch.writer
        _watch.open()
        for end in (reader, writer):
            with suppress(OSError):
                os.close(end)
        _watch.start()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
