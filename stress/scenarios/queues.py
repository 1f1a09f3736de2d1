"""Queue upon the target's locks: nothing is lost, doubled or overtaken."""

from __future__ import annotations

import queue
from collections import Counter

from ..api.scenario import MANY, Actor, OracleFailure, Scenario, actor
from ..targets.inspection import queues_of


class QueueNoLossNoDuplicate(Scenario):
    """Producers and consumers over a queue, short or endless, patient or not; then join()."""

    subjects = "Queue"
    must_see = frozenset({"empty", "full"})

    def setup(self) -> None:
        self.queue = queues_of(self.target).Queue(self.rng.choice((0, 1, 1, 2, 5)))
        self.share = self.rng.choice((2, 10, 40))
        self.got: list[list[tuple[int, int]]] = []
        self.producers = 0
        self.joined = False

    @actor(MANY)
    def producer(self, me: Actor) -> None:
        for k in range(self.share):
            item = (me.index, k)
            while True:
                try:
                    if me.rng.random() < 0.6:
                        self.queue.put(item)
                    else:
                        self.queue.put(item, timeout=me.tiny())
                    break
                except queue.Full:
                    me.saw("full")
            me.did("put")

    @actor(MANY)
    def consumer(self, me: Actor) -> None:
        mine: list[tuple[int, int]] = []
        for _ in range(self.share):
            while True:
                try:
                    if me.rng.random() < 0.6:
                        item = self.queue.get()
                    else:
                        item = self.queue.get(timeout=me.tiny())
                    break
                except queue.Empty:
                    me.saw("empty")
            mine.append(item)
            me.did("get")
            me.pause()
            self.queue.task_done()
        self.got.append(mine)

    @actor()
    def joiner(self, me: Actor) -> None:
        while not self.queue.unfinished_tasks and not self.got:
            me.pause()
        self.queue.join()
        me.did("join")

    def arbiter(self) -> str:
        counts = Counter(item for mine in self.got for item in mine)
        if doubled := [item for item, n in counts.items() if n > 1]:
            raise OracleFailure("no duplicate", f"item {doubled[0]} was got twice")
        if len(counts) != self.share * (self.threads - 1) // 2:
            raise OracleFailure("no loss", f"{len(counts)} different items were got")
        for mine in self.got:
            last: dict[int, int] = {}
            for who, k in mine:
                if k < last.get(who, -1):
                    raise OracleFailure(
                        "order", f"producer {who}'s item {k} came after {last[who]}"
                    )
                last[who] = k
        if self.queue.qsize() or self.queue.unfinished_tasks:
            raise OracleFailure("conservation", f"{self.queue.qsize()} items are left")
        return "done"


class QueueShutdown(Scenario):
    """shutdown() wakes all who wait; what was put is got, unless it is immediate."""

    core = False
    subjects = "Queue"

    def setup(self) -> None:
        self.queue = queues_of(self.target).Queue(2)
        self.immediate = self.rng.random() < 0.3
        self.put: list[int] = []
        self.got: list[int] = []

    @actor(2)
    def producer(self, me: Actor) -> None:
        try:
            for k in range(1000):
                self.queue.put(item := me.index * 1000 + k)
                self.put.append(item)
                me.did("put")
        except queue.ShutDown:
            me.saw("shut down")

    @actor(2)
    def consumer(self, me: Actor) -> None:
        try:
            while True:
                self.got.append(self.queue.get())
                me.did("get")
        except queue.ShutDown:
            me.saw("shut down")

    @actor()
    def closer(self, me: Actor) -> None:
        for _ in range(me.rng.randrange(20)):
            me.pause()
        self.queue.shutdown(self.immediate)
        me.did("shutdown")

    def arbiter(self) -> str:
        if len(set(self.got)) != len(self.got):
            raise OracleFailure("no duplicate", "an item was got twice")
        if not self.immediate and sorted(self.put) != sorted(self.got):
            raise OracleFailure("no loss", f"{len(self.put)} put, {len(self.got)} got")
        return "done"
