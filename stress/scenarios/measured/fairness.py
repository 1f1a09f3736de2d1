"""Who waits long enough gets it: locks may be unfair, but not for seconds.

What looks like starvation is looked at again at once: by then nemeses hold still, since the round
has lasted for so long. Only what the target does to somebody again and again is a finding.

CPython's own Semaphore does starve a thread for seconds if others take it again at once. So of
semaphores no more is asked than that who waits is not overtaken by those who come back later.
"""

from __future__ import annotations

import _thread
import time
from typing import Any

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor
from ...targets.inspection import queues_of

LASTS = 1.15
"""Seconds that threads compete for a lock."""
STARVED = 1.0
"""Seconds that somebody waits, ..."""
THOUSANDS = 2000
"""... while others have so many turns."""
PHASES = 4
"""In so many, one after the other, somebody has to be starved."""
HUNDREDS = 100
"""Turns of each, on average, within which nobody is left without."""
FAIR = 40
"""Times as many notifications as waiters, within which each waiter is notified at least once."""


class Competition(Scenario):
    """Shared: a phase in which threads want one lock, and another if somebody seemed starved."""

    core = False
    measures = True
    slow = True
    subjects = "Lock RLock Condition"
    outcomes = {"done": ACCEPTABLE, "seemed starved": ACCEPTABLE}
    min_rounds = 1
    max_threads = 8

    def setup(self) -> None:
        self.kind = self.rng.choice(("Lock", "RLock", "Condition"))
        self.lock: Any = getattr(self.target, self.kind)()
        self.turns = 0
        """Of all; only who has the lock counts it."""
        self.starved: list[list[str]] = [[] for _ in range(PHASES)]
        self.arrived = 0
        self.guard = _thread.allocate_lock()
        self.doors = [_thread.allocate_lock() for _ in range(PHASES)]
        for door in self.doors:
            door.acquire()
        self.until = 0.0

    def begins(self, phase: int) -> bool:
        """Wait until all are here; return whether this phase is needed."""
        with self.guard:
            self.arrived += 1
            last = self.arrived == self.threads * (phase + 1)
        if last:
            self.until = time.monotonic() + LASTS
            self.doors[phase].release()
        with self.doors[phase]:
            pass
        return phase == 0 or bool(self.starved[phase - 1])

    def compete(self, me: Actor, hold: int, apart: int, nap: float = 0.0) -> None:
        """Want the lock all the time, hold it for so many steps, and leave it alone for a while."""
        lock = self.lock
        for phase in range(PHASES):
            if not self.begins(phase):
                return
            until = self.until
            while (begin := time.monotonic()) < until:
                before = self.turns
                with lock:
                    now = self.turns = self.turns + 1
                    for _ in range(hold):
                        pass
                    me.did("turn")
                waited = time.monotonic() - begin
                if waited >= STARVED and now - before > THOUSANDS:
                    text = f"{waited:.2f} s while others had {now - before} turns"
                    self.starved[phase].append(text)
                if nap:
                    time.sleep(nap)
                for _ in range(apart):
                    pass

    def arbiter(self) -> str:
        if all(self.starved):
            texts = " and again ".join(texts[0] for texts in self.starved)
            raise OracleFailure("starvation", f"{self.kind}: a thread waited for it {texts}")
        return "seemed starved" if any(self.starved) else "done"


class FairAmongEquals(Competition):
    """Threads that want one lock all the time get it, each of them within a second."""

    @actor(MANY)
    def one(self, me: Actor) -> None:
        self.compete(me, me.rng.choice((0, 5, 50)), me.rng.choice((0, 0, 5, 50)))


class FairToTheModest(Competition):
    """Threads that take a lock again at once let in another that wants it now and then."""

    @actor(MANY)
    def greedy(self, me: Actor) -> None:
        self.compete(me, me.rng.choice((0, 5, 50, 500)), 0)

    @actor()
    def modest(self, me: Actor) -> None:
        self.compete(me, 0, 0, me.rng.choice((0.0002, 0.005)))


