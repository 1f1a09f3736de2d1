"""Random programs whose every call is recorded, so that an order can be looked for.

The main thread watches. When the others have ended or wait, and none moves, it asks the checker
what that means: a lost wake-up is a finding, a legal deadlock is ended by a call of its own, which
is part of the history like all others.
"""

from __future__ import annotations

import _thread
import abc
import os
import time
from typing import ClassVar

from ..api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor
from ..processes.kernel import threads
from .checker import Search, Stuck, Verdict, check, minimise
from .history import Call, Recorder, draw
from .models import Model

STILL = 0.004
"""Seconds without a call's begin or end until the watcher asks what that means."""
SURE = 1.5
"""Seconds that all have to sleep before a wake-up counts as lost."""


class Linear(Scenario, abc.ABC):
    """Shared: threads that make random calls, their records, the watcher, the check."""

    outcomes: ClassVar = {"legal": ACCEPTABLE, "unknown": ACCEPTABLE}
    must_see = frozenset({"legal"})
    max_threads = 5
    quiet = 8.0
    times = (4, 10)

    def setup(self) -> None:
        self.calls = self.rng.randint(*self.times)
        self.recorders = [Recorder(k) for k in range(self.threads + 1)]
        self.model = self.make()

    @abc.abstractmethod
    def make(self) -> Model:
        """Make the subject; return its model."""

    @abc.abstractmethod
    def move(self, me: Actor, record: Recorder) -> None:
        """Make one call, or a few that belong together."""

    def rescue(self, record: Recorder) -> None:
        """Make a call that lets somebody go on, where threads may wait for ever by right."""

    def close(self, me: Actor, record: Recorder) -> None:
        """Give back what the thread still has, at its end."""

    @actor(MANY)
    def caller(self, me: Actor) -> None:
        record = self.recorders[me.index]
        record.native_id = _thread.get_native_id()
        try:
            for _ in range(self.calls):
                self.move(me, record)
                me.did("call")
                me.pause()
            self.close(me, record)
        finally:
            record.finished = True

    @actor(main=True)
    def watcher(self, me: Actor) -> None:
        before: list[Call] = []
        since = time.monotonic()
        own = self.recorders[-1]
        while not all(record.finished for record in self.recorders[:-1]):
            time.sleep(0.0005)
            history = self.history()
            now = time.monotonic()
            if history != before:
                before, since = history, now
                continue
            if not self.idle() or now - since < STILL:
                continue
            meaning = Search(self.model, self.asleep(history)).stuck()
            lost = meaning in (Stuck.LOST_WAKEUP, Stuck.UNEXPLAINED)
            if lost and not self.surely_still(history):
                continue
            if self.history() != history:
                continue
            if lost:
                self.judge(history)
                drawing = draw(history, check(self.model, history).order)
                raise OracleFailure("lost wake-up", f"threads wait, yet {meaning.value}", drawing)
            me.saw(meaning.name.lower().replace("_", " "))
            self.rescue(own)

    def idle(self) -> bool:
        """Return whether all have finished or are within a call."""
        return all(
            record.finished or any(call.pending for call in record.look()[-1:])
            for record in self.recorders[:-1]
        )

    def history(self) -> list[Call]:
        """Return all calls so far."""
        return [call for record in self.recorders for call in record.look()]

    def asleep(self, history: list[Call]) -> list[Call]:
        """Return the history as it is if all open calls have begun to wait."""
        return history

    def surely_still(self, history: list[Call]) -> bool:
        """Return whether all who have not finished sleep, and go on sleeping."""
        before: dict[int, tuple[str, int]] = {}
        since = time.monotonic()
        while time.monotonic() - since < SURE:
            time.sleep(0.1)
            if self.history() != history:
                return False
            states = threads(os.getpid())
            waiting = {
                record.native_id: states.get(record.native_id, ("S", 0))
                for record in self.recorders[:-1]
                if not record.finished
            }
            if waiting != before or any(state != "S" for state, _ in waiting.values()):
                before, since = waiting, time.monotonic()
        return True

    def arbiter(self) -> str:
        return self.judge(self.history())

    def judge(self, history: list[Call]) -> str:
        """Return a history's outcome. Raises OracleFailure with the drawing of an illegal one."""
        answer = check(self.model, history)
        if answer.verdict is Verdict.UNKNOWN:
            return "unknown"
        if answer.verdict is Verdict.ILLEGAL:
            short = minimise(self.model, history)
            order = check(self.model, short).order
            message = f"no order explains these {len(short)} of {len(history)} calls"
            raise OracleFailure("linearizability", message, draw(short, order))
        return "legal"
