"""Semaphore and BoundedSemaphore: no permit is lost, none is made."""

from __future__ import annotations

import _thread
import time
from typing import Any

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor


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


class SemaphoreReleaseCount(Scenario):
    """release(n) lets n of the waiters in: not one less, and not one more."""

    core = False
    subjects = "Semaphore"

    def setup(self) -> None:
        self.semaphore = self.target.Semaphore(0)
        self.waiters = self.threads - 1
        self.n = self.rng.randrange(1, self.waiters + 1)
        # Locks of the interpreter's count them: to poll would look like progress to who watches.
        self.leaving = [_thread.allocate_lock() for _ in range(self.waiters)]
        for lock in self.leaving:
            lock.acquire()
        self.guard = _thread.allocate_lock()
        self.came = self.early = 0
        self.closing = False

    @actor(MANY)
    def waiter(self, me: Actor) -> None:
        self.semaphore.acquire()
        with self.guard:
            self.early += not self.closing
            self.leaving[self.came].release()
            self.came += 1
        me.did("acquire")

    @actor()
    def releaser(self, me: Actor) -> None:
        me.pause()
        self.semaphore.release(self.n)
        for lock in self.leaving[: self.n]:
            lock.acquire()
        me.did("release")
        me.pause()
        with self.guard:
            self.closing = True
        if rest := self.waiters - self.n:
            self.semaphore.release(rest)

    def arbiter(self) -> str:
        if self.early != self.n:
            raise OracleFailure("count", f"release({self.n}) let {self.early} in")
        if self.semaphore.acquire(False):
            raise OracleFailure("conservation", "a permit is left though each waiter has got one")
        return "done"


class BoundedSemaphoreAtBound(Scenario):
    """Of many who release at once, as many succeed as permits are out; the others ValueError."""

    core = False
    subjects = "BoundedSemaphore"
    must_see = frozenset({"refused"})

    def setup(self) -> None:
        self.value = self.rng.choice((1, 2, 4))
        self.semaphore = self.target.BoundedSemaphore(self.value)
        self.out = self.rng.randrange(self.value + 1)
        for _ in range(self.out):
            self.semaphore.acquire()
        self.balance = [self.out] + [0] * (self.threads + 1)

    @actor(MANY)
    def releaser(self, me: Actor) -> None:
        place = 1 + me.index % self.threads
        for _ in range(5):
            if me.rng.random() < 0.4 and self.semaphore.acquire(False):
                self.balance[place] += 1
                me.did("acquire")
            n = me.rng.choice((1, 1, 1, 2))
            try:
                self.semaphore.release(n)
            except ValueError:
                me.saw("refused")
            else:
                self.balance[place] -= n
            me.did("release")

    def arbiter(self) -> str:
        out = sum(self.balance)
        left = 0
        while self.semaphore.acquire(False):
            left += 1
        if left > self.value:
            raise OracleFailure("bound", f"{left} permits of {self.value}")
        if left != self.value - out:
            raise OracleFailure("conservation", f"{left} permits are there, {out} out")
        return "done"


class LockReleasedTwice(Scenario):
    """Two release a Lock that is held once: one succeeds, or a waiter came in between.

    A lock of CPython 3.13's lets both in, and then two acquire it.
    """

    core = False
    subjects = "Lock"

    def setup(self) -> None:
        self.locks = [self.target.Lock() for _ in range(40)]
        for lock in self.locks:
            lock.acquire()
        self.taken = [1 for _ in self.locks]
        self.given = [[0 for _ in self.locks] for _ in range(2)]
        self.at = [0, 0]
        self.waits = self.rng.random() < 0.3

    def release(self, me: Actor, side: int) -> None:
        for place, lock in enumerate(self.locks):
            self.at[side] = place
            for _ in range(200):  # so that both come at once, if there are processors enough
                if self.at[1 - side] >= place:
                    break
            for _ in range(me.rng.randrange(6)):
                pass
            try:
                lock.release()
            except RuntimeError:
                me.did("refused")
            else:
                self.given[side][place] = 1
                me.did("release")

    @actor()
    def one(self, me: Actor) -> None:
        self.release(me, 0)

    @actor()
    def two(self, me: Actor) -> None:
        self.release(me, 1)

    @actor()
    def waiter(self, me: Actor) -> None:
        if self.waits:
            for place, lock in enumerate(self.locks):
                lock.acquire()
                self.taken[place] += 1
                me.did("acquire")

    def arbiter(self) -> str:
        for place, lock in enumerate(self.locks):
            self.look(lock, self.taken[place], self.given[0][place] + self.given[1][place])
        return "done"

    def look(self, lock: Any, taken: int, given: int) -> None:
        held = taken - given
        if held not in (0, 1):
            raise OracleFailure("released", f"acquired {taken} times, released {given} times")
        if lock.locked() != bool(held):
            raise OracleFailure("state", f"{held=}, locked() is {lock.locked()}")
        if not held and not lock.acquire(False):
            raise OracleFailure("left free", "all have released it, yet it cannot be acquired")
        if lock.acquire(False):
            raise OracleFailure("exclusion", "it can be acquired twice")