class FairQueue(Scenario):
    """Who waits gets its turn before others, who go away and come back, have had hundreds."""

    core = False
    subjects = "Lock RLock Semaphore Condition Queue"
    max_threads = 8

    def setup(self) -> None:
        kinds = ("Lock", "RLock", "Semaphore", "Condition", "Queue")
        self.kind = self.rng.choice(kinds)
        self.lock: Any = None
        if self.kind == "Queue":
            self.queue = queues_of(self.target).Queue()
            self.queue.put(1)
        else:
            self.lock = getattr(self.target, self.kind)()
        self.hold, self.apart = self.rng.choice(((0.001, 0.0002), (0.0005, 0.0001)))
        self.had = [0] * self.threads
        self.left_out: list[int] = []
        self.begin = time.monotonic()

    @actor(MANY)
    def one(self, me: Actor) -> None:
        while not self.over():
            if self.lock is not None:
                with self.lock:
                    self.turn(me)
            else:
                item = self.queue.get()
                self.turn(me)
                self.queue.put(item)
            me.did("turn")
            time.sleep(self.apart)  # the others' turn, and back before it is over

    def turn(self, me: Actor) -> None:
        """Have what only one can have."""
        self.had[me.index] += 1
        time.sleep(self.hold)  # so that the others wait

    def over(self) -> bool:
        """Return whether each has had its turns, or somebody is not to have them."""
        had = self.had.copy()
        lasted = time.monotonic() - self.begin
        if min(had) > 1 or self.left_out:
            return True
        # By now nemeses hold still.
        if lasted > 2 * STARVED and sum(had) > HUNDREDS * self.threads:
            self.left_out = had
        return bool(self.left_out)

    def arbiter(self) -> str:
        if self.left_out:
            raise OracleFailure(
                "starvation", f"{self.kind}: of {sum(self.left_out)} turns each had {self.left_out}"
            )
        return "done"


class FairNotify(Scenario):
    """Of waiters that are notified one by one and wait again, none is passed over for ever."""

    core = False
    subjects = "Condition"
    max_threads = 8
    min_rounds = 2
    outcomes = {"each woken": ACCEPTABLE, "too slow to tell": ACCEPTABLE}
    must_see = frozenset({"each woken"})

    def setup(self) -> None:
        lock = self.rng.choice((None, self.target.Lock(), self.target.RLock()))
        self.condition = self.target.Condition(lock)
        self.waiters = self.threads - 1
        self.inside = 0
        self.there = _thread.allocate_lock()
        self.there.acquire()
        self.over = False
        self.woken = [0] * (self.threads + 1)
        self.timeout = self.rng.choice((None, 30.0))

    @actor(MANY)
    def waiter(self, me: Actor) -> None:
        with self.condition:
            while True:
                self.inside += 1
                if self.inside == self.waiters:
                    self.there.release()
                self.condition.wait(self.timeout)
                self.inside -= 1
                if self.over:
                    return
                self.woken[me.index % self.threads] += 1
                me.did("wait")

    @actor()
    def notifier(self, me: Actor) -> None:
        until = time.monotonic() + 0.4
        self.outcome = "too slow to tell"
        for _ in range(FAIR * self.waiters):
            self.there.acquire()
            with self.condition:  # all are within wait() now
                if sum(count > 0 for count in self.woken) == self.waiters:
                    self.outcome = "each woken"
                    break
                if time.monotonic() > until:
                    break
                self.condition.notify()
            me.did("notify")
        else:
            self.there.acquire()
            if sum(count > 0 for count in self.woken) < self.waiters:
                raise OracleFailure(
                    "starvation",
                    f"of {FAIR * self.waiters} notifications each got {self.woken}",
                )
        with self.condition:
            self.over = True
            self.condition.notify_all()

    def arbiter(self) -> str:
        return self.outcome
