"""Exceptions that come from outside, anywhere: who is struck leaves the primitives whole.

What a call returned is known for certain, for it is recorded by the instruction that calls. So
an actor that was struck knows what it holds, and puts that right where nothing can strike.
"""

from __future__ import annotations

import abc
from itertools import starmap
from typing import Any, ClassVar

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor

ONCE: list[tuple[()]] = [()]


class Struck(Scenario, abc.ABC):
    """Shared: actors in the main thread and beside it, all struck."""

    core = False
    tolerates = frozenset({"interrupts", "throws"})
    must_see = frozenset({"thrown"})
    max_threads = 8

    @actor(main=True)
    def in_main_thread(self, me: Actor) -> None:
        self.work(me)

    @actor(MANY)
    def beside_it(self, me: Actor) -> None:
        self.work(me)

    @abc.abstractmethod
    def work(self, me: Actor) -> None:
        """Be what each actor does."""


class StruckInSections(Struck):
    """Exceptions strike in acquire() and sections: a call that raised holds nothing."""

    subjects = "Lock RLock Semaphore"

    def setup(self) -> None:
        self.kind = self.rng.choice(("Lock", "RLock", "Semaphore"))
        self.lock: Any = getattr(self.target, self.kind)()
        self.inside: list[int] = []
        self.times = self.rng.choice((10, 40))

    def work(self, me: Actor) -> None:
        for _ in range(self.times):
            taken: list[bool] = []
            given: list[None] = []
            limit = (True, me.tiny()) if me.rng.random() < 0.3 else ()
            me.expose(lambda: self.section(me, limit, taken, given))  # noqa: B023  # done by then
            me.did("section")
            holds = taken == [True] and not given
            if self.kind == "RLock" and self.lock._is_owned() != holds:
                raise OracleFailure(
                    "owner", f"acquire() gave {taken}, release() {given}; owned: {holds=}"
                )
            if holds:
                if me.index in self.inside:
                    self.inside.remove(me.index)
                self.lock.release()

    def section(
        self, me: Actor, limit: tuple[Any, ...], taken: list[bool], given: list[None]
    ) -> None:
        taken.extend(starmap(self.lock.acquire, [limit]))
        if not taken[0]:
            return
        self.inside.append(me.index)
        me.pause()
        if self.inside != [me.index]:
            raise OracleFailure("exclusion", f"threads {self.inside} were inside together")
        self.inside.remove(me.index)
        given.extend(starmap(self.lock.release, ONCE))

    def arbiter(self) -> str:
        if not self.lock.acquire(False):
            raise OracleFailure(
                "left free", f"all have left the {self.kind}, yet it cannot be acquired"
            )
        if self.kind != "RLock" and self.lock.acquire(False):
            raise OracleFailure("conservation", f"the {self.kind} can be acquired twice")
        self.lock.release()
        return "done"


class StruckInWaits(Struck):
    """Exceptions strike in Condition.wait(): it ends with the lock, and nobody waits in vain."""

    subjects = "Condition Lock RLock"

    def setup(self) -> None:
        self.lock = self.rng.choice((self.target.Lock, self.target.RLock))()
        self.condition = self.target.Condition(self.lock)
        self.holder: int | None = None
        self.times = self.rng.choice((5, 20))
        self.left = 0

    def work(self, me: Actor) -> None:
        for _ in range(self.times):
            with self.condition:
                limit = (me.tiny(),) if me.rng.random() < 0.5 else ()
                told: list[bool] = []
                self.wait(me, limit, told)
                if self.holder is not None:
                    raise OracleFailure(
                        "exclusion", f"wait() has ended while {self.holder} is inside"
                    )
                self.holder = me.index
                me.pause()
                if self.lock.acquire(False) is not hasattr(self.lock, "_is_owned"):
                    raise OracleFailure("owner", "wait() has ended without its lock")
                if hasattr(self.lock, "_is_owned"):
                    self.lock.release()
                self.holder = None
            me.did("wait")
        self.left += 1

    def wait(self, me: Actor, limit: tuple[Any, ...], told: list[bool]) -> None:
        me.expose(lambda: told.extend(starmap(self.condition.wait, [limit])))

    @actor()
    def notifier(self, me: Actor) -> None:
        while self.left < self.threads:
            with self.condition:
                if self.holder is not None:
                    raise OracleFailure(
                        "exclusion", f"the lock is free while {self.holder} is inside"
                    )
                self.condition.notify(me.rng.choice((1, 1, 2, 99)))
            me.did("notify")
            me.pause()

    def arbiter(self) -> str:
        if not self.lock.acquire(False):
            raise OracleFailure("left free", "all have left it, yet it cannot be acquired")
        self.lock.release()
        return "done"


