"""LifoQueue, PriorityQueue and SimpleQueue: nothing is lost or doubled; the order is kept."""

from __future__ import annotations

import gc
import queue
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...api.scenario import CLOCK_SLACK, Actor, OracleFailure, Scenario, actor
from ...targets.inspection import queues_of
from ..disturbed.alarmed import Alarmed


def by_producer(items: list[tuple[int, int]]) -> dict[int, list[int]]:
    """Return each producer's numbers in the order in which they came."""
    found: dict[int, list[int]] = {}
    for who, k in items:
        found.setdefault(who, []).append(k)
    return found


class QueueOtherOrders(Scenario):
    """LifoQueue, PriorityQueue and SimpleQueue lose nothing, and give in their order; in time."""

    core = False
    subjects = "LifoQueue PriorityQueue SimpleQueue"
    must_see = frozenset({"empty"})

    def setup(self) -> None:
        self.kind = self.rng.choice(("LifoQueue", "PriorityQueue", "SimpleQueue"))
        self.queue: Any = getattr(queues_of(self.target), self.kind)()
        self.share = self.rng.choice((5, 30))
        self.got: list[list[tuple[int, int]]] = []

    @actor(2)
    def producer(self, me: Actor) -> None:
        for k in range(self.share):
            self.queue.put((k, me.index) if self.kind == "PriorityQueue" else (me.index, k))
            me.did("put")
            me.pause()

    @actor(2)
    def consumer(self, me: Actor) -> None:
        mine: list[tuple[int, int]] = []
        while len(mine) < self.share // 2:
            begin, limit = time.monotonic(), me.tiny()
            way = me.rng.random()
            try:
                if way < 0.4:
                    mine.append(self.queue.get())
                elif way < 0.6:
                    mine.append(self.queue.get_nowait())
                else:
                    mine.append(self.queue.get(timeout=limit))
            except queue.Empty:
                me.saw("empty")
                if way >= 0.6 and time.monotonic() - begin < limit - CLOCK_SLACK:
                    raise OracleFailure("timeout", f"get() gave up early, {limit=}") from None
                if way < 0.4:
                    raise OracleFailure("empty", "get() without a limit raised Empty") from None
            else:
                me.did("get")
        self.got.append(mine)

    def arbiter(self) -> str:
        left: list[tuple[int, int]] = []
        while self.queue.qsize() and len(left) <= 2 * self.share:
            left.append(self.queue.get(False))
        counts = Counter(item for mine in [*self.got, left] for item in mine)
        if len(counts) != 2 * self.share or max(counts.values()) > 1:
            raise OracleFailure("conservation", f"{counts.total()} came, {len(counts)} different")
        self.check(left)
        return "done"

    def check(self, left: list[tuple[int, int]]) -> None:
        """Look at the order of what is got by one who is alone, and by each."""
        if self.kind == "PriorityQueue":
            if left != sorted(left):
                raise OracleFailure("order", f"not sorted: {left}")
        elif self.kind == "LifoQueue":
            for numbers in by_producer(left).values():
                if numbers != sorted(numbers, reverse=True):
                    raise OracleFailure("order", f"one producer's last are not first: {numbers}")
        else:
            for mine in [*self.got, left]:
                for numbers in by_producer(mine).values():
                    if numbers != sorted(numbers):
                        raise OracleFailure("order", f"one producer's first are last: {numbers}")


class QueueReentrant(Alarmed):
    """put() of a SimpleQueue within put(), by a handler and finalizers: nothing lost, no hang."""

    core = False
    subjects = "SimpleQueue"
    must_see = frozenset({"handled", "finalized"})
    min_rounds = 2

    def setup(self) -> None:
        self.queue: Any = queues_of(self.target).SimpleQueue()
        self.install(lambda: self.queue.put(("handler", self.handled)))
        self.times = self.rng.choice((40, 200))
        self.circles = self.got = 0
        self.finalized: list[int] = []

    @actor(main=True)
    def producer(self, me: Actor) -> None:
        for k in range(self.times):
            if not self.armed:
                self.wind(me)
            if k % 10 == 0:
                for _ in range(3):
                    cyclic = FinalizedInCircle(self.finalize)
                    self.circles += 1
                    cyclic.itself = cyclic
                del cyclic
            self.queue.put(("main", k))
            me.did("put")
            if k == self.times // 2:
                gc.collect()
        self.armed = False
        gc.collect()
        for _ in range(self.handled):
            me.saw("handled")
        if self.finalized:
            me.saw("finalized")
        self.queue.put(None)

    def finalize(self) -> None:
        self.queue.put(("finalizer", 0))
        self.finalized.append(1)

    @actor()
    def consumer(self, me: Actor) -> None:
        last = -1
        while (item := self.queue.get()) is not None:
            self.got += 1
            if item[0] == "main":
                if item[1] != last + 1:
                    raise OracleFailure("order", f"{item[1]} came after {last}")
                last = item[1]
            me.did("get")

    def arbiter(self) -> str:
        deadline = time.monotonic() + 1  # another thread may have the garbage in hand
        while len(self.finalized) < self.circles:
            if time.monotonic() > deadline:
                return "done"
            gc.collect()
            time.sleep(0)
        while self.queue.qsize():
            self.queue.get_nowait()
            self.got += 1
        put = self.times, self.handled, self.circles
        if self.got != sum(put):
            raise OracleFailure("no loss", f"{put} put by all ways, {self.got} got")
        return "done"


class FinalizedInCircle:
    """Garbage in a circle that does something in the end."""

    itself: FinalizedInCircle | None = None

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def __del__(self) -> None:
        self.act()
