"""Handlers that raise at any instruction about notify(), acquire(), release() and timed waits."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from itertools import starmap
from typing import Any

from ...api.scenario import Actor, OracleFailure, actor
from .interruption import PATIENCE, Helper, Storm, expect
from .thrown import ONCE


class InterruptedNotify(Storm):
    """A handler raises about notify(n): it wakes n or none, and later ones reach who waits."""

    subjects = "Condition"

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.condition = self.target.Condition(self.lock)

    @actor(main=True)
    def notifier(self, me: Actor) -> None:
        for _ in range(4):
            self.setup()
            self.once(me)
            if self.outcome == "torn":
                return

    def once(self, me: Actor) -> None:
        inside: list[int] = []
        back: list[bool] = []
        """Who has come back, and whether he had to."""
        closing: list[int] = []

        def wait() -> None:
            self.lock.acquire()
            inside.append(1)
            self.condition.wait()
            back.append(bool(closing))
            self.lock.release()

        helpers = [Helper(wait) for _ in range(3)]
        while len(inside) < 3:
            time.sleep(0)
        self.lock.acquire()  # so all three are within wait()
        n = me.rng.choice((1, 2, 3))
        everybody = n == 3 and me.rng.random() < 0.5
        notify, arguments = (
            (self.condition.notify_all, ONCE) if everybody else (self.condition.notify, [(n,)])
        )
        given: list[None] = []
        delay = me.rng.uniform(0.00005, 0.0002)
        begin = time.monotonic() + delay * me.rng.uniform(0.8, 1.5)

        def work() -> None:
            while time.monotonic() < begin:
                pass
            given.extend(starmap(notify, arguments))

        self.strike(me, work, delay, asleep=False)
        if not self.lock.locked():
            self.torn("owner", "notify() has lost the lock")
            return
        self.lock.release()
        told = n if given else 0
        deadline = time.monotonic() + PATIENCE
        while len(back) < told and time.monotonic() < deadline:
            time.sleep(0)
        me.pause()
        self.judge(lambda: self.rest(back, closing, n, told))
        for helper in helpers:
            if not helper.ended(-1 if self.whole else PATIENCE):
                self.torn("lost wake-up", f"after a struck notify({n}) {back} are back of 3")

    def rest(self, back: list[bool], closing: list[int], n: int, told: int) -> None:
        """Notify those who have not been, one by one: who is back cannot swallow one."""
        self.lock.acquire()
        early = len(back)
        closing.append(1)
        for _ in range(3 - early if told == 0 else 3 - told):
            self.condition.notify()
        self.lock.release()
        expect(early <= n, "count", f"notify({n}) woke {early}")


class InterruptedRelease(Storm):
    """A handler raises about acquire() and release(): what they returned is what is held."""

    subjects = "Lock RLock Semaphore BoundedSemaphore"

    @actor(main=True)
    def owner(self, me: Actor) -> None:
        for _ in range(3):
            self.kind = me.rng.choice(("Lock", "RLock", "Semaphore", "BoundedSemaphore"))
            self.once(me)
            if self.outcome == "torn":
                return

    def once(self, me: Actor) -> None:
        lock = getattr(self.target, self.kind)()
        always = inspect.isbuiltin(lock.acquire)  # Lock and RLock are C in most modules
        over: list[int] = []
        taken: list[bool] = []
        given: list[None] = []

        def contend() -> None:
            while not over:
                lock.acquire()
                lock.release()
                time.sleep(0)

        def work() -> None:
            for _ in range(30000):
                taken.extend(starmap(lock.acquire, ONCE))
                given.extend(starmap(lock.release, ONCE))

        other = Helper(contend) if me.rng.random() < 0.5 else None
        self.strike(me, work, 10 ** me.rng.uniform(-4.5, -3), asleep=False)
        over.append(1)
        holds = len(taken) - len(given)
        if self.kind == "RLock":
            if lock._is_owned() != bool(holds):
                self.torn("owner", f"{holds=}, yet _is_owned() is {not holds}", always)
                return
            if holds:
                lock.release()
        elif holds:
            self.judge(lock.release, always)
        if other is not None and not other.ended(-1 if self.whole or always else PATIENCE):
            self.torn("progress", f"{self.kind}: {holds=} and released, another waits")
            return
        if self.outcome == "whole":
            self.judge(lambda: self.left(lock), always)

    def left(self, lock: Any) -> None:
        """Look at what nobody holds any more."""
        expect(lock.acquire(False), "left free", f"all have left the {self.kind}; it is held")
        if self.kind != "RLock":
            expect(not lock.acquire(False), "conservation", f"the {self.kind} is acquired twice")
        lock.release()
        if self.kind == "BoundedSemaphore":
            try:
                lock.release()
            except ValueError:
                return
            raise OracleFailure("bound", "released above its first value without ValueError")


class InterruptedTimedWaits(Storm):
    """A handler raises where a timed wait ends: others get what comes, and the lock is held."""

    subjects = "Lock Semaphore Event Condition"
    kinds = ("lock", "semaphore", "event", "condition")

    @actor(main=True)
    def waiter(self, me: Actor) -> None:
        for _ in range(4):
            getattr(self, me.rng.choice(self.kinds))(me)
            if self.outcome == "torn":
                return

    def wait(self, me: Actor, call: Callable[..., bool]) -> None:
        """Be struck at about the end of a wait that nobody ends."""
        limit = me.rng.uniform(0.0001, 0.001)
        told: list[bool] = []
        once = [(True, limit) if call.__name__ == "acquire" else (limit,)]
        delay = limit * me.rng.uniform(0.8, 1.2) + 0.00005
        self.strike(me, lambda: told.extend(starmap(call, once)), delay, asleep=False)
        expect(told in ([], [False]), "result", f"{call.__name__}() returned {told}")

    def lock(self, me: Actor) -> None:
        lock = self.target.Lock()
        lock.acquire()
        self.wait(me, lock.acquire)
        other = Helper(lock.acquire)
        lock.release()
        self.end(other)

    def semaphore(self, me: Actor) -> None:
        semaphore = self.target.Semaphore(0)
        self.wait(me, semaphore.acquire)
        other = Helper(semaphore.acquire)
        self.judge(semaphore.release)
        self.end(other)
        if self.outcome == "whole":
            self.judge(
                lambda: expect(not semaphore.acquire(False), "conservation", "a permit was doubled")
            )

    def event(self, me: Actor) -> None:
        event = self.target.Event()
        self.wait(me, event.wait)
        other = Helper(event.wait)
        self.judge(event.set)
        self.end(other)

    def condition(self, me: Actor) -> None:
        lock = self.target.Lock()
        condition = self.target.Condition(lock)
        inside: list[int] = []
        lock.acquire()
        self.wait(me, condition.wait)
        if not lock.locked():
            self.torn("owner", "wait() has ended without its lock")
            return

        def wait() -> None:
            lock.acquire()
            inside.append(1)
            condition.wait()
            lock.release()

        other = Helper(wait)
        while not inside:
            lock.release()
            time.sleep(0)
            lock.acquire()
        condition.notify()
        lock.release()
        self.end(other)

    def end(self, other: Helper) -> None:
        if not other.ended(-1 if self.whole else PATIENCE):
            self.torn("lost wake-up", "what came went to one who had given up")
