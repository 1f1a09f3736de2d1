"""How nemeses may throw into an actor: only while it exposes itself, and once each time.

An exception that may come anywhere would break the referee, too. So an actor opens a window around
the calls that it wants struck. Who throws takes the window away first, in one step that cannot be
divided; so at most one exception comes, and when `run` has returned none will come any more.
"""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from random import Random

FURTHEST = 40
"""Allocations of which one may fail, counted from where a window opens."""


class Thrown(Exception):
    """What nemeses throw into actors."""


class Exposure:
    """One actor's window."""

    def __init__(self) -> None:
        self.ident: int = 0
        """The thread that is exposed."""
        self.sent: bool = False
        """Whoever took the window has thrown."""
        self.fail: Callable[[int, int], object] | None = None
        """Has allocations fail: those after so many, until so many."""
        self._window: list[bool] = []

    def claim(self) -> bool:
        """Return whether the caller, and nobody else, may throw into the actor now."""
        try:
            return self._window.pop()
        except IndexError:
            return False

    def run(self, work: Callable[[], object], rng: Random) -> bool:
        """Call `work()`; return whether an exception was thrown into it, or memory failed it.

        What it raises of its own gets through. rng: for which allocation fails.
        """
        failure: BaseException | None = None
        self.ident = _thread.get_ident()
        self.sent = struck = False
        at = rng.randrange(FURTHEST)
        try:
            self._window.append(True)
            try:
                if self.fail is not None:
                    self.fail(at, at + 1)
                work()
            except (Thrown, MemoryError):
                struck = True
            except BaseException as error:
                failure = error
            self._close()
        except Thrown:
            struck = True
        while self.fail is not None:
            try:
                self.fail(2**31 - 2, 2**31 - 1)
                break
            except MemoryError:  # this call allocates, too
                struck = True
        if failure is not None:
            raise failure
        return struck

    def _close(self) -> None:
        """Take the window back; if somebody has it, be struck here."""
        if self.claim():
            return
        while not self.sent:
            time.sleep(0)
        # It comes at once, unless it has come already.
        for _ in range(10):
            time.sleep(0)