class StruckInBarriers(Struck):
    """Exceptions strike in Barrier.wait(): who is struck breaks it, and all others learn of it."""

    subjects = "Barrier"
    outcomes = {"crossed": ACCEPTABLE, "broken": ACCEPTABLE, "both": ACCEPTABLE}

    def setup(self) -> None:
        self.barrier = self.target.Barrier(self.threads + 1)
        self.numbers: list[int] = []

    def work(self, me: Actor) -> None:
        me.pause()
        mine: list[int] = []

        def cross() -> None:
            me.pause()
            mine.extend(starmap(self.barrier.wait, ONCE))

        try:
            me.expose(cross)
        except self.target.BrokenBarrierError:
            me.did("broken")
        else:
            me.did("wait")
            if not mine:
                self.barrier.abort()
        self.numbers += mine

    def arbiter(self) -> str:
        if len(set(self.numbers)) != len(self.numbers):
            raise OracleFailure("numbers", f"one crossing gave {self.numbers}")
        self.barrier.reset()
        if self.barrier.broken or self.barrier.n_waiting:
            raise OracleFailure("state", f"after reset(): {self.barrier!r}")
        if not self.numbers:
            return "broken"
        return "crossed" if len(self.numbers) == self.threads + 1 else "both"


class StruckInThreads(Struck):
    """Exceptions strike in start() and join(): the function runs once, and its end is seen."""

    subjects = "Thread"

    def work(self, me: Actor) -> None:
        ran: list[int] = []
        thread = self.target.Thread(target=ran.append, args=(1,))
        done: list[None] = []
        me.expose(lambda: done.extend(starmap(thread.start, ONCE)))
        try:
            thread.start()
        except RuntimeError:
            me.did("start")  # refused: it was started before the exception came
        else:
            if done:
                raise OracleFailure("once", "a second start() did not raise RuntimeError")
            me.did("start again")
        me.expose(thread.join)
        thread.join()
        me.did("join")
        if thread.is_alive():
            raise OracleFailure("state", "is_alive() is true after join()")
        if ran != [1]:
            raise OracleFailure("runs", f"the function ran {len(ran)} times")


class AllocationFails(Scenario):
    """An allocation fails somewhere in each call: it has done all or nothing, and works again.

    CPython 3.13t crashes where memory fails it for a list that is made with something in it. So
    none is made in here, and there are no threads, which are Python code.
    """

    core = False
    subjects = "Lock RLock Condition Semaphore Event Barrier"
    tolerates: ClassVar[frozenset[str]] = frozenset({"nomemory"})
    must_see = frozenset({"thrown"})

    @actor(main=True)
    def user(self, me: Actor) -> None:
        m = self.target
        for make in (m.Lock, m.RLock, m.Semaphore):
            self.hold(me, self.get(me, make))
        self.notice(me, self.get(me, m.Condition))
        event = self.get(me, m.Event)
        for call in (event.is_set, event.set, event.clear, event.set):
            self.get(me, call)
        if not self.get(me, event.wait):
            raise OracleFailure("state", "wait() of an event that is set returned False")
        barrier = self.get(me, m.Barrier, 1)
        if self.get(me, barrier.wait) != 0 or barrier.n_waiting:
            raise OracleFailure("numbers", f"the one party left {barrier!r}")

    def get(self, me: Actor, call: Any, *arguments: Any) -> Any:
        """Return what a call returns, at the second try if the first has failed."""
        results: list[Any] = []
        once = [arguments]
        me.expose(lambda: results.extend(starmap(call, once)))
        me.did("call")
        return results[0] if results else call(*arguments)

    def hold(self, me: Actor, lock: Any) -> None:
        taken: list[bool] = []
        once = [(True, 1.0)]
        me.expose(lambda: taken.extend(starmap(lock.acquire, once)))
        if not taken and not lock.acquire(False):
            raise OracleFailure("left free", f"acquire() has failed, and holds {lock!r}")
        if not hasattr(lock, "_is_owned") and self.get(me, lock.acquire, True, 0.0001):
            raise OracleFailure("exclusion", f"acquired twice: {lock!r}")
        given: list[None] = []
        me.expose(lambda: given.extend(starmap(lock.release, ONCE)))
        if not given:
            lock.release()
        if not lock.acquire(False):
            raise OracleFailure("left free", f"released, yet it cannot be acquired: {lock!r}")

    def notice(self, me: Actor, condition: Any) -> None:
        with condition:
            if self.get(me, condition.wait, 0.0001):
                raise OracleFailure("count", "wait() returned True, though nobody has notified")
            self.get(me, condition.notify_all)
        try:
            condition.notify()
        except RuntimeError:
            return
        raise OracleFailure("owner", "the lock is held after wait() and `with`")
