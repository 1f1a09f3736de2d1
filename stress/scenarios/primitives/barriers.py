"""Barrier: generations do not mix, each crossing has one of each number, none hangs."""

from __future__ import annotations

import _thread
import time
from collections import Counter
from typing import ClassVar

from ...api.scenario import ACCEPTABLE, INTERESTING, MANY, Actor, OracleFailure, Scenario, actor


class BarrierGenerations(Scenario):
    """All cross again and again; nobody leaves before all have come, or gets another's number."""

    subjects = "Barrier"
    max_threads = 16

    def setup(self) -> None:
        self.actions = 0
        self.generations = self.rng.choice((2, 10, 40))
        self.barrier = self.target.Barrier(self.threads, action=self.act)
        self.arrived = [0] * self.threads
        self.numbers = [Counter[int]() for _ in range(self.threads)]
        self.crossed: list[list[int]] = [[] for _ in range(self.generations)]

    def act(self) -> None:
        self.actions += 1

    @actor(MANY)
    def party(self, me: Actor) -> None:
        for generation in range(1, self.generations + 1):
            self.arrived[me.index % self.threads] = generation
            number = self.barrier.wait()
            for other, where in enumerate(self.arrived):
                if where < generation:
                    raise OracleFailure(
                        "generation", f"crossed {generation} while {other} had come to {where}"
                    )
                if where > generation + 1:
                    raise OracleFailure(
                        "generation", f"{other} has come to {where} while {generation} is left"
                    )
            if self.actions < generation:
                raise OracleFailure("action", f"crossed {generation} after {self.actions} actions")
            self.crossed[generation - 1].append(number)
            me.did("wait")

    def arbiter(self) -> str:
        expected = list(range(self.threads))
        for generation, numbers in enumerate(self.crossed):
            if sorted(numbers) != expected:
                raise OracleFailure("numbers", f"crossing {generation} gave {sorted(numbers)}")
        if self.actions != self.generations:
            raise OracleFailure("action", f"{self.actions} actions in {self.generations} crossings")
        return "done"


class BarrierBreaks(Scenario):
    """abort() or an action that fails against a crossing: nobody hangs, all learn of it."""

    subjects = "Barrier"
    outcomes = {"crossed": ACCEPTABLE, "broken": ACCEPTABLE, "both": INTERESTING}
    must_see = frozenset({"broken"})
    max_threads = 16
    ways: ClassVar[tuple[str, ...]] = ("abort", "abort", "action", "timeout")

    def setup(self) -> None:
        self.way = self.rng.choice(self.ways)
        self.barrier = self.target.Barrier(self.threads - 1, action=self.act)
        self.results: list[object] = []
        self.calm = False

    def act(self) -> None:
        if self.calm:
            return
        if self.way == "action":
            raise KeyError("the action's own")
        if self.way == "abort inside":
            self.barrier.abort()

    @actor(MANY)
    def party(self, me: Actor) -> None:
        me.pause()
        limit = me.tiny() if self.way == "timeout" else None
        try:
            self.results.append(self.barrier.wait(limit))
        except self.target.BrokenBarrierError:
            self.results.append("broken")
        except KeyError:
            self.results.append("broken")
        me.did("wait")

    @actor()
    def breaker(self, me: Actor) -> None:
        me.pause()
        if self.way == "abort":
            self.barrier.abort()
            me.did("abort")

    def arbiter(self) -> str:
        numbers = [result for result in self.results if result != "broken"]
        if len(set(numbers)) != len(numbers):
            raise OracleFailure("numbers", f"one crossing gave {numbers}")
        if numbers and len(numbers) < self.threads - 1 and self.way != "abort":
            raise OracleFailure("generation", f"{len(numbers)} of {self.threads - 1} have crossed")
        if self.way in ("action", "abort inside") and numbers:
            raise OracleFailure("broken", f"crossed ({numbers}) though it was broken in the action")
        if self.way == "abort" and not self.barrier.broken:
            raise OracleFailure("state", "it is whole after abort()")
        self.barrier.reset()
        if self.barrier.broken or self.barrier.n_waiting:
            raise OracleFailure("state", "it is broken, or somebody waits, after reset()")
        if not numbers:
            return "broken"
        return "crossed" if len(numbers) == self.threads - 1 else "both"


class BarrierAbortedInside(BarrierBreaks):
    """abort() in a barrier's own action breaks it: CPython's waits for itself there."""

    core = False
    ways: ClassVar[tuple[str, ...]] = ("abort inside",)


