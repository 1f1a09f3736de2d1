"""Queue upon the target's locks: nothing is lost, doubled or overtaken."""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor
from ...targets.inspection import queues_of


class QueueNoLossNoDuplicate(Scenario):
    """Producers and consumers over a queue, short or endless, patient or not; then join()."""

    subjects = "Queue"
    must_see = frozenset({"empty", "full"})

    def setup(self) -> None:
        self.most = self.rng.choice((0, 1, 1, 2, 5))
        self.queue = queues_of(self.target).Queue(self.most)
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
            if me.rng.random() < 0.3 and 0 < self.most < (n := self.queue.qsize()):
                raise OracleFailure("bound", f"{n} items in a queue for {self.most}")

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


class QueueJoin(Scenario):
    """join() returns to each joiner when all is done, and not before; the bound is kept."""

    core = False
    subjects = "Queue"
    must_see = frozenset({"joined late"})

    def setup(self) -> None:
        self.most = self.rng.choice((1, 2, 5))
        self.queue = queues_of(self.target).Queue(self.most)
        self.rounds = self.rng.choice((1, 5))
        self.share = self.rng.choice((1, 8))
        self.put = 0
        self.finished = [0] * (self.threads + 1)
        self.fullest = 0

    @actor()
    def producer(self, me: Actor) -> None:
        for _ in range(self.rounds):
            for k in range(self.share):
                while True:
                    try:
                        self.queue.put(k, me.rng.random() < 0.7)
                        break
                    except queue.Full:
                        self.look()
                        time.sleep(0)
                self.put += 1
                self.look()
                me.did("put")
            self.join(me)
            if self.queue.unfinished_tasks:
                raise OracleFailure("join", "something is unfinished after join()")
        for _ in range(2):
            self.queue.put(None)

    def look(self) -> None:
        self.fullest = max(self.fullest, self.queue.qsize())

    def join(self, me: Actor) -> None:
        put = self.put
        if sum(self.finished) < put:
            me.saw("joined late")
        self.queue.join()
        me.did("join")
        if (finished := sum(self.finished)) < put:
            raise OracleFailure("join", f"join() returned when {finished} of {put} were finished")

    @actor(2)
    def joiner(self, me: Actor) -> None:
        while self.put < self.rounds * self.share:
            self.join(me)
            time.sleep(0)

    @actor(2)
    def consumer(self, me: Actor) -> None:
        while self.queue.get() is not None:
            me.did("get")
            me.pause()
            self.finished[me.index % len(self.finished)] += 1
            self.queue.task_done()
        self.queue.task_done()

    def refuse(self) -> None:
        """What is refused does not count as unfinished."""
        for k in range(self.most):
            self.queue.put(k, False)
        for limit in (0, 0.0005):
            try:
                self.queue.put("one too many", limit > 0, limit)
            except queue.Full:
                continue
            raise OracleFailure("bound", f"{self.most + 1} items in a queue for {self.most}")
        if (unfinished := self.queue.unfinished_tasks) != self.most:
            raise OracleFailure("count", f"{unfinished} unfinished of {self.most}, others refused")
        for _ in range(self.most):
            self.queue.get(False)
            self.queue.task_done()
        heap = queues_of(self.target).PriorityQueue()
        heap.put(1)
        try:
            heap.put("not to be compared with 1")
        except TypeError:
            pass
        if heap.unfinished_tasks != 1:
            raise OracleFailure("count", f"{heap.unfinished_tasks} unfinished of 1, another failed")

    def arbiter(self) -> str:
        if self.fullest > self.most:
            raise OracleFailure("bound", f"{self.fullest} items in a queue for {self.most}")
        if self.queue.unfinished_tasks:
            raise OracleFailure("count", f"{self.queue.unfinished_tasks} unfinished")
        self.refuse()
        try:
            self.queue.task_done()
        except ValueError:
            return "done"
        raise OracleFailure("count", "task_done() too often did not raise ValueError")


class QueueShutdownWakesAll(Scenario):
    """shutdown(): blocked putters and getters all raise, and join() returns when it may."""

    core = False
    subjects = "Queue"
    must_see = frozenset({"put shut down", "get shut down"})

    def setup(self) -> None:
        self.full = self.rng.random() < 0.5
        self.queue = queues_of(self.target).Queue(2)
        if self.full:
            self.queue.put(0)
            self.queue.put(0)
        self.immediate = not self.full or self.rng.random() < 0.5

    @actor(3)
    def blocked(self, me: Actor) -> None:
        try:
            while True:
                if self.full:
                    self.queue.put(1, timeout=None if me.rng.random() < 0.7 else 9)
                else:
                    self.queue.get(timeout=None if me.rng.random() < 0.7 else 9)
                me.did("put or get")
        except queue.ShutDown:
            me.saw("put shut down" if self.full else "get shut down")
        except (queue.Full, queue.Empty):
            raise OracleFailure("shutdown", "a blocked call was told of no shutdown()") from None

    @actor()
    def closer(self, me: Actor) -> None:
        me.pause()
        worker = self.full and me.rng.random() < 0.5
        if worker:
            self.queue.get()
        self.queue.shutdown(self.immediate)
        me.did("shutdown")
        for call in (lambda: self.queue.put(1), lambda: self.queue.put(1, False)):
            self.refused(call)
        if self.immediate:
            self.refused(self.queue.get)
        if worker:
            if not self.queue.unfinished_tasks:
                raise OracleFailure("count", "what was got is finished without task_done()")
            self.queue.task_done()

    def refused(self, call: Callable[[], object]) -> None:
        try:
            call()
        except queue.ShutDown:
            return
        raise OracleFailure("shutdown", "put() or get() after shutdown() was accepted")

    @actor()
    def joiner(self, me: Actor) -> None:
        if self.immediate and self.full:
            self.queue.join()
            me.did("join")
            if self.queue.unfinished_tasks or self.queue.qsize():
                raise OracleFailure("join", "join() returned, and something is left")

    def arbiter(self) -> str:
        if self.immediate and (self.queue.qsize() or self.queue.unfinished_tasks):
            raise OracleFailure("count", f"{self.queue.unfinished_tasks} are unfinished")
        return "done"
