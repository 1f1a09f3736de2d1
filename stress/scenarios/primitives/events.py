"""Event: what is set is seen, by all, with all that came before it."""

from __future__ import annotations

import _thread
import os
import time

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor
from ...processes.kernel import threads


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


class EventTogglers(Scenario):
    """Several set and clear one event; when it stays set in the end, all who wait return."""

    core = False
    subjects = "Event"
    must_see = frozenset({"waited"})

    def setup(self) -> None:
        self.event = self.target.Event()
        self.times = self.rng.choice((5, 30))
        self.ended = [_thread.allocate_lock() for _ in range(2)]
        for lock in self.ended:
            lock.acquire()
        self.stays = False

    @actor(3)
    def waiter(self, me: Actor) -> None:
        over = False
        while not over:
            over = self.stays
            if me.rng.random() < 0.3:
                told = me.timed(self.event.wait, me.tiny())
            else:
                told = self.event.wait()
                if not told:
                    raise OracleFailure("result", "wait() without a limit returned False")
            if over and not told:
                raise OracleFailure("result", "wait() returned False of what is set for good")
            me.saw("waited")
            me.did("wait")
            me.pause()

    def toggle(self, me: Actor) -> None:
        for _ in range(self.times):
            (self.event.set if me.rng.random() < 0.5 else self.event.clear)()
            me.did("toggle")
            me.pause()

    @actor()
    def one(self, me: Actor) -> None:
        self.toggle(me)
        self.ended[0].release()

    @actor()
    def two(self, me: Actor) -> None:
        self.toggle(me)
        self.ended[1].release()

    @actor()
    def last(self, me: Actor) -> None:
        self.toggle(me)
        for lock in self.ended:
            lock.acquire()
        self.event.clear()
        me.pause()
        self.event.set()
        self.stays = True
        me.did("set")

    def arbiter(self) -> str:
        if not self.event.is_set():
            raise OracleFailure("state", "it is not set, though set() came last")
        return "done"


class EventStaysSet(Scenario):
    """Who waits for what is set is told True at once, whoever sets it again meanwhile."""

    core = False
    subjects = "Event"

    def setup(self) -> None:
        self.event = self.target.Event()
        self.event.set()

    @actor(2)
    def setter(self, me: Actor) -> None:
        for _ in range(20):
            self.event.set()
            me.did("set")
            me.pause()

    @actor(2)
    def waiter(self, me: Actor) -> None:
        for _ in range(20):
            if not self.event.wait(me.tiny()):
                raise OracleFailure("result", "wait() returned False of what was set all the time")
            if not self.event.is_set():
                raise OracleFailure("state", "is_set() is false of what was set all the time")
            me.did("wait")


class EventPulse(Scenario):
    """set() wakes all who wait already, even if clear() follows at once."""

    core = False
    subjects = "Event"
    looks = 4

    def setup(self) -> None:
        self.event = self.target.Event()
        self.waiters: list[int] = []

    @actor(3)
    def waiter(self, me: Actor) -> None:
        self.waiters.append(_thread.get_native_id())
        if not self.event.wait():
            raise OracleFailure("result", "wait() without a limit returned False")
        me.did("wait")

    @actor()
    def pulser(self, me: Actor) -> None:
        # That they wait, the kernel knows: they sleep, all of them, and were not switched to.
        before: object = None
        same = 0
        while same < self.looks:
            time.sleep(0.002)
            every = threads(os.getpid())
            now = [every.get(tid, ("?", 0)) for tid in self.waiters]
            sleep = len(now) == 3 and all(state == "S" for state, _ in now)
            same = same + 1 if sleep and now == before else 0
            before = now
        self.event.set()
        self.event.clear()
        me.did("pulse")
