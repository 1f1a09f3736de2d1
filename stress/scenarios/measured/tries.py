"""Calls that never wait: they come back at once, whatever others do with the primitive."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from typing import Any

from ...api.scenario import Actor, OracleFailure, Scenario, actor
from .lateness import judge, nap


class LateTry(Scenario):
    """A try, or a look, comes back at once though others hold the primitive and wait for it."""

    core = False
    measures = True
    subjects = "Lock RLock Semaphore Condition Event Barrier Thread"

    def setup(self) -> None:
        self.kind = self.rng.choice(("Lock", "RLock", "Semaphore", "Event", "Barrier", "Thread"))
        self.holds = self.rng.choice((0.012, 0.03))
        self.over = False
        self.tries: list[Callable[[], Any]] = []
        target = self.target
        if self.kind in ("Lock", "RLock", "Semaphore"):
            lock = getattr(target, self.kind)()
            taken = _thread.allocate_lock()
            taken.acquire()

            def hold() -> None:
                lock.acquire()
                taken.release()

            _thread.start_new_thread(hold, ())  # an RLock, too, is nobody's who tries
            taken.acquire()
            self.tries = [lambda: lock.acquire(False), lambda: lock.acquire(True, 0)]
            self.waits: Callable[[float], Any] = lambda t: lock.acquire(True, t)
        elif self.kind == "Event":
            event = target.Event()
            self.tries, self.waits = [event.is_set, lambda: event.wait(0)], event.wait
        elif self.kind == "Barrier":
            barrier = target.Barrier(9)
            self.tries = [lambda: barrier.n_waiting and False, lambda: barrier.broken and False]
            self.waits = lambda t: self.cross(barrier, t)
        else:
            thread = target.Thread(target=self.live)
            thread.start()
            self.tries = [lambda: thread.join(0), lambda: not thread.is_alive()]
            self.waits = thread.join

    def live(self) -> None:
        while not self.over:
            time.sleep(0.002)

    def cross(self, barrier: Any, timeout: float) -> None:
        try:
            barrier.wait(timeout)
        except self.target.BrokenBarrierError:
            barrier.reset()

    @actor()
    def waiter(self, me: Actor) -> None:
        while not self.over:
            self.waits(self.holds)
            me.did("wait")

    @actor()
    def trier(self, me: Actor) -> None:
        for _ in range(6):
            call = me.rng.choice(self.tries)
            judge(me, self, f"a try of {self.kind}", lambda: self.once(me, call), self.look)  # noqa: B023  # called at once
        self.over = True

    def once(self, me: Actor, call: Callable[[], Any]) -> float:
        """Return how long the try took."""
        time.sleep(me.rng.random() * 0.002)
        begin = time.monotonic()
        if call():
            raise OracleFailure("result", f"a try of {self.kind} got what nobody has given")
        return time.monotonic() - begin

    def look(self) -> float:
        """Return how long something takes here that does not wait."""
        return nap(0.0)
