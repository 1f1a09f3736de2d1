"""Controls: what has to be seen on any target, or else a run proves nothing."""

from __future__ import annotations

import time

from ..api.scenario import ACCEPTABLE, Actor, Scenario, actor

LONG = 0.02
"""Seconds: more than a processor is left to one thread if another wants it."""


class ControlUnlocked(Scenario):
    """Two threads count without a lock: an update must get lost, or nothing here runs at once."""

    outcomes = {"lost updates": ACCEPTABLE, "all counted": ACCEPTABLE}
    must_see = frozenset({"lost updates"})

    def setup(self) -> None:
        self.counter = 0
        self.added = [0, 0]

    @actor(2)
    def count(self, me: Actor) -> None:
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            for _ in range(100):
                value = self.counter
                self.counter = value + 1
            self.added[me.index % 2] += 100
        me.did("count")

    def arbiter(self) -> str:
        return "all counted" if self.counter == sum(self.added) else "lost updates"


class ControlDeadlock(Scenario):
    """Two threads take two locks crosswise: that hang must be noticed."""

    core = False
    outcomes = {"deadlock noticed": ACCEPTABLE, "got through": ACCEPTABLE}
    must_see = frozenset({"deadlock noticed"})
    expects_hang = True
    min_rounds = 1
    quiet = 0.4

    def setup(self) -> None:
        self.locks = self.target.Lock(), self.target.Lock()

    def both(self, me: Actor, first: int) -> None:
        with self.locks[first]:
            time.sleep(0.001)
            with self.locks[1 - first]:
                me.did("both")

    @actor()
    def one_way(self, me: Actor) -> None:
        self.both(me, 0)

    @actor()
    def other_way(self, me: Actor) -> None:
        self.both(me, 1)

    def arbiter(self) -> str:
        return "got through"
