"""What a fork leaves of threads in the child: its own, which is the main one, and no other."""

from __future__ import annotations

import _thread
import itertools
import os
import time
from collections.abc import Callable
from typing import Any, ClassVar

from ...api.scenario import MANY, Actor, OracleFailure, actor
from ...targets.inspection import futures_of
from .forks import Forking
from .registry import soon

EACH = 20
"""Threads that each actor has to start and end."""


def expect(right: object, oracle: str, message: str) -> None:
    """Raise OracleFailure unless it is right."""
    if not right:
        raise OracleFailure(oracle, message)


def held() -> Any:
    """Return a lock of the interpreter's that is held."""
    lock = _thread.allocate_lock()
    lock.acquire()
    return lock


class ForkLeavesOneThread(Forking):
    """In the child of a fork the forking thread is the main one, alone, and the others ended."""

    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate", "active_count", "current_thread", "main_thread"})
    min_rounds = 1

    def setup(self) -> None:
        self.over = False
        self.failures: list[BaseException] = []
        self.gate = held()
        self.sleeper = self.target.Thread(target=self.gate.acquire)
        self.sleeper.start()
        # No two threads change the same object, and none that is not one of Thread's asks who it
        # is, but the one that forks: CPython's children hang of either. A lock inside of an
        # object that was contended may have a dead owner, and what dead threads left is tidied
        # up before the registry's lock is new.
        self.made = [
            [self.target.Thread(target=Actor(k).pause) for _ in range(EACH)]
            for k in range(self.threads - 1)
        ]
        self.begun: list[list[Any]] = [[] for _ in self.made]
        self.places = list(range(len(self.made)))
        self.crowd = [self.errand(self.churn) for _ in self.made]
        self.first = self.errand(self.part)

    def errand(self, work: Callable[[Actor], None]) -> tuple[Any, Any]:
        """Return a thread that is not started, and a lock that is free when its work is done."""
        me, done = Actor(self.rng.randrange(2**32)), held()
        return self.target.Thread(target=self.go, args=(work, me, done)), done

    def go(self, work: Callable[[Actor], None], me: Actor, done: Any) -> None:
        try:
            work(me)
        except BaseException as error:
            self.failures.append(error)
        finally:
            done.release()

    def churn(self, me: Actor) -> None:
        """Start threads and end them, so that forks find some on their way."""
        k = self.places.pop()
        for thread in self.made[k]:
            if self.over:
                break
            thread.start()
            self.begun[k].append(thread)
            thread.join()
        while not self.over:
            self.target.enumerate()  # which locks the registry, too
            time.sleep(0)

    def part(self, me: Actor) -> None:
        """Fork in this thread; whether it has been asked for before is left to chance."""
        self.before = self.target.current_thread() if me.rng.random() < 0.5 else None
        self.fork()

    @actor(MANY)
    def companion(self, me: Actor) -> None:
        thread, done = self.crowd.pop()
        thread.start()
        done.acquire()
        me.did("end")

    @actor()
    def forker(self, me: Actor) -> None:
        try:
            me.pause()
            thread, done = self.first
            thread.start()
            done.acquire()
            me.did("fork")
            done = held()
            _thread.start_new_thread(self.go, (self.part, me, done))
            done.acquire()
            if self.before is not None:
                soon(lambda: self.before not in self.target.enumerate())
            me.did("fork")
            if self.failures:
                raise self.failures[0]
        finally:
            self.over = True
            self.gate.release()

    def in_child(self) -> None:
        m: Any = self.target
        me = m.current_thread()
        if self.before is not None:
            expect(me is self.before, "current", "current_thread() is not who forked")
        expect(m.main_thread() is me, "main", f"{m.main_thread()!r} is the main thread")
        expect(m.current_thread() is me, "current", "current_thread() has changed")
        expect(m.enumerate() == [me], "listed", f"listed are {m.enumerate()}")
        expect(m.active_count() == 1, "count", f"active_count() is {m.active_count()}")
        expect(me.ident == _thread.get_ident(), "ident", f"ident is {me.ident}")
        native = _thread.get_native_id()
        expect(me.native_id == native, "ident", f"native_id is {me.native_id}, really {native}")
        expect(me.is_alive(), "alive", "is_alive() of who forked is false")
        for thread in (self.sleeper, *itertools.chain(*self.made)):
            expect(not thread.is_alive(), "alive", "is_alive() of a thread that is not there")
        for thread in (self.sleeper, *itertools.chain(*self.begun)):
            thread.join()
        # New ones are as ever.
        here: list[Any] = []
        thread = m.Thread(target=lambda: here.extend((m.current_thread(), m.enumerate())))
        thread.start()
        thread.join()
        expect(here[0] is thread, "current", "a new thread's current_thread() is another")
        expect(set(here[1]) == {me, thread}, "listed", f"beside it {here[1]} are listed")
        expect(m.enumerate() == [me], "listed", f"when it has ended, {m.enumerate()} are listed")

    def arbiter(self) -> str:
        self.sleeper.join()
        if self.failures:
            raise OracleFailure("thread", f"a thread failed: {self.failures[0]!r}")
        return "done"


