"""Waits that are woken: those woken for nothing end in time, those fulfilled return at once."""

from __future__ import annotations

import _thread
import functools
import queue
import time
from collections.abc import Callable
from typing import Any

from ...api.scenario import Actor, Scenario, actor
from ...targets.inspection import queues_of
from .lateness import DISTURBANCES, Wait, full_or_empty, judge, nap


class LateAfterWakeups(Scenario):
    """A wait that is woken for nothing again and again ends when its time is over."""

    core = False
    measures = True
    subjects = "Lock RLock Semaphore Condition Queue"
    must_see = frozenset({"timed out"})

    def setup(self) -> None:
        kinds = ("Condition", "Lock", "RLock", "Semaphore", "Queue.get", "Queue.put")
        self.kind = self.rng.choice(kinds)
        self.timeout = self.rng.choice((0.01, 0.02, 0.03))
        self.waiting = self.over = False
        self.go, self.ready = _thread.allocate_lock(), _thread.allocate_lock()
        self.go.acquire()
        self.ready.acquire()
        self.hold: Callable[[], object] = lambda: None
        self.disturb: Callable[[], object]
        self.wait: Wait
        if self.kind == "Condition":
            self.condition = self.target.Condition()
            self.wait = self.wait_for
            self.disturb = self.notify_all
        elif self.kind.startswith("Queue"):
            self.queue = queues_of(self.target).Queue(1)
            putting = self.kind == "Queue.put"
            if putting:
                self.queue.put(0)
            call = self.queue.put if putting else self.queue.get
            self.wait = functools.partial(full_or_empty, call)
            self.disturb = self.take_and_put if putting else self.put_and_take
        else:
            self.lock = getattr(self.target, self.kind)()
            self.hold = self.lock.acquire
            self.wait = self.acquire
            self.disturb = self.let_go_and_steal

    def wait_for(self, timeout: float) -> Any:
        with self.condition:
            return self.condition.wait_for(lambda: False, timeout)

    def notify_all(self) -> None:
        with self.condition:
            self.condition.notify_all()

    def acquire(self, timeout: float) -> bool:
        got: bool = self.lock.acquire(timeout=timeout)
        if got:
            self.lock.release()
        return got

    def let_go_and_steal(self) -> None:
        self.lock.release()
        if not self.lock.acquire(False):
            self.lock.acquire()

    def put_and_take(self) -> None:
        try:
            self.queue.put(1, False)
            self.queue.get(False)
        except queue.Empty:
            pass

    def take_and_put(self) -> None:
        try:
            self.queue.get(False)
            self.queue.put(1, False)
        except queue.Full:
            pass

    @actor()
    def disturber(self, me: Actor) -> None:
        self.hold()
        while not self.over:
            self.ready.release()
            self.go.acquire()
            for _ in range(DISTURBANCES):
                if not self.waiting:
                    break
                self.disturb()
                me.did("disturb")
                time.sleep(0.002)
        if self.kind in ("Lock", "RLock", "Semaphore"):
            self.lock.release()

    @actor()
    def waiter(self, me: Actor) -> None:
        what = f"{self.kind}: a wait of {self.timeout} s, woken often without success,"
        try:
            judge(
                me,
                self,
                what,
                lambda: self.disturbed(lambda: self.once(me)),
                lambda: self.disturbed(lambda: nap(self.timeout)),
            )
        finally:
            self.ready.acquire()
            self.over = True
            self.go.release()

    def disturbed(self, wait: Callable[[], float]) -> float:
        """Wait among disturbances."""
        self.ready.acquire()
        self.waiting = True
        self.go.release()
        try:
            return wait()
        finally:
            self.waiting = False

    def once(self, me: Actor) -> float:
        """Wait; return how late it ended; not at all, if it was fulfilled."""
        begin = time.monotonic()
        if me.timed(self.wait, self.timeout):
            return 0.0
        return time.monotonic() - begin - self.timeout


class LateWakeup(Scenario):
    """Who is woken returns at once, as from the interpreter's own lock."""

    core = False
    measures = True
    subjects = "Lock RLock Semaphore Condition Event Barrier Thread Queue"

    def setup(self) -> None:
        kinds = ("lock", "rlock", "semaphore", "event", "condition", "barrier", "join", "queue")
        self.kind = self.rng.choice(kinds)
        self.delay = self.rng.choice((0.001, 0.003, 0.012, 0.025, 0.06))
        self.sent = 0.0
        self.wish: str | None = ""
        locks = [_thread.allocate_lock() for _ in range(5)]
        for lock in locks:
            lock.acquire()
        self.go, self.ready, self.done, self.baton, self.gate = locks
        self.limit = self.rng.choice((None, 1.0))
        self.lock = self.target.Lock()
        self.lock.acquire()
        self.rlock = self.target.RLock()
        self.semaphore = self.target.Semaphore(0)
        self.event = self.target.Event()
        self.condition = self.target.Condition()
        self.flag = False
        self.barrier = self.target.Barrier(2)
        self.queue = queues_of(self.target).Queue()

    def wait(self) -> None:
        """Wait as wished, in the waiter's thread."""
        kind, limit = self.wish, self.limit
        if kind == "control":
            self.baton.acquire()
        elif kind == "lock":
            self.lock.acquire(True, -1 if limit is None else limit)
        elif kind == "rlock":
            self.rlock.acquire(True, -1 if limit is None else limit)
        elif kind == "semaphore":
            self.semaphore.acquire(timeout=limit)
        elif kind == "event":
            self.event.wait(limit)
        elif kind == "condition":
            with self.condition:
                self.condition.wait_for(lambda: self.flag, limit)
        elif kind == "barrier":
            self.barrier.wait(limit)
        elif kind == "join":
            self.thread.join(limit)
        else:
            self.queue.get(timeout=limit)

    def wake(self) -> None:
        """Fulfil the wait, in the waker's thread."""
        kind = self.wish
        if kind == "control":
            self.baton.release()
        elif kind == "condition":
            with self.condition:
                self.flag = True
                self.condition.notify()
        elif kind == "barrier":
            self.barrier.wait()
        elif kind == "event":
            self.event.set()
        elif kind == "join":
            self.gate.release()
        elif kind == "queue":
            self.queue.put(1)
        else:
            getattr(self, str(kind)).release()

    @actor()
    def waker(self, me: Actor) -> None:
        while True:
            self.go.acquire()
            if self.wish is None:
                return
            if self.wish == "rlock":
                self.rlock.acquire()
            elif self.wish == "join":
                self.thread = self.target.Thread(target=self.gate.acquire)
                self.thread.start()
            self.ready.release()
            time.sleep(self.delay)
            self.sent = time.monotonic()
            self.wake()
            self.done.release()
            me.did("wake")

    def once(self, kind: str) -> float:
        """Wait; return how many seconds ago it was fulfilled."""
        self.wish = kind
        self.go.release()
        self.ready.acquire()
        begin = time.monotonic()
        self.wait()
        end = time.monotonic()
        self.done.acquire()
        late = end - max(begin, self.sent)
        self.flag = False
        self.event.clear()
        if kind == "rlock":
            self.rlock.release()
        return late

    @actor()
    def waiter(self, me: Actor) -> None:
        what = f"{self.kind}: a wait that was fulfilled after {self.delay} s"
        try:
            judge(
                me,
                self,
                what,
                lambda: self.once(self.kind),
                lambda: self.once("control"),
            )
        finally:
            self.wish = None
            self.go.release()
