"""Lock and RLock: mutual exclusion, timeouts against releases, owner and recursion."""

from __future__ import annotations

import time
from typing import Any

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor


class LockTorture(Scenario):
    """Everybody wants the same lock, by every way to take it; nobody may meet another inside."""

    subjects = "Lock RLock Condition Semaphore"
    must_see = frozenset({"contended", "timed out"})

    def setup(self) -> None:
        kind = self.rng.choice(("Lock", "Lock", "RLock", "Condition", "Semaphore"))
        self.lock = getattr(self.target, kind)()
        self.inside: list[int] = []
        self.counter = 0
        self.wanted = [0] * self.threads
        self.times = self.rng.choice((5, 20, 60))

    @actor(MANY)
    def worker(self, me: Actor) -> None:
        lock = self.lock
        for _ in range(self.times):
            way = me.rng.random()
            if way < 0.5:
                with lock:
                    self.section(me)
                me.did("with")
                continue
            if way < 0.75:
                if not lock.acquire(False):
                    me.saw("contended")
                    me.did("try")
                    continue
            elif not me.timed(lambda t: lock.acquire(True, t), me.tiny()):
                me.did("timeout")
                continue
            self.section(me)
            lock.release()
            me.did("release")

    def section(self, me: Actor) -> None:
        """Be alone in here, and count without any lock of one's own."""
        if self.inside:
            raise OracleFailure(
                "exclusion", f"thread {me.index} met thread {self.inside[0]} inside"
            )
        self.inside.append(me.index)
        before = self.counter
        me.pause()
        self.counter = before + 1
        self.wanted[me.index] += 1
        if self.inside != [me.index]:
            raise OracleFailure("exclusion", f"threads {self.inside} were inside together")
        self.inside.pop()

    def arbiter(self) -> str:
        if self.counter != sum(self.wanted):
            raise OracleFailure("sum", f"{sum(self.wanted)} sections counted to {self.counter}")
        if not self.lock.acquire(False):
            raise OracleFailure("left free", "nobody holds the lock, yet it cannot be acquired")
        self.lock.release()
        return "done"


class LockTimeoutVersusRelease(Scenario):
    """A holder releases at about the time when a waiter gives up: the lock must not get lost."""

    subjects = "Lock"
    outcomes = {"in time": ACCEPTABLE, "too late": ACCEPTABLE}
    must_see = frozenset({"in time", "too late"})

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.lock.acquire()
        self.got = False
        self.time = self.rng.expovariate(1 / 0.0003)

    @actor()
    def holder(self, me: Actor) -> None:
        time.sleep(self.time * me.rng.uniform(0.5, 1.5))
        self.lock.release()
        me.did("release")

    @actor()
    def waiter(self, me: Actor) -> None:
        self.got = me.timed(lambda t: self.lock.acquire(timeout=t), self.time)
        me.did("timed")

    def arbiter(self) -> str:
        if self.lock.locked() != self.got:
            raise OracleFailure("owner", f"acquire() returned {self.got}, locked() the contrary")
        if self.got:
            self.lock.release()
        if not self.lock.acquire(False):
            raise OracleFailure("left free", "released and given up, yet nobody can acquire it")
        return "in time" if self.got else "too late"


class LockArguments(Scenario):
    """Timeouts that make no sense are refused and change nothing; the longest one is accepted."""

    core = False
    subjects = "Lock RLock Semaphore"

    def setup(self) -> None:
        self.lock = self.rng.choice((self.target.Lock, self.target.RLock))()

    @actor(2)
    def caller(self, me: Actor) -> None:
        longest = self.target.TIMEOUT_MAX
        for arguments, error in (
            ((True, -2), ValueError),
            ((False, 1), ValueError),
            ((True, float("nan")), ValueError),
            ((True, longest * 10), OverflowError),
        ):
            try:
                self.lock.acquire(*arguments)
            except error:
                me.did("refused")
            else:
                raise OracleFailure(
                    "arguments", f"acquire{arguments} did not raise {error.__name__}"
                )
        if not self.lock.acquire(True, longest):
            raise OracleFailure("arguments", "acquire(True, TIMEOUT_MAX) returned False")
        me.pause()
        self.lock.release()
        me.did("longest")

    def arbiter(self) -> str:
        try:
            self.lock.release()
        except RuntimeError:
            return "done"
        raise OracleFailure("arguments", "release() of a free lock did not raise RuntimeError")


class RlockRecursion(Scenario):
    """Recursion to any depth, foreign releases refused, all given back and taken at once."""

    subjects = "RLock"
    must_see = frozenset({"foreign release refused", "gave all back"})

    def setup(self) -> None:
        self.lock = self.target.RLock()
        self.depth = 0
        self.times = self.rng.choice((3, 10, 30))

    @actor(MANY)
    def worker(self, me: Actor) -> None:
        lock: Any = self.lock
        for _ in range(self.times):
            if me.rng.random() < 0.15 and not lock._is_owned():
                try:
                    lock.release()
                except RuntimeError:
                    me.saw("foreign release refused")
                else:
                    raise OracleFailure("owner", "a thread released an RLock that it does not own")
            depth = me.rng.randrange(1, 5)
            if not self.enter(me):
                continue
            for k in range(1, depth):
                self.check(k)
                lock.acquire()
                self.depth = k + 1
            self.check(depth)
            if me.rng.random() < 0.2:
                self.depth = 0
                state = lock._release_save()
                me.pause()
                lock._acquire_restore(state)
                if self.depth:
                    raise OracleFailure("exclusion", f"restored at depth {self.depth} of another's")
                self.depth = depth
                me.saw("gave all back")
            for k in range(depth, 0, -1):
                self.check(k)
                self.depth = k - 1
                lock.release()
            me.did("recursion")
            if me.rng.random() < 0.1 and "RLock" not in repr(lock):
                raise OracleFailure("repr", repr(lock))

    def enter(self, me: Actor) -> bool:
        if me.rng.random() < 0.3 and not me.timed(lambda t: self.lock.acquire(True, t), me.tiny()):
            return False
        if not self.lock._is_owned():
            self.lock.acquire()
        if self.depth:
            raise OracleFailure("exclusion", f"acquired while another is at depth {self.depth}")
        self.depth = 1
        me.pause()
        return True

    def check(self, depth: int) -> None:
        if self.depth != depth:
            raise OracleFailure("recursion", f"at depth {depth} another had written {self.depth}")
        if not self.lock._is_owned():
            raise OracleFailure("owner", f"a thread does not own its lock at depth {depth}")

    def arbiter(self) -> str:
        if not self.lock.acquire(False):
            raise OracleFailure("left free", "all have released it, yet it cannot be acquired")
        self.lock.release()
        return "done"


class StoreBuffering(Scenario):
    """Two threads each write, pass through the lock and read: one must see the other's write."""

    core = False
    subjects = "Lock"
    outcomes = {"1 0": ACCEPTABLE, "0 1": ACCEPTABLE, "1 1": ACCEPTABLE}
    must_see = frozenset({"1 0", "0 1"})

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.x = self.y = 0
        self.seen = [0, 0]

    @actor()
    def left(self, me: Actor) -> None:
        self.x = 1
        with self.lock:
            me.did("with")
        self.seen[0] = self.y

    @actor()
    def right(self, me: Actor) -> None:
        self.y = 1
        with self.lock:
            me.did("with")
        self.seen[1] = self.x

    def arbiter(self) -> str:
        return f"{self.seen[0]} {self.seen[1]}"
