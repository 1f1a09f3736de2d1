"""Semaphore and BoundedSemaphore: no permit is lost, none is made."""

from __future__ import annotations

import time
from typing import Any

from ..api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor


class SemaphoreConservation(Scenario):
    """A pool with as many things as permits: who has a permit finds a thing, at any time."""

    subjects = "Semaphore BoundedSemaphore"
    must_see = frozenset({"contended"})

    def setup(self) -> None:
        self.value = self.rng.choice((1, 1, 2, 3, 4))
        self.bounded = self.rng.random() < 0.5
        kind = self.target.BoundedSemaphore if self.bounded else self.target.Semaphore
        self.semaphore: Any = kind(self.value)
        self.pool = list(range(self.value))
        self.times = self.rng.choice((5, 20, 60))

    @actor(MANY)
    def worker(self, me: Actor) -> None:
        semaphore = self.semaphore
        for _ in range(self.times):
            way = me.rng.random()
            if way < 0.4:
                semaphore.acquire()
                me.did("acquire")
            elif way < 0.6:
                me.did("try")
                if not semaphore.acquire(False):
                    me.saw("contended")
                    continue
            elif not me.timed(lambda t: semaphore.acquire(timeout=t), me.tiny()):
                me.did("timeout")
                continue
            try:
                thing = self.pool.pop()
            except IndexError:
                raise OracleFailure("permits", f"more than {self.value} permits at once") from None
            me.pause()
            self.pool.append(thing)
            semaphore.release()
            me.did("release")

    def arbiter(self) -> str:
        for k in range(self.value):
            if not self.semaphore.acquire(False):
                raise OracleFailure("conservation", f"{k} permits left of {self.value}")
        if self.semaphore.acquire(False):
            raise OracleFailure("conservation", f"more than {self.value} permits left")
        self.semaphore.release(self.value)
        if self.bounded:
            try:
                self.semaphore.release()
            except ValueError:
                return "done"
            raise OracleFailure("bound", "released above its first value without ValueError")
        return "done"


class SemaphoreTimeoutVersusRelease(Scenario):
    """One permit is released at about the time when a waiter gives up: it must not get lost."""

    subjects = "Semaphore"
    outcomes = {"in time": ACCEPTABLE, "too late": ACCEPTABLE}
    must_see = frozenset({"in time", "too late"})

    def setup(self) -> None:
        self.semaphore = self.target.Semaphore(0)
        self.got = False
        self.time = self.rng.expovariate(1 / 0.0003)

    @actor()
    def releaser(self, me: Actor) -> None:
        time.sleep(self.time * me.rng.uniform(0.5, 1.5))
        self.semaphore.release()
        me.did("release")

    @actor()
    def waiter(self, me: Actor) -> None:
        self.got = me.timed(lambda t: self.semaphore.acquire(timeout=t), self.time)
        me.did("timed")

    def arbiter(self) -> str:
        left = 0
        while self.semaphore.acquire(False):
            left += 1
        if left + self.got != 1:
            raise OracleFailure("conservation", f"1 permit became {left + self.got}")
        return "in time" if self.got else "too late"


class SemaphoreReleaseMany(Scenario):
    """release(n) lets n in, whoever waits: with n permits for n waiters nobody stays behind."""

    core = False
    subjects = "Semaphore"

    def setup(self) -> None:
        self.semaphore = self.target.Semaphore(0)
        self.waiters = self.threads - 1

    @actor(MANY)
    def waiter(self, me: Actor) -> None:
        self.semaphore.acquire()
        me.did("acquire")

    @actor()
    def releaser(self, me: Actor) -> None:
        left = self.waiters
        while left:
            n = me.rng.randrange(1, left + 1)
            me.pause()
            self.semaphore.release(n)
            left -= n
            me.did("release")

    def arbiter(self) -> str:
        if self.semaphore.acquire(False):
            raise OracleFailure("conservation", "a permit is left though each waiter has got one")
        return "done"
