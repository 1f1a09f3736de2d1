"""Queue upon the target's locks: nothing is lost, doubled or overtaken."""

from __future__ import annotations

import gc
import queue
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...api.scenario import CLOCK_SLACK, MANY, Actor, OracleFailure, Scenario, actor
from ...targets.inspection import queues_of
from ..disturbed.signals import Alarmed


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


def by_producer(items: list[tuple[int, int]]) -> dict[int, list[int]]:
    """Return each producer's numbers in the order in which they came."""
    found: dict[int, list[int]] = {}
    for who, k in items:
        found.setdefault(who, []).append(k)
    return found


class QueueOtherOrders(Scenario):
    """LifoQueue, PriorityQueue and SimpleQueue lose nothing, and give in their order; in time."""

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
                    cyclic = Finalized(self.finalize)
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


class Finalized:
    """Garbage in a circle that does something in the end."""

    itself: Finalized | None = None

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def __del__(self) -> None:
        self.act()


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

    def arbiter(self) -> str:
        if self.fullest > self.most:
            raise OracleFailure("bound", f"{self.fullest} items in a queue for {self.most}")
        if self.queue.unfinished_tasks:
            raise OracleFailure("count", f"{self.queue.unfinished_tasks} unfinished")
        try:
            self.queue.task_done()
        except ValueError:
            return "done"
        raise OracleFailure("count", "task_done() too often did not raise ValueError")


class QueueShutdownWakesAll(Scenario):
    """shutdown(): blocked putters and getters all raise, and join() returns when it may."""

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
