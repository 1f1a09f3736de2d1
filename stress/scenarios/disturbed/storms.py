"""The storm: several kinds of work at once, among collections and stops of the world."""

from __future__ import annotations

import gc
import sys

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor
from ...nemeses.interpreter import stop_the_world
from ...targets.inspection import interruptible


class Finalizer:
    """Releases a permit and sets an event when it dies, wherever that is."""

    def __init__(self, storm: StopTheWorldStorm) -> None:
        self.storm = storm
        self.self = self

    def __del__(self) -> None:
        if interruptible(self.storm.target, sys._getframe()):
            self.storm.event.set()
            self.storm.semaphore.release()
            self.storm.freed.append(1)
        else:
            self.storm.postponed.append(1)


class StopTheWorldStorm(Scenario):
    """Work goes on while others collect garbage, stop all threads and finalizers use primitives."""

    core = False
    subjects = "Lock Condition Semaphore Event"
    max_threads = 8
    min_rounds = 2
    slow = True

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.semaphore = self.target.Semaphore(0)
        self.event = self.target.Event()
        self.counter = 0
        self.dead = 30
        self.postponed: list[int] = []
        self.freed: list[int] = []

    @actor(MANY)
    def worker(self, me: Actor) -> None:
        for _ in range(30):
            with self.lock:
                before = self.counter
                me.pause()
                self.counter = before + 1
            me.did("with")
            me.timed(self.event.wait, me.tiny())
            self.event.clear()
            type("Fresh", (), {})

    @actor()
    def collector(self, me: Actor) -> None:
        for _ in range(self.dead):
            Finalizer(self)
            gc.collect(me.rng.randrange(3))
            me.did("collect")

    @actor()
    def taker(self, me: Actor) -> None:
        for _ in range(self.dead):
            missed = 0
            while not self.semaphore.acquire(timeout=0.05):
                gc.collect()
                # Nobody else takes permits, so what all have released has to be here.
                missed += len(self.freed) == self.dead
                if missed > 3:
                    raise OracleFailure(
                        "conservation", "all have released, yet a permit is missing"
                    )
                while self.postponed:
                    self.postponed.pop()
                    self.semaphore.release()
                    self.freed.append(1)
            me.did("acquire")

    @actor()
    def stopper(self, me: Actor) -> None:
        for _ in range(10):
            stop_the_world()
            me.did("stop")
            me.pause()

    def arbiter(self) -> str:
        expected = 30 * (self.threads - 3)
        if self.counter != expected:
            raise OracleFailure("sum", f"{expected} sections counted to {self.counter}")
        return "done"
