"""Random programs on each primitive: some order of the calls has to explain all results."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

from ...api.scenario import Actor
from ...linearizability.history import Call, Recorder
from ...linearizability.models import (
    BarrierModel,
    ConditionModel,
    EventModel,
    LockModel,
    Model,
    QueueModel,
    RLockModel,
    SemaphoreModel,
)
from ...linearizability.program import Linear
from ...targets.inspection import queues_of


class LinearLock(Linear):
    """Random acquire, try, timed, locked of a Lock, release() also by who has not acquired it."""

    core = False
    subjects = "Lock"

    def make(self) -> Model:
        self.lock = self.target.Lock()
        return LockModel()

    def move(self, me: Actor, record: Recorder) -> None:
        way = me.rng.random()
        lock = self.lock
        if way < 0.1:
            record.call("locked", None, lock.locked)
            return
        if way < 0.15:
            record.call("release", None, lock.release)
            return
        if way < 0.4:
            got = record.call("acquire", None, lock.acquire)
        elif way < 0.7:
            got = record.call("try", None, lock.acquire, False)
        else:
            timeout = me.tiny()
            got = record.call("timed", None, lock.acquire, True, timeout)
        if got:
            me.pause()
            record.call("release", None, lock.release)


class LinearRlock(Linear):
    """Random acquire, try, release of an RLock, also by who does not own it."""

    core = False
    subjects = "RLock"

    def make(self) -> Model:
        self.lock = self.target.RLock()
        self.depths = [0] * self.threads
        return RLockModel()

    def move(self, me: Actor, record: Recorder) -> None:
        way = me.rng.random()
        if way < 0.5 and self.depths[me.index] < 3:
            arguments: tuple[Any, ...] = ()
            if way < 0.2:
                arguments = (False,)
            elif way < 0.3:
                arguments = (True, me.tiny())
            name = ("acquire", "try", "timed")[len(arguments)]
            if record.call(name, None, self.lock.acquire, *arguments):
                self.depths[me.index] += 1
        elif record.call("release", None, self.lock.release) is None:
            self.depths[me.index] -= 1

    def close(self, me: Actor, record: Recorder) -> None:
        while self.depths[me.index] > 0:
            record.call("release", None, self.lock.release)
            self.depths[me.index] -= 1


class LinearSemaphore(Linear):
    """Random acquire, try, timed, release(n) of a semaphore, bounded or not."""

    core = False
    subjects = "Semaphore BoundedSemaphore"

    def make(self) -> Model:
        value = self.rng.randrange(3)
        if self.rng.random() < 0.3:
            value += 1
            self.semaphore = self.target.BoundedSemaphore(value)
            return SemaphoreModel(value, value)
        self.semaphore = self.target.Semaphore(value)
        return SemaphoreModel(value)

    def move(self, me: Actor, record: Recorder) -> None:
        way = me.rng.random()
        semaphore = self.semaphore
        if way < 0.4:
            n = me.rng.choice((1, 1, 1, 2))
            record.call("release", n, semaphore.release, n)
        elif way < 0.6:
            record.call("acquire", None, semaphore.acquire)
        elif way < 0.8:
            record.call("try", None, semaphore.acquire, False)
        else:
            record.call("timed", None, semaphore.acquire, True, me.tiny())

    def rescue(self, record: Recorder) -> None:
        n = self.rng.choice((1, 2))
        record.call("release", n, self.semaphore.release, n)


class LinearEvent(Linear):
    """Random set, clear, is_set, wait of an Event."""

    core = False
    subjects = "Event"

    def make(self) -> Model:
        self.event = self.target.Event()
        return EventModel()

    def move(self, me: Actor, record: Recorder) -> None:
        op = me.rng.choice(("set", "clear", "clear", "is_set", "wait", "timed"))
        if op == "timed":
            record.call(op, None, self.event.wait, me.tiny())
        else:
            record.call(op, None, getattr(self.event, op))

    def rescue(self, record: Recorder) -> None:
        record.call("set", None, self.event.set)


class LinearCondition(Linear):
    """Random wait, timed wait, notify(n) of a Condition: each reaches a waiter, or is refused."""

    core = False
    subjects = "Condition"

    def make(self) -> Model:
        # Who has a Lock, nobody knows; only of an RLock can it be said that a caller has it not.
        self.owned = self.rng.random() < 0.5
        self.condition = self.target.Condition(None if self.owned else self.target.Lock())
        return ConditionModel()

    def wait(self, record: Recorder, timeout: float | None) -> None:
        # What happens under the lock has its times taken there.
        record.call("enter", None, lambda: None)
        record.call("wait" if timeout is None else "timed", None, self.condition.wait, timeout)

    def notify(self, record: Recorder, n: int) -> None:
        record.call("notify", n, self.condition.notify, n)

    def move(self, me: Actor, record: Recorder) -> None:
        way = me.rng.random()
        if self.owned and me.rng.random() < 0.1:
            record.call("stray notify", 1, self.condition.notify, 1)
        with self.condition:
            if way < 0.3:
                self.wait(record, None)
            elif way < 0.6:
                self.wait(record, me.tiny())
            else:
                if me.rng.random() < 0.3:
                    time.sleep(0.0005)
                self.notify(record, me.rng.choice((1, 1, 2)))

    def rescue(self, record: Recorder) -> None:
        with self.condition:
            self.notify(record, 9)


class LinearBarrier(Linear):
    """Random crossings of a Barrier of two among abort() and reset()."""

    core = False
    subjects = "Barrier"
    times = (2, 6)

    def make(self) -> Model:
        self.parties = 2
        self.barrier = self.target.Barrier(self.parties)
        return BarrierModel(self.parties)

    def move(self, me: Actor, record: Recorder) -> None:
        way = me.rng.random()
        if way < 0.1:
            record.call("abort", None, self.barrier.abort)
        elif way < 0.25:
            record.call("reset", None, self.barrier.reset)
        else:
            timeout = me.tiny() if way < 0.4 else None
            record.call("wait", timeout, self.wait, timeout)

    def wait(self, timeout: float | None) -> Any:
        try:
            return self.barrier.wait(timeout)
        except self.target.BrokenBarrierError:
            return "broken"

    def history(self) -> list[Call]:
        halves = []
        for call in super().history():
            if call.op != "wait":
                halves.append(call)
                continue
            limit = call.argument
            halves.append(Call(call.thread, "arrive", None, call.begin, call.end, None))
            halves.append(Call(call.thread, "leave", limit, call.begin, call.end, call.result))
        return halves

    def asleep(self, history: list[Call]) -> list[Call]:
        now = time.perf_counter_ns()
        return [
            Call(call.thread, call.op, None, call.begin, now, None)
            if call.op == "arrive" and call.pending
            else call
            for call in history
        ]

    def rescue(self, record: Recorder) -> None:
        record.call("reset", None, self.barrier.reset)


class LinearQueue(Linear):
    """Random put, get, with and without a limit of time, of a Queue; shutdown() in the end."""

    core = False
    subjects = "Queue"

    def make(self) -> Model:
        maxsize = self.rng.choice((0, 1, 2))
        self.queue = queues_of(self.target).Queue(maxsize)
        return QueueModel(maxsize)

    def move(self, me: Actor, record: Recorder) -> None:
        way = me.rng.random()
        if way < 0.5:
            item = me.index * 1000 + len(record.done)
            timeout = me.tiny() if way < 0.15 else None
            op = "put" if timeout is None else "put timed"
            record.call(op, item, self.call, self.queue.put, item, True, timeout)
        else:
            timeout = me.tiny() if way < 0.65 else None
            op = "get" if timeout is None else "get timed"
            record.call(op, None, self.call, self.queue.get, True, timeout)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (queue.Empty, queue.Full, queue.ShutDown) as error:
            return type(error).__name__

    def rescue(self, record: Recorder) -> None:
        record.call("shutdown", None, self.queue.shutdown)
