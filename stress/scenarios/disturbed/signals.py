"""Signal handlers that use the primitives, and such that raise, while others contend."""

from __future__ import annotations

import time

from ...api.scenario import ACCEPTABLE, Actor, OracleFailure, actor
from .alarmed import Alarmed, HandlerRaised, check_left_free


class SignalHandlerSets(Alarmed):
    """set() in a handler that interrupted set() of the same event returns, and wakes waiters."""

    subjects = "Event"
    must_see = frozenset({"handled"})

    def setup(self) -> None:
        self.event = self.target.Event()
        self.install(self.event.set)
        self.over = False
        self.times = self.rng.choice((50, 300))

    @actor(main=True)
    def setter(self, me: Actor) -> None:
        for k in range(self.times):
            if not self.armed:
                self.wind(me)
            self.event.set()
            me.did("set")
            if k % 3 == 0:
                self.event.clear()
                me.did("clear")
        self.tell_handled(me)
        self.over = True
        self.event.set()

    @actor(2)
    def waiter(self, me: Actor) -> None:
        while not self.over:
            self.event.wait()
            me.did("wait")


class SignalHandlerReleases(Alarmed):
    """release() in a handler that interrupted release() returns, and each permit counts."""

    core = False
    subjects = "Semaphore"
    must_see = frozenset({"handled"})

    def setup(self) -> None:
        self.semaphore = self.target.Semaphore(0)
        self.install(self.semaphore.release)
        self.released = 0
        self.taken = [0, 0, 0]
        self.times = self.rng.choice((50, 300))

    @actor(main=True)
    def releaser(self, me: Actor) -> None:
        for _ in range(self.times):
            if not self.armed:
                self.wind(me)
            self.semaphore.release()
            me.did("release")
        self.tell_handled(me)

    @actor(2)
    def taker(self, me: Actor) -> None:
        for _ in range(self.times // 3):
            self.semaphore.acquire()
            me.did("acquire")

    def arbiter(self) -> str:
        expected = self.times + self.handled - 2 * (self.times // 3)
        left = 0
        while self.semaphore.acquire(False):
            left += 1
        if left != expected:
            raise OracleFailure("conservation", f"{left} permits left instead of {expected}")
        return "done"


class SignalHandlerLocks(Alarmed):
    """A handler takes the RLock that its thread holds or waits for: both get it."""

    core = False
    subjects = "RLock"
    must_see = frozenset({"handled"})

    def setup(self) -> None:
        self.lock = self.target.RLock()
        self.install(self.take)
        self.inside = 0
        self.times = self.rng.choice((20, 100))
        self.over = False

    def take(self) -> None:
        with self.lock:
            if not self.lock._is_owned():
                raise OracleFailure("owner", "the handler's thread does not own the lock it took")

    @actor(main=True)
    def owner(self, me: Actor) -> None:
        for _ in range(self.times):
            if not self.armed:
                self.wind(me)
            with self.lock:
                self.inside += 1
                if self.inside != 1:
                    raise OracleFailure("exclusion", "two threads own one RLock")
                self.inside -= 1
            me.did("with")
        self.tell_handled(me)
        self.over = True

    @actor(2)
    def other(self, me: Actor) -> None:
        while not self.over:
            with self.lock:
                self.inside += 1
                me.pause()
                if me.rng.random() < 0.3:
                    time.sleep(0.0003)  # so that the owner waits when its handler strikes
                if self.inside != 1:
                    raise OracleFailure("exclusion", "two threads own one RLock")
                self.inside -= 1
            me.did("with")
            time.sleep(0)

    def arbiter(self) -> str:
        check_left_free(self.lock)
        return "done"


class SignalInterruptsWait(Alarmed):
    """A handler that raises ends Condition.wait(), which has the lock then, as `with` expects."""

    subjects = "Condition Lock"
    outcomes = {"interrupted": ACCEPTABLE, "notified": ACCEPTABLE}
    must_see = frozenset({"interrupted"})

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.condition = self.target.Condition(self.lock)
        self.install(self.fail)
        self.holder = ""
        self.over = self.main_in = False
        self.interrupted = 0

    @actor(main=True)
    def waiter(self, me: Actor) -> None:
        for _ in range(10):
            # Two tries: the second is there for a signal that comes just outside of wait().
            try:
                try:
                    self.once(me)
                finally:
                    self.armed = False
            except HandlerRaised:
                self.armed = False
        self.over = True

    def once(self, me: Actor) -> None:
        with self.condition:
            self.main_in = True
            self.wind(me)
            try:
                self.condition.wait(0.05)
            except HandlerRaised:
                self.interrupted += 1
                me.saw("interrupted")
            self.armed = False
            self.main_in = False
            if self.holder:
                raise OracleFailure("exclusion", "wait() has ended while another holds the lock")
            if not self.lock.locked():
                raise OracleFailure("owner", "wait() has ended without its lock")
        me.did("wait")

    @actor(2)
    def holder_and_notifier(self, me: Actor) -> None:
        while not self.over:
            with self.condition:
                self.holder = "another"
                if me.rng.random() < 0.3:
                    self.condition.notify()
                me.pause()
                if me.rng.random() < 0.2:
                    time.sleep(0.0005)
                self.holder = ""
            me.did("notify")
            time.sleep(0)

    def arbiter(self) -> str:
        check_left_free(self.lock)
        return "interrupted" if self.interrupted else "notified"


class SignalInterruptsAcquire(Alarmed):
    """A handler that raises ends Semaphore.acquire(); a permit then goes to who still waits."""

    core = False
    subjects = "Semaphore"
    must_see = frozenset({"interrupted"})
    min_rounds = 2

    def setup(self) -> None:
        self.semaphore = self.target.Semaphore(0)
        self.install(self.fail)
        self.over = False
        self.ended = 0

    @actor(main=True)
    def waiter(self, me: Actor) -> None:
        for _ in range(10):
            try:
                self.wind(me)
                self.semaphore.acquire(timeout=0.01)
                self.armed = False
            except HandlerRaised:
                me.saw("interrupted")
            me.did("timed")
        self.over = True
        # Whether an interrupted call has taken a permit, nobody can know. But no permit can be
        # there while somebody sleeps for want of one.
        until = time.monotonic() + 0.3
        while self.ended < 2 and time.monotonic() < until:
            time.sleep(0.001)
        if self.ended < 2 and self.semaphore.acquire(False):
            raise OracleFailure("lost wake-up", "a thread waits though there is a permit")
        self.semaphore.release(2)

    @actor()
    def one(self, me: Actor) -> None:
        self.work(me)

    @actor()
    def two(self, me: Actor) -> None:
        self.work(me)

    def work(self, me: Actor) -> None:
        while not self.over:
            self.semaphore.release()
            me.did("release")
            me.pause()
            self.semaphore.acquire()
            me.did("acquire")
        self.ended += 1
