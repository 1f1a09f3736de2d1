"""The ends of threads: what is dropped before, and that who has ended is forgotten and freed."""

from __future__ import annotations

import _thread
import time
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from ...api.scenario import ACCEPTABLE, INTERESTING, MANY, Actor, OracleFailure, Scenario, actor
from .registry import LITTLE, PATIENCE, LivingThread, soon


class Value:
    """What a thread leaves behind in a thread-local."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end

    def __del__(self) -> None:
        self.end()


class JoinWaitsForLocals(Scenario):
    """A thread is alive, and join() waits, until its thread-local values are dropped."""

    subjects = "Thread local"
    requires: ClassVar = frozenset({"enumerate", "local"})
    max_threads = 16

    def setup(self) -> None:
        self.locals = [self.target.local() for _ in range(2)]
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.dropped = 0
        self.early = False
        self.thread = self.target.Thread(target=self.work)
        self.thread.start()

    def drop(self) -> None:
        time.sleep(0.0002)
        self.early |= not self.thread.is_alive()
        self.dropped += 1

    def work(self) -> None:
        for local in self.locals:
            local.value = Value(self.drop)
        self.gate.acquire()

    @actor(MANY)
    def joiner(self, me: Actor) -> None:
        while me.rng.random() < 0.6:
            me.timed(lambda t: self.thread.join(t) or not self.thread.is_alive(), me.tiny())
            me.did("timed join")
        if me.rng.random() < 0.3:
            while self.thread.is_alive():
                me.pause()
            how = "is_alive() was false"
        else:
            self.thread.join()
            how = "join() returned"
        if self.dropped != 2:
            raise OracleFailure("dropped", f"{how} when {self.dropped} of 2 values were dropped")
        me.did("join")

    @actor()
    def opener(self, me: Actor) -> None:
        me.pause()
        self.gate.release()
        me.did("open")

    def arbiter(self) -> str:
        if self.early:
            raise OracleFailure("alive", "is_alive() is false while thread-locals are dropped")
        return "done"


class ThreadsForgotten(Scenario):
    """Threads that nobody joins vanish from enumerate(), and are freed with what they had."""

    core = False
    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate"})
    min_rounds = 2
    max_threads = 16

    def setup(self) -> None:
        self.threads_left: list[weakref.ref[Any]] = []
        self.given: list[weakref.ref[Any]] = []

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            run = LivingThread(self.target, daemon=me.rng.random() < 0.5)
            run.thread.itself = run.thread
            self.threads_left.append(weakref.ref(run.thread))
            self.given.append(weakref.ref(run))
            if me.rng.random() < 0.8:
                run.thread.start()
                me.did("start")
            run.open()
            me.pause()
            del run

    def arbiter(self) -> str:
        def listed() -> int:
            ours = {id(thread) for ref in self.threads_left if (thread := ref()) is not None}
            return sum(id(thread) in ours for thread in self.target.enumerate())

        if not soon(lambda: not listed()):
            raise OracleFailure("gone", f"{listed()} threads that have ended are listed")
        if not soon(lambda: not any(ref() for ref in self.threads_left + self.given)):
            left = sum(ref() is not None for ref in self.threads_left)
            raise OracleFailure("freed", f"{left} Threads, ended and dropped, are still there")
        return "done"


class Asked(Scenario):
    """Shared: threads that ask who they are, tell what is wrong with the answer, and end."""

    core = False
    requires: ClassVar = frozenset({"enumerate", "current_thread"})
    min_rounds = 2
    max_threads = 16

    def setup(self) -> None:
        self.wrong: list[str] = []
        self.met: list[Any] = []
        self.went: list[int] = []

    def check(self, right: bool, wrong: str) -> None:
        if not right:
            self.wrong.append(wrong)

    def ask(self) -> None:
        """Be the last that a thread does: whatever it raises would be lost there."""
        try:
            thread = self.target.current_thread()
            self.met.append(thread)
            self.judge(thread)
        except BaseException as error:
            self.wrong.append(f"{self.where}, {error!r} was raised")
        finally:
            self.went.append(1)

    where = ""

    def judge(self, thread: Any) -> None:
        """Look at what current_thread() has returned."""

    def listed(self, seconds: float = PATIENCE) -> list[Any]:
        """Return which of the threads that have asked are still listed after their ends."""
        if not soon(lambda: len(self.went) == 3 * self.threads):
            raise OracleFailure("end", f"{len(self.went)} of {3 * self.threads} threads have ended")
        if self.wrong:
            raise OracleFailure("current", self.wrong[0])
        met = set(map(id, self.met))
        if soon(lambda: met.isdisjoint(map(id, self.target.enumerate())), seconds):
            return []
        return [thread for thread in self.target.enumerate() if id(thread) in met]


class ForeignThreadsForgotten(Asked):
    """A thread that Thread has not started is listed once it asks who it is, and until it ends."""

    subjects = "Thread"
    where = "in a thread that Thread has not started"

    def judge(self, thread: Any) -> None:
        self.check(thread is self.target.current_thread(), "another at each call")
        self.check(thread in self.target.enumerate(), "the current thread is not listed")
        right = thread.ident == _thread.get_ident() and thread.daemon
        self.check(right, f"a thread that Thread has not started is {thread!r}")

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            _thread.start_new_thread(self.ask, ())
            me.did("start")
            me.pause()

    def arbiter(self) -> str:
        if left := self.listed():
            raise OracleFailure("gone", f"{len(left)} ended threads are listed, {left[0]!r}")
        return "done"


class DyingThreadAsks(Asked):
    """current_thread() works at a thread's very end, in destructors, and leaves nothing listed."""

    subjects = "Thread local"
    # CPython's leaves an entry for a Thread that asks so late; those of a later thread replace it.
    outcomes = {"done": ACCEPTABLE, "left listed": INTERESTING}
    requires: ClassVar = frozenset({"enumerate", "current_thread", "local"})
    where = "in current_thread() of a dying thread"

    def setup(self) -> None:
        super().setup()
        self.local = self.target.local()

    def judge(self, thread: Any) -> None:
        self.check(thread.ident == _thread.get_ident(), f"the dying thread is {thread!r}")

    def work(self, asks: bool) -> None:
        if asks:
            self.target.current_thread()
        self.local.value = Value(self.ask)

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            asks = me.rng.random() < 0.5
            if me.rng.random() < 0.5:
                _thread.start_new_thread(self.work, (asks,))
            else:
                self.target.Thread(target=self.work, args=(asks,)).start()
            me.did("start")
            me.pause()

    def arbiter(self) -> str:
        return "left listed" if self.listed(LITTLE) else "done"
