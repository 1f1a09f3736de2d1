"""Futures of a pool upon the target's threads: each item runs once, or is cancelled."""

from __future__ import annotations

import _thread
import logging
import time
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

from ...api.scenario import (
    Actor,
    OracleFailure,
    Scenario,
    World,
    actor,
)
from ...targets.inspection import futures_of


class TaskFailed(Exception):
    """What work items raise here."""


class Job:
    """A work item that knows how often it ran, and which callbacks were called, by whom."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.runs: list[int] = []
        self.promised: list[bool] = []
        """What cancel() returned each time."""
        self.callbacks = 0
        self.called: list[tuple[int, int]] = []
        self.early: list[int] = []
        self.future: Any = None

    def run(self) -> Job:
        self.runs.append(_thread.get_ident())
        if self.fails:
            raise TaskFailed
        return self

    def note(self, which: int, future: Any) -> None:
        if not future.done():
            self.early.append(which)
        self.called.append((_thread.get_ident(), which))
        if which % 3 == 1:
            raise TaskFailed("a callback's own, which is only logged")

    def add_callback(self) -> None:
        self.callbacks += 1
        self.future.add_done_callback(partial(self.note, self.callbacks - 1))

    def cancel(self) -> bool:
        cancelled: bool = self.future.cancel()
        if cancelled and self.runs:
            raise OracleFailure("cancel", "cancel() returned True of what has run")
        self.promised.append(cancelled)
        return cancelled

    def check(self) -> None:
        """Look at it when nobody can change it any more."""
        if not self.future.done() or self.future.running():
            raise OracleFailure("pending", f"nobody is left to end {self.future!r}")
        cancelled = self.future.cancelled()
        if len(self.runs) + cancelled != 1:
            raise OracleFailure("once", f"it ran {len(self.runs)} times, {cancelled=}")
        if any(self.promised) != cancelled:
            raise OracleFailure("cancel", f"cancel() gave {self.promised}, yet {cancelled=}")
        self.check_result(cancelled)
        if self.early:
            raise OracleFailure("callbacks", "a callback was called before the future was done")
        if sorted(which for _, which in self.called) != list(range(self.callbacks)):
            raise OracleFailure(
                "callbacks", f"of {self.callbacks} callbacks were called {self.called}"
            )
        last: dict[int, int] = {}
        for ident, which in self.called:
            if which < last.get(ident, -1):
                raise OracleFailure("callbacks", f"one thread called them in order {self.called}")
            last[ident] = which

    def check_result(self, cancelled: bool) -> None:
        """Compare what result() and exception() say."""
        for ask, good in ((self.future.result, self), (self.future.exception, None)):
            try:
                answer = ask(0)
            except CancelledError:
                right = cancelled
            except TaskFailed:
                right = self.fails and not cancelled and good is self
            else:
                expected = (
                    isinstance(answer, TaskFailed) if self.fails and not good else answer is good
                )
                right = expected and not cancelled
            if not right:
                raise OracleFailure("result", f"{ask.__name__}() of {self.future!r} is wrong")


class Pooled(Scenario):
    """Shared: pools upon the target's threads, that log nothing of what fails on purpose."""

    subjects = "ThreadPoolExecutor Thread Condition"

    def __init__(self, world: World) -> None:
        self.futures = futures_of(world.target)
        logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL + 1)
        super().__init__(world)


class FuturesRunOnce(Pooled):
    """Each item runs once or is cancelled; each callback is called once, whenever it was added."""

    must_see = frozenset({"cancelled", "too late to cancel"})

    def setup(self) -> None:
        self.pool = self.futures.ThreadPoolExecutor(self.rng.choice((1, 2, 4)))
        self.jobs: list[Job] = []
        self.share = self.rng.choice((2, 10, 30))
        self.left = 2

    @actor(2)
    def submitter(self, me: Actor) -> None:
        for _ in range(self.share):
            job = Job(me.rng.random() < 0.3)
            job.future = self.pool.submit(job.run)
            for _ in range(me.rng.choice((0, 1, 1, 3))):
                job.add_callback()
            self.jobs.append(job)
            me.did("submit")
            if me.rng.random() < 0.5:
                me.pause()
            for _ in range(me.rng.choice((0, 1, 8))):
                job.add_callback()

    @actor()
    def canceller(self, me: Actor) -> None:
        for _ in range(self.share):
            me.pause()
            if jobs := self.jobs[-3:]:
                job = me.rng.choice(jobs)
                me.saw("cancelled" if job.cancel() else "too late to cancel")
                me.did("cancel")

    def arbiter(self) -> str:
        self.pool.shutdown()
        if len(self.jobs) != 2 * self.share:
            raise OracleFailure("count", f"{len(self.jobs)} of {2 * self.share} were submitted")
        for job in self.jobs:
            job.check()
        return "done"


class FuturesCancelVersusStart(Pooled):
    """cancel() is True when the item never runs, and only then; states only move forward."""

    must_see = frozenset({"cancelled", "too late to cancel"})

    def setup(self) -> None:
        self.pool = self.futures.ThreadPoolExecutor(1)
        self.jobs = [Job() for _ in range(self.rng.choice((1, 4, 8)))]
        self.lined: list[Job] = []

    @actor()
    def submitter(self, me: Actor) -> None:
        for job in self.jobs:
            job.future = self.pool.submit(job.run)
            self.lined.append(job)
            me.did("submit")

    @actor(2)
    def canceller(self, me: Actor) -> None:
        for k in range(len(self.jobs)):
            job = self.at(k)
            me.pause()
            before = any(job.promised)
            cancelled = job.cancel()
            if before and not cancelled:
                raise OracleFailure("cancel", "cancel() of what is cancelled returned False")
            me.saw("cancelled" if cancelled else "too late to cancel")
            me.did("cancel")

    @actor()
    def watcher(self, me: Actor) -> None:
        for k in range(len(self.jobs)):
            future = self.at(k).future
            was_running = was_done = was_cancelled = False
            while not was_done:
                running, done, cancelled = future.running(), future.done(), future.cancelled()
                if was_running and cancelled:
                    raise OracleFailure("forward", "it was running, then cancelled")
                was_running, was_done, was_cancelled = running, done, cancelled
                if not done and me.rng.random() < 0.3:
                    break
            if was_done and (future.running() or not future.done()):
                raise OracleFailure("forward", "it was done, and is so no more")
            if was_cancelled and not future.cancelled():
                raise OracleFailure("forward", "it was cancelled, and is so no more")
            me.did("look")
            try:
                future.result()  # a limit would hide who is never told
            except CancelledError:
                me.did("cancelled")
            else:
                me.did("result")

    def at(self, k: int) -> Job:
        while len(self.lined) <= k:
            time.sleep(0)
        return self.lined[k]

    def arbiter(self) -> str:
        self.pool.shutdown()
        for job in self.jobs:
            job.check()
        return "done"
