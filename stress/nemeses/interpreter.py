"""Nemeses that keep the interpreter busy: switches, collections, stops of all threads, threads."""

from __future__ import annotations

import _thread
import contextlib
import gc
import sys
import threading
from random import Random
from typing import Any

from .nemesis import Nemesis


class Switch(Nemesis):
    doc = "the switch interval, from 1 us to 5 ms (matters with the GIL)"

    def before_round(self, rng: Random) -> None:
        sys.setswitchinterval(10 ** rng.uniform(-6, -2.3))

    def prepare(self) -> None:
        self.before = sys.getswitchinterval()

    def end(self) -> None:
        sys.setswitchinterval(self.before)


class Collect(Nemesis):
    doc = "garbage collections all the time, of objects with finalizers"
    every = 0.002

    def act(self) -> None:
        for _ in range(20):
            cycle: list[Any] = [Finalized()]
            cycle.append(cycle)
        gc.collect(self.rng.randrange(3))


class Finalized:
    def __del__(self) -> None:
        for _ in range(50):
            pass


class StopTheWorld(Nemesis):
    doc = "stops of all threads, by _current_frames and (from 3.14) settrace_all_threads"
    every = 0.005

    def prepare(self) -> None:
        # 3.13t changes the trace functions of running threads unprotected, and crashes of it; on
        # 3.14t a child that was forked meanwhile hangs in its first settrace(). That is the
        # interpreter's, whatever the target is.
        forks = self.run.scenario.forks or "fork" in self.run.batch.nemeses
        self.trace = sys.version_info >= (3, 14) and not forks

    def act(self) -> None:
        stop_the_world()
        if self.trace:
            threading.settrace_all_threads(_trace)
            threading.settrace_all_threads(None)


def stop_the_world() -> None:
    """Stop all threads for a moment."""
    sys._current_frames()


def _trace(*event: object) -> None:
    return None


class Churn(Nemesis):
    doc = "short-lived threads with thread-local objects"
    every = 0.001

    def prepare(self) -> None:
        self.local = threading.local()

    def act(self) -> None:
        with contextlib.suppress(RuntimeError):  # no room for one more just now
            _thread.start_new_thread(self.short, ())

    def short(self) -> None:
        self.local.value = Finalized()