class BarrierReset(Scenario):
    """reset() sends all waiters away or nobody: who is sent away comes again, until all cross."""

    core = False
    subjects = "Barrier"
    must_see = frozenset({"sent away"})
    max_threads = 8

    def setup(self) -> None:
        self.parties = self.threads - 1
        self.barrier = self.target.Barrier(self.parties)
        self.numbers: list[int] = []

    @actor(MANY)
    def party(self, me: Actor) -> None:
        while True:
            me.pause()
            me.did("wait")
            try:
                self.numbers.append(self.barrier.wait())
            except self.target.BrokenBarrierError:
                me.saw("sent away")
            else:
                return

    @actor()
    def resetter(self, me: Actor) -> None:
        for _ in range(me.rng.randrange(1, 5)):
            me.pause()
            self.barrier.reset()
            me.did("reset")

    def arbiter(self) -> str:
        if sorted(self.numbers) != list(range(self.parties)):
            raise OracleFailure("numbers", f"one crossing gave {sorted(self.numbers)}")
        return "done"


class BarrierUnderFire(Scenario):
    """Crossings among reset() and timeouts: each gives each number once, or nobody crosses."""

    core = False
    subjects = "Barrier"
    must_see = frozenset({"crossed", "sent away"})
    max_threads = 6

    def setup(self) -> None:
        self.parties = self.threads - 1
        self.barrier = self.target.Barrier(self.parties)
        self.timed = self.rng.random() < 0.4
        self.aborts = self.rng.random() < 0.3
        self.numbers: list[list[int]] = []
        self.over = False

    @actor(MANY)
    def party(self, me: Actor) -> None:
        mine: list[int] = []
        self.numbers.append(mine)
        while not self.over:
            limit = 0.0003 + me.tiny() if self.timed and me.rng.random() < 0.2 else None
            try:
                mine.append(self.barrier.wait(limit))
                me.saw("crossed")
            except self.target.BrokenBarrierError:
                me.saw("sent away")
                time.sleep(0)
            me.did("wait")

    @actor()
    def resetter(self, me: Actor) -> None:
        for _ in range(me.rng.choice((2, 10))):
            time.sleep(me.rng.expovariate(1 / 0.0005))
            if self.aborts:
                self.barrier.abort()
                me.did("abort")
                me.pause()
            self.barrier.reset()
            me.did("reset")
        self.over = True
        self.barrier.abort()
        if not self.barrier.broken:
            raise OracleFailure("state", "it is whole after abort()")

    def arbiter(self) -> str:
        # abort() may come when only some have left: then the crossings cannot be told apart.
        crossings = [[]] if self.aborts else [list(n) for n in zip(*self.numbers, strict=False)]
        for place, numbers in enumerate(crossings):
            if numbers and sorted(numbers) != list(range(self.parties)):
                raise OracleFailure("numbers", f"crossing {place} gave {sorted(numbers)}")
        if not self.aborts and max(map(len, self.numbers)) > len(crossings) + 1:
            raise OracleFailure("generation", "some have crossed twice more than others")
        for numbers in self.numbers:
            if not all(0 <= number < self.parties for number in numbers):
                raise OracleFailure("numbers", f"{self.parties} parties, numbers {set(numbers)}")
        self.barrier.reset()
        if self.barrier.broken or self.barrier.n_waiting:
            raise OracleFailure("state", "it is broken, or somebody waits, after reset()")
        return "done"


class BarrierAgain(Scenario):
    """An action that raises breaks it for all; after reset() the same parties cross."""

    core = False
    subjects = "Barrier"
    max_threads = 8

    def setup(self) -> None:
        self.barrier = self.target.Barrier(self.threads, action=self.act)
        self.failures = self.left = self.rng.choice((1, 3))
        self.results: list[list[object]] = [[] for _ in range(self.failures + 1)]
        self.there = self.gates()
        self.go = self.gates()

    def gates(self) -> list[_thread.LockType]:
        """Return a closed lock for each party: the interpreter's, by which they meet here."""
        locks = [_thread.allocate_lock() for _ in range(self.threads)]
        for lock in locks:
            lock.acquire()
        return locks

    def act(self) -> None:
        if self.left:
            self.left -= 1
            raise KeyError("the action's own")

    @actor(MANY)
    def party(self, me: Actor) -> None:
        place = me.index % self.threads
        for results in self.results:
            me.pause()
            leads = False
            try:
                result: object = self.barrier.wait()
            except self.target.BrokenBarrierError:
                result = "broken"
            except KeyError:
                result, leads = "action", True
            results.append(result)
            me.did("wait")
            if results is self.results[-1]:
                return
            if not self.barrier.broken:
                raise OracleFailure("broken", "it is whole after its action has failed")
            if leads:
                for lock in self.there[:place] + self.there[place + 1 :]:
                    lock.acquire()
                self.barrier.reset()
                for lock in self.go[:place] + self.go[place + 1 :]:
                    lock.release()
            else:
                self.there[place].release()
                self.go[place].acquire()

    def arbiter(self) -> str:
        expected = ["action"] + ["broken"] * (self.threads - 1)
        for results in self.results[:-1]:
            if sorted(map(str, results)) != expected:
                raise OracleFailure("broken", f"the action has failed, and {results}")
        if sorted(map(str, self.results[-1])) != sorted(map(str, range(self.threads))):
            raise OracleFailure("numbers", f"after reset(): {self.results[-1]}")
        return "done"
