"""Event: what is set is seen, by all, with all that came before it."""

from __future__ import annotations

import time

from ..api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor


class EventPublishes(Scenario):
    """After set() every waiter returns, and sees what was written before set()."""

    subjects = "Event"
    must_see = frozenset({"waited"})

    def setup(self) -> None:
        self.event = self.target.Event()
        self.data = 0

    @actor(MANY)
    def waiter(self, me: Actor) -> None:
        if not self.event.is_set():
            me.saw("waited")
        if me.rng.random() < 0.3:
            while not me.timed(self.event.wait, me.tiny()):
                me.did("timeout")
        elif not self.event.wait():
            raise OracleFailure("result", "wait() without a limit returned False")
        if not self.data:
            raise OracleFailure(
                "publication", "what was written before set() is not seen after wait()"
            )
        me.did("wait")

    @actor()
    def setter(self, me: Actor) -> None:
        me.pause()
        self.data = 1
        self.event.set()
        me.did("set")

    def arbiter(self) -> str:
        if not self.event.is_set():
            raise OracleFailure("state", "it is not set, though nobody has cleared it")
        return "done"


class EventPingPong(Scenario):
    """Two threads take turns by two events that each clears: a lost set() stops both."""

    core = False
    subjects = "Event"

    def setup(self) -> None:
        self.events = self.target.Event(), self.target.Event()
        self.turn = 0
        self.times = self.rng.choice((10, 50))

    def play(self, me: Actor, side: int) -> None:
        mine, other = self.events[side], self.events[1 - side]
        for _ in range(self.times):
            mine.wait()
            mine.clear()
            if self.turn != side:
                raise OracleFailure("order", "wait() returned out of turn")
            self.turn = 1 - side
            other.set()
            me.did("turn")

    @actor()
    def ping(self, me: Actor) -> None:
        self.events[0].set()
        self.play(me, 0)

    @actor()
    def pong(self, me: Actor) -> None:
        self.play(me, 1)


class EventSetClearWait(Scenario):
    """set() and clear() race with a waiter: whoever sleeps when set() comes is woken by it."""

    core = False
    subjects = "Event"
    outcomes = {"woken": ACCEPTABLE, "never slept": ACCEPTABLE}
    must_see = frozenset({"woken"})

    def setup(self) -> None:
        self.event = self.target.Event()
        self.over = False
        self.returned = 0

    @actor(2)
    def waiter(self, me: Actor) -> None:
        self.event.wait()
        self.returned += 1
        me.did("wait")

    @actor()
    def toggler(self, me: Actor) -> None:
        for _ in range(me.rng.randrange(4)):
            self.event.set()
            me.did("set")
            me.pause()
            self.event.clear()
            me.did("clear")
        time.sleep(0)
        if self.event.is_set():
            raise OracleFailure("state", "it is set after clear()")
        self.over = True
        self.event.set()
        me.did("set")

    def arbiter(self) -> str:
        return "woken" if self.over else "never slept"