class ForkKeepsUnused(Forking):
    """What nobody held or had started at the fork can be used in the child; what was, made anew."""

    subjects = "Thread Condition Event Semaphore ThreadPoolExecutor"
    min_rounds = 1

    def setup(self) -> None:
        m = self.target
        self.over = False
        self.condition, self.event, self.semaphore = m.Condition(), m.Event(), m.Semaphore(2)
        self.lock, self.rlock, self.set = m.Lock(), m.RLock(), m.Event()
        self.set.set()
        self.contended, self.waits = m.Condition(), m.Condition()
        # Such as are used in the parent, but by nobody at the fork.
        for lock in (self.condition, self.semaphore, self.lock, self.rlock):
            with lock:
                pass

    @actor(MANY)
    def contender(self, me: Actor) -> None:
        while not self.over:
            with self.contended:
                me.pause()
                self.contended.notify()
                self.contended.wait(me.tiny())
            with self.waits:
                self.waits.wait(0.001)
            me.did("wait")

    @actor()
    def forker(self, me: Actor) -> None:
        try:
            for _ in range(2):
                me.pause()
                self.unstarted = self.target.Thread(target=self.second)
                self.ran: list[int] = []
                self.fork()
                # The child's is another.
                self.unstarted.start()
                with self.condition:
                    self.condition.wait_for(lambda: self.ran, 5)
                self.semaphore.release()
                self.event.set()
                self.unstarted.join()
                expect(self.ran == [os.getpid()], "runs", f"in the parent, {self.ran} ran")
                self.event.clear()
                me.did("fork")
        finally:
            self.over = True

    def second(self) -> None:
        """Be a thread that was made before the fork."""
        with self.condition:
            self.ran.append(os.getpid())
            self.condition.notify_all()
        self.semaphore.acquire()
        self.event.wait()
        with self.lock, self.rlock:
            pass

    def in_child(self) -> None:
        m: Any = self.target
        expect(self.set.is_set() and self.set.wait(), "state", "an Event that was set is not")
        expect(not self.event.is_set(), "state", "an Event that was not set is")
        self.semaphore.acquire()
        self.semaphore.acquire()
        expect(not self.semaphore.acquire(False), "state", "a Semaphore has gained permits")
        expect(not self.unstarted.is_alive(), "alive", "an unstarted thread is alive")
        self.unstarted.start()
        with self.condition:
            while not self.ran:
                expect(self.condition.wait(5), "lost", "a Condition did not come to be notified")
        self.semaphore.release()
        self.event.set()
        self.unstarted.join()
        expect(self.ran == [os.getpid()], "runs", "a thread made before the fork has not run")
        # What others used at the fork.
        self.contended, self.waits = m.Condition(), m.Condition()
        self.over = False
        again = m.Thread(target=self.contender, args=(Actor(1),))
        again.start()
        deadline = time.monotonic() + 0.002
        while time.monotonic() < deadline:
            with self.contended:
                self.contended.notify()
        self.over = True
        again.join()
        self.pool()

    def pool(self) -> None:
        with futures_of(self.target).ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(pow, k, 2) for k in range(5)]
            found = [future.result(5) for future in futures]
        expect(found == [0, 1, 4, 9, 16], "pool", f"a pool in the child answered {found}")
