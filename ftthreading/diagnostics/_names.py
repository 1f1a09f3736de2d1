"""Which thread a number or an ident stands for.

The core knows threads by a number that is never used again, the interpreter by an ident that may
be, `threading` by an object. A thread that has ended has none of the three any more; what was seen
of it while somebody looked regularly is remembered here, for as many threads as `_MOST`.
"""

from __future__ import annotations

import threading
from typing import Any

from .. import _core
from .._cpython import private

_MOST = 1000
_CUT = 0x7FFFFFFF  # a Lock keeps so much of the number (core/primitives/lock.h)

_remembered: dict[int, str] = {}  # by the cut number


def said_of(thread: threading.Thread, name: str) -> Any:
    """A property as threading has it, whatever a derived class makes of it; None if there is none.

    A program's own may take locks, or raise.
    """
    try:
        return vars(threading.Thread)[name].__get__(thread)
    except Exception:  # as of one that was not initialized
        return None


class Threads:
    """The threads at one moment."""

    def __init__(self) -> None:
        self.idents = _core._numbers()
        self._by_cut = {number & _CUT: number for number in self.idents}
        self._by_ident = {ident: number for number, ident in self.idents.items()}
        # Not enumerate(): it takes a lock, which a thread may hold that hangs.
        self._threads: dict[int, threading.Thread] = dict(private._active)

    def ident(self, number: int) -> int | None:
        """The ident of the thread of that number, whole or cut; None if it has ended."""
        whole = self.number(number)
        return None if whole is None else self.idents[whole]

    def number(self, number: int) -> int | None:
        """The whole number for one that may be cut; None if the thread has ended."""
        return self._by_cut.get(number & _CUT)

    def number_of(self, ident: int | None) -> int | None:
        """The number of the thread of that ident, if it has used a primitive."""
        return None if ident is None else self._by_ident.get(ident)

    def thread(self, ident: int | None) -> threading.Thread | None:
        return None if ident is None else self._threads.get(ident)

    def name(self, ident: int | None, number: int = 0) -> str:
        """What people call the thread."""
        thread = self.thread(ident)
        if thread is not None:
            return str(said_of(thread, "name"))
        if ident is not None:
            return f"thread {ident}"
        return _remembered.get(number & _CUT, "a thread that no longer exists")

    def remember(self) -> None:
        """Keep the names of those that run, for when they have ended."""
        for number, ident in self.idents.items():
            thread = self._threads.get(ident)
            if thread is not None:
                _remembered.pop(number & _CUT, None)
                _remembered[number & _CUT] = str(said_of(thread, "name"))
        while len(_remembered) > _MOST:
            _remembered.pop(next(iter(_remembered)), None)
