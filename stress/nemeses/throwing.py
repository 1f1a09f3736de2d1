"""Nemeses that throw into actors: only into those that expose themselves (`api.exposure`)."""

from __future__ import annotations

import _thread
import ctypes
import signal
from types import FrameType

from ..api.exposure import Thrown
from ..targets.inspection import interruptible
from .nemesis import Nemesis


class KeyboardInterrupts(Nemesis):
    doc = "bursts of signals whose handlers raise, in scenarios that tolerate it"
    every = 0.002
    throws = True

    def prepare(self) -> None:
        self.main = _thread.get_ident()
        signal.signal(signal.SIGUSR1, self.handler)

    def handler(self, number: int, frame: FrameType | None) -> None:
        exposure = self.run.actors[-1].exposure  # the main thread's, where handlers run
        if interruptible(self.run.target, frame) and exposure.claim():
            exposure.sent = True
            raise Thrown("by a signal handler")

    def act(self) -> None:
        for _ in range(self.rng.randrange(1, 8)):
            signal.pthread_kill(self.main, signal.SIGUSR1)


class Throws(Nemesis):
    doc = "asynchronous exceptions from another thread, in scenarios that tolerate them"
    every = 0.001
    throws = True

    def act(self) -> None:
        exposure = self.rng.choice(self.run.actors).exposure
        if exposure.claim():
            ident, kind = ctypes.c_ulong(exposure.ident), ctypes.py_object(Thrown)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, kind)
            exposure.sent = True


class NoMemory(Nemesis):
    doc = "an allocation that fails, in scenarios that tolerate it (on debug builds)"
    throws = True
    leaves = True

    def prepare(self) -> None:
        from _testcapi import set_nomemory  # type: ignore[import-not-found]

        # Its hooks stay where they are: to take them away while threads run is not safe.
        set_nomemory(2**31 - 2, 2**31 - 1)
        for actor in self.run.actors:
            actor.exposure.fail = set_nomemory
