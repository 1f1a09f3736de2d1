"""Looking on: a signal that prints the dump, and deadlocks that are told.

One thread of ours does both. It waits for a byte in a pipe, which the signal's handler writes from
C (core/python/wake.c), and looks for deadlocks each time that it has waited `_LOOK_SECONDS`. It is
no `threading.Thread`, is not listed, ends with the process, and uses no lock of ours.

A fork does not take threads along, and Python warns of forking with threads; so the thread ends
before a fork, and is started again after it, in the parent and in the child.
"""

from __future__ import annotations

import _thread
import os
import select
import signal as signals
import sys
from typing import TextIO

from .. import _core
from . import _deadlocks, _dump, _waits
from ._names import Threads

DEADLOCK_EXIT_CODE = 86
"""The exit code with which ``deadlocks="abort"`` ends the process."""

_LOOK_SECONDS = 0.5
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
        self.ends = False
        self.ended = _thread.allocate_lock()
        self.reader, self.writer = -1, -1

    def start(self) -> None:
        self.reader, self.writer = os.pipe()
        for end in (self.reader, self.writer):
            os.set_blocking(end, False)
        self.ends = False
        self.ended = _thread.allocate_lock()
        self.ended.acquire()
        if self.signum is not None:
            _core._write_on_signal(self.signum, self.writer)
        _thread.start_new_thread(self.run, ())

    def stop(self) -> None:
        if self.signum is not None:
            _core._write_on_signal(self.signum, -1)
        self.ends = True
        os.write(self.writer, b"\0")
        if _thread.get_ident() not in _deadlocks.own:
            self.ended.acquire()
        os.close(self.reader)
        os.close(self.writer)

    def run(self) -> None:
        ident = _thread.get_ident()
        _deadlocks.own.add(ident)
        try:
            seconds = _LOOK_SECONDS if self.mode is not None else None
            while True:
                ready, _, _ = select.select([self.reader], [], [], seconds)
                if self.ends:
                    return
                if ready:
                    os.read(self.reader, 4096)
                    _dump.dump(self.file)
                elif self.mode is not None:
                    self.look()
        finally:
            _deadlocks.own.discard(ident)
            self.ended.release()

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
            self.tell(_deadlocks.with_stacks(each, records))

    def tell(self, found: _deadlocks.Deadlock) -> None:
        out = sys.stderr if self.file is None else self.file
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
        if out is not None:
            out.write("\n".join(lines) + "\n\n")
            out.flush()
        if found.certain and self.mode == "abort":
            os._exit(DEADLOCK_EXIT_CODE)


def _raise(found: _deadlocks.Deadlock) -> _waits.Wait | None:
    """Raise in the youngest wait that can be left without what it waits for."""
    for wait in sorted(found.waits, key=lambda wait: -wait.began):
        if wait.kind in ("acquire", "wait") and _core._throw(
            wait.number, wait.began, DeadlockError(found.sentence)
        ):
            return wait
    return None


_watch: _Watch | None = None


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
            is certain and the wait can be left: no `join`, and no Condition that has to come back
            with its lock. ``"abort"``: end the process with DEADLOCK_EXIT_CODE, if it is certain.
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
    disable()
    if signal is None and deadlocks is None:
        return
    watch = _Watch(signal, deadlocks, file)
    watch.start()
    _watch = watch


def disable() -> None:
    """Undo `enable`; the signal gets its handler from before back. Without it, do nothing."""
    global _watch
    watch, _watch = _watch, None
    if watch is not None:
        watch.stop()


def _stop_for_fork() -> None:
    if _watch is not None:
        _watch.stop()


def _start_after_fork() -> None:
    if _watch is not None:
        _watch.start()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_stop_for_fork,
        after_in_parent=_start_after_fork,
        after_in_child=_start_after_fork,
    )
