"""Timers, and waits of TIMEOUT_MAX, the longest that there can be."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from typing import Any, ClassVar

from ...api.scenario import CLOCK_SLACK, MANY, Actor, OracleFailure, Scenario, actor

LONG = 3600.0
"""Seconds that no round lasts."""


class TimerFires(Scenario):
    """A timer calls its function once, with its arguments, not too early; cancel() comes late."""

    subjects = "Timer Thread"
    requires: ClassVar = frozenset({"Timer"})
    max_threads = 16

    @actor(MANY)
    def user(self, me: Actor) -> None:
        for k in range(2):
            fired: list[tuple[float, Any, Any]] = []
            interval = me.tiny()
            timer = self.target.Timer(interval, self.fire, [fired, k], {"key": me.index})
            begin = time.monotonic()
            timer.start()
            me.pause()
            timer.join()
            if [told[1:] for told in fired] != [(k, me.index)]:
                raise OracleFailure("once", f"when join() returned, it had been called by {fired}")
            if (early := begin + interval - fired[0][0]) > CLOCK_SLACK:
                raise OracleFailure("timeout", f"{early:.6f} s too early for {interval:.6f} s")
            timer.cancel()
            timer.join()
            if len(fired) != 1 or timer.is_alive():
                raise OracleFailure("state", "cancel() has changed a timer that had fired")
            me.did("fired")
        one, other = (vars(self.target.Timer(LONG, self.fire)) for _ in range(2))
        if any(name in one and one[name] is other[name] for name in ("args", "kwargs")):
            raise OracleFailure("shared", "timers without arguments share what holds them")

    def fire(self, fired: list[tuple[float, Any, Any]], k: int, key: int = -1) -> None:
        fired.append((time.monotonic(), k, key))


class TimerCancelled(Scenario):
    """A timer that is cancelled in time never fires, and ends at once; at most once, if late."""

    core = False
    subjects = "Timer Thread"
    requires: ClassVar = frozenset({"Timer"})
    must_see = frozenset({"never", "in time"})
    max_threads = 16

    def setup(self) -> None:
        self.long: list[tuple[Any, list[int]]] = []

    @actor(MANY)
    def user(self, me: Actor) -> None:
        fired: list[int] = []
        timer = self.target.Timer(LONG, fired.append, (1,))
        self.long.append((timer, fired))
        if me.rng.random() < 0.3:
            timer.cancel()  # before the start counts, too
            timer.start()
        else:
            timer.start()
            me.pause()
            timer.cancel()
        timer.join()
        if fired or timer.is_alive():
            raise OracleFailure(
                "never", f"cancelled an hour too early, it fired {len(fired)} times"
            )
        me.saw("never")
        me.did("cancel")
        self.race(me)

    def race(self, me: Actor) -> None:
        """Cancel a timer at about the time at which it fires."""
        fired: list[int] = []
        interval = me.rng.choice((0.0002, 0.001, 0.003, 0.01))
        timer = self.target.Timer(interval, fired.append, (1,))
        begin = time.monotonic()
        timer.start()
        if me.rng.random() < 0.7:
            time.sleep(me.rng.random() * 1.5 * interval)
        timer.cancel()
        in_time = time.monotonic() - begin < interval
        timer.join()
        if len(fired) > 1 or (fired and in_time):
            raise OracleFailure("cancelled", f"fired {len(fired)} times; cancelled {in_time=}")
        me.saw("in time" if in_time else "fired" if fired else "late")
        me.did("race")

    def arbiter(self) -> str:
        if any(fired for _, fired in self.long):
            raise OracleFailure("never", "a timer fired that was cancelled")
        return "done"


class LongestWaits(Scenario):
    """A wait of TIMEOUT_MAX is a wait, and is woken; of more, OverflowError, and no change."""

    core = False
    subjects = "Lock RLock Semaphore Condition Event Barrier Thread"
    requires: ClassVar = frozenset({"TIMEOUT_MAX"})
    max_threads = 16

    def setup(self) -> None:
        m = self.target
        self.kind = self.rng.choice(
            ("Lock", "RLock", "Semaphore", "Condition", "Event", "Barrier", "Thread")
        )
        self.most = m.TIMEOUT_MAX
        self.go = False
        self.condition = m.Condition()
        self.event = m.Event()
        self.barrier = m.Barrier(self.threads)
        self.semaphore = m.Semaphore(0)
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.thread = m.Thread(target=self.gate.acquire)
        self.thread.start()
        self.locks = {"Lock": m.Lock(), "RLock": m.RLock()}

    @actor(MANY)
    def waiter(self, me: Actor) -> None:
        kind, most = self.kind, self.most
        if kind in self.locks:
            self.section(me)
        elif kind == "Semaphore":
            self.took(self.semaphore.acquire(timeout=most))
        elif kind == "Condition":
            with self.condition:
                while not self.go:
                    self.took(self.condition.wait(most))
                self.took(self.condition.wait_for(lambda: self.go, most))
        elif kind == "Event":
            self.took(self.event.wait(most))
        elif kind == "Barrier":
            self.barrier.wait(most)
        else:
            self.thread.join(most)
            self.took(not self.thread.is_alive())
        me.did(kind)
        self.beyond(me)

    def section(self, me: Actor) -> None:
        lock = self.locks[self.kind]
        for _ in range(5):
            self.took(lock.acquire(timeout=self.most))
            me.pause()
            lock.release()

    def took(self, result: object) -> None:
        if not result:
            raise OracleFailure("timeout", f"a {self.kind} has given up after no time")

    @actor()
    def waker(self, me: Actor) -> None:
        me.pause()
        if self.kind in self.locks:
            self.section(me)
        self.semaphore.release(self.threads - 1)
        with self.condition:
            self.go = True
            self.condition.notify_all()
        self.event.set()
        if self.kind == "Barrier":
            self.barrier.wait(self.most)
        self.gate.release()
        me.did("wake")

    def beyond(self, me: Actor) -> None:
        """Wait for longer than can be, on what nobody else has."""
        m, too_long = self.target, self.most * me.rng.choice((1.001, 2, 1e6))
        lock, rlock, condition, event = m.Lock(), m.RLock(), m.Condition(), m.Event()
        semaphore = m.Semaphore(0)
        lock.acquire()
        self.refused(lambda: lock.acquire(timeout=too_long))
        lock.release()
        self.refused(lambda: rlock.acquire(timeout=too_long))
        self.refused(lambda: semaphore.acquire(timeout=too_long))
        self.refused(lambda: event.wait(too_long))
        with condition:
            self.refused(lambda: condition.wait(too_long))
            condition.notify()
        semaphore.release()
        if rlock._is_owned() or lock.locked() or not semaphore.acquire(False):
            raise OracleFailure("state", "a wait that was refused has changed something")
        me.did("refused")

    def refused(self, wait: Callable[[], object]) -> None:
        try:
            wait()
        except OverflowError:
            return
        raise OracleFailure("refused", "a wait beyond TIMEOUT_MAX did not raise OverflowError")

    def arbiter(self) -> str:
        self.thread.join(self.most)
        return "done"
