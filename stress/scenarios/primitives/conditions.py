"""Condition: no wake-up is lost, none is invented, none goes to who has given up."""

from __future__ import annotations

import _thread
import time

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor

PATIENCE = 0.6
"""Seconds that a waiter waits who must be notified: more than any notifier takes."""


class ConditionNoLostWakeup(Scenario):
    """Tokens are put and taken, each put notifies one or all: every taker gets its share."""

    subjects = "Condition RLock Lock"
    must_see = frozenset({"waited"})

    def setup(self) -> None:
        lock = self.rng.choice((None, self.target.Lock(), self.target.RLock()))
        self.condition = self.target.Condition(lock)
        self.tokens = 0
        self.share = self.rng.choice((2, 5, 20))
        self.taken = [0] * (self.threads + 1)
        self.put = [0] * (self.threads + 1)
        self.timed = self.rng.random() < 0.3

    @actor(MANY)
    def taker(self, me: Actor) -> None:
        for _ in range(self.share):
            with self.condition:
                while not self.tokens:
                    me.saw("waited")
                    if self.timed and me.rng.random() < 0.5:
                        me.timed(self.condition.wait, me.tiny())
                    else:
                        self.condition.wait()
                self.tokens -= 1
                if self.tokens < 0:
                    raise OracleFailure("conservation", "two takers took the last token")
            self.taken[me.index] += 1
            me.did("take")

    @actor(MANY)
    def putter(self, me: Actor) -> None:
        left = self.share
        while left:
            n = min(left, me.rng.choice((1, 1, 1, 2, 3)))
            with self.condition:
                me.pause()
                self.tokens += n
                if me.rng.random() < 0.2:
                    self.condition.notify_all()
                else:
                    self.condition.notify(n)
            left -= n
            self.put[me.index] += n
            me.did("put")

    def arbiter(self) -> str:
        # Takers and putters are equally many, and each has the same share.
        if self.tokens != sum(self.put) - sum(self.taken):
            raise OracleFailure("conservation", f"{self.tokens} tokens left")
        return "done"


class ConditionNotifyCount(Scenario):
    """n notified means that n return: not one less, and not one more."""

    subjects = "Condition"

    def setup(self) -> None:
        self.condition = self.target.Condition(self.target.Lock())
        self.waiters = self.threads - 1
        # The notifier counts them by locks of the interpreter's: it must not poll, for that would
        # look like progress to who watches.
        self.entering = [_thread.allocate_lock() for _ in range(self.waiters)]
        self.leaving = [_thread.allocate_lock() for _ in range(self.waiters)]
        for lock in (*self.entering, *self.leaving):
            lock.acquire()
        self.n = self.rng.randrange(self.waiters + 1)
        self.inside = self.woken = self.early = 0
        self.closing = False

    @actor(MANY)
    def waiter(self, me: Actor) -> None:
        with self.condition:
            self.entering[self.inside].release()
            self.inside += 1
            self.condition.wait()
            self.leaving[self.woken].release()
            self.woken += 1
            if not self.closing:
                self.early += 1
        me.did("wait")

    @actor()
    def notifier(self, me: Actor) -> None:
        for lock in self.entering:
            lock.acquire()
        with self.condition:  # so the last to enter is within wait()
            self.condition.notify(self.n)
        me.did("notify")
        for lock in self.leaving[: self.n]:
            lock.acquire()
        me.pause()
        with self.condition:
            self.closing = True
            self.condition.notify(self.waiters - self.n)

    def arbiter(self) -> str:
        if self.early != self.n:
            raise OracleFailure("count", f"notify({self.n}) woke {self.early}")
        return "done"


class ConditionTimedWaiterSwallows(Scenario):
    """One notification, two waiters, the first with little time: somebody must get it."""

    subjects = "Condition"
    outcomes = {
        "the timed one got it": ACCEPTABLE,
        "the patient one got it": ACCEPTABLE,
        "it came too late for both": ACCEPTABLE,
    }
    must_see = frozenset({"the timed one got it", "the patient one got it"})

    def setup(self) -> None:
        self.condition = self.target.Condition(self.target.Lock())
        self.results: dict[str, bool] = {}
        self.inside = 0
        self.expires = 0.0
        self.told_at = 0.0
        self.sent_home = False
        self.time = self.rng.choice((0.0005, 0.002, 0.005))

    @actor()
    def timed(self, me: Actor) -> None:
        with self.condition:
            self.inside += 1
            self.results["timed"] = me.timed(self.condition.wait, self.time)
            if self.results["timed"]:  # the other need not wait until the end
                self.sent_home = True
                self.condition.notify_all()
        me.did("timed wait")

    @actor()
    def patient(self, me: Actor) -> None:
        while not self.inside:
            time.sleep(0)
        with self.condition:
            self.inside += 1
            self.expires = time.monotonic() + PATIENCE
            told = self.condition.wait(PATIENCE)
            self.results["patient"] = told and not self.sent_home
        me.did("wait")

    @actor()
    def notifier(self, me: Actor) -> None:
        while True:
            with self.condition:
                if self.inside == 2:  # so both are within wait(), for the lock is ours
                    time.sleep(self.time * me.rng.choice((0, 0.5, 1, 1.5)))
                    self.condition.notify(1)
                    self.told_at = time.monotonic()
                    break
            time.sleep(0)
        me.did("notify")

    def arbiter(self) -> str:
        timed, patient = self.results["timed"], self.results["patient"]
        if timed and patient:
            return "both got it"
        if timed or patient:
            return "the timed one got it" if timed else "the patient one got it"
        if self.told_at > self.expires:
            return "it came too late for both"
        return "nobody got it"


class ConditionOwner(Scenario):
    """wait() and notify() without the lock are refused; wait() gives back all of an RLock."""

    core = False
    subjects = "Condition RLock"

    def setup(self) -> None:
        self.condition = self.target.Condition()
        self.ready = self.flag = False

    @actor()
    def waiter(self, me: Actor) -> None:
        for method in (self.condition.wait, self.condition.notify, self.condition.notify_all):
            try:
                method()
            except RuntimeError:
                me.did("refused")
            else:
                raise OracleFailure(
                    "owner", f"{method} without the lock did not raise RuntimeError"
                )
        with self.condition, self.condition:
            self.ready = True
            if not self.condition.wait_for(lambda: self.flag):
                raise OracleFailure("predicate", "wait_for() without a limit returned False")
            if self.condition.wait_for(lambda: False, 0.0005):
                raise OracleFailure("predicate", "wait_for() of what is false returned True")
        me.did("wait_for")

    @actor()
    def notifier(self, me: Actor) -> None:
        while True:
            with self.condition:
                if self.ready:
                    self.flag = True
                    self.condition.notify_all()
                    break
            time.sleep(0)
        me.did("notify_all")
