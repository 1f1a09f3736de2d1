"""Handlers that raise within calls: who is struck leaves the primitives whole, and others get on.

An exception that comes while a thread sleeps must do no harm in any module. One that comes between
two lines of a call that is Python code may: such a module cannot keep it out. So what is torn is
only INTERESTING there, and FORBIDDEN where calls are C.
"""

from __future__ import annotations

import _thread
import inspect
import signal
import time
from collections.abc import Callable
from itertools import starmap
from types import FrameType
from typing import Any, ClassVar

from ...api.scenario import ACCEPTABLE, INTERESTING, Actor, OracleFailure, Scenario, World, actor
from ...targets.inspection import indivisible, interruptible, queues_of
from .signals import Interrupted
from .thrown import ONCE

PATIENCE = 0.4
"""Seconds after which somebody is given up whom a torn primitive has left waiting."""
TICK = 0.0003
"""Seconds between two looks at whether the main thread sleeps."""

_whole: dict[str, bool] = {}


class Helper:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.results: list[object] = []
        self.error: BaseException | None = None
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        _thread.start_new_thread(self._live, (call,))

    def _live(self, call: Callable[[], object]) -> None:
        try:
            self.results.append(call())
        except BaseException as error:
            self.error = error
        self._ended.release()

    def ended(self, patience: float = -1) -> bool:
        """Wait for its end, without a limit if none is given."""
        if not self._ended.acquire(timeout=patience):
            return False
        self._ended.release()
        return True


class Storm(Scenario):
    """Shared: a handler that raises once in the main thread, whenever, or only where it sleeps."""

    core = False
    signals = True
    must_see = frozenset({"struck"})
    outcomes = {"whole": ACCEPTABLE, "torn": INTERESTING}

    def __init__(self, world: World) -> None:
        name = world.target.__name__
        if name not in _whole:
            _whole[name] = indivisible(world.target)
        self.whole = _whole[name]
        self.outcome = "whole"
        self.armed = self.asleep = False
        self.last: tuple[FrameType | None, int] = None, 0
        self.spent = 0.0
        super().__init__(world)
        signal.signal(signal.SIGALRM, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        if not self.armed:
            return
        if interruptible(self.target, frame) and (not self.asleep or self.slept(frame)):
            self.armed = False
            raise Interrupted

    def slept(self, frame: FrameType | None) -> bool:
        """Return whether it has stood at one instruction, hardly running, since the last tick."""
        here = frame, frame.f_lasti if frame else 0
        spent = time.thread_time()
        same = here == self.last and spent - self.spent < TICK / 3
        self.last, self.spent = here, spent
        return same

    def strike(self, me: Actor, work: Callable[[], object], delay: float, asleep: bool) -> bool:
        """Call `work()`; return whether the handler has raised in it, which it does once at most.

        delay: seconds from now. asleep: only where the thread sleeps, and for certain.
        """
        struck = False
        self.asleep, self.last = asleep, (None, 0)
        try:
            try:
                self.armed = True
                # Again and again: one that comes just before a call sleeps does not wake it.
                signal.setitimer(signal.ITIMER_REAL, delay, TICK)
                work()
            finally:
                self.armed = False
        except Interrupted:
            struck = True
        except RuntimeError as error:
            # A pure-Python primitive's `with` released what was never taken again.
            if not isinstance(error.__context__, Interrupted):
                raise
            struck = True
            self.torn("owner", str(error))
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.last = None, 0
        me.did("call")
        if struck:
            me.saw("struck")
        return struck

    def torn(self, oracle: str, message: str, always: bool = False) -> None:
        """Tell what has been found.

        always: no module may do this.
        """
        if self.whole or always:
            raise OracleFailure(oracle, message)
        self.outcome = "torn"

    def judge(self, check: Callable[[], object], always: bool = False) -> None:
        """Let another thread look, which a torn primitive may stop."""
        helper = Helper(check)
        if not helper.ended(-1 if self.whole or always else PATIENCE):
            self.torn("progress", "who came next waits for ever")
        elif isinstance(helper.error, OracleFailure):
            self.torn(helper.error.oracle, helper.error.message, always)
        elif helper.error is not None:
            self.torn("error", f"who came next got {helper.error!r}", always)

    def arbiter(self) -> str:
        return self.outcome


def expect(truth: object, oracle: str, message: str) -> None:
    if not truth:
        raise OracleFailure(oracle, message)


class InterruptedAsleep(Storm):
    """A handler raises where any call sleeps: then whoever else waits gets all that comes."""

    subjects = "Lock Semaphore Event Condition Queue Thread"
    outcomes = {"whole": ACCEPTABLE}
    kinds: ClassVar[tuple[str, ...]] = (
        "lock",
        "semaphore",
        "event",
        "condition",
        "get",
        "put",
        "task",
        "join",
    )

    @actor(main=True)
    def sleeper(self, me: Actor) -> None:
        for _ in range(3):
            getattr(self, me.rng.choice(self.kinds))(me)

    def sleep(self, me: Actor, call: Callable[[], object]) -> None:
        """Be struck in it."""
        if not self.strike(me, call, TICK, asleep=True):
            raise OracleFailure("result", f"{call} returned, though it had to wait")

    def free(self, helper: Helper, oracle: str = "progress") -> None:
        """Wait for one who has what it waits for: a hang is a finding."""
        helper.ended()
        expect(helper.error is None, oracle, f"who waits has got {helper.error!r}")

    def lock(self, me: Actor) -> None:
        lock = self.target.Lock()
        lock.acquire()
        other = Helper(lock.acquire)
        self.sleep(me, lock.acquire)
        lock.release()
        self.free(other)
        expect(lock.locked(), "state", "it is free, though another has acquired it")
        lock.release()
        expect(lock.acquire(False), "left free", "all have released it, yet it cannot be acquired")

    def semaphore(self, me: Actor) -> None:
        semaphore = self.target.Semaphore(0)
        other = Helper(semaphore.acquire)
        self.sleep(me, semaphore.acquire)
        semaphore.release()
        self.free(other)
        expect(not semaphore.acquire(False), "conservation", "one permit was doubled")
        semaphore.release()
        expect(semaphore.acquire(False), "conservation", "one permit was lost")

    def event(self, me: Actor) -> None:
        event = self.target.Event()
        other = Helper(event.wait)
        self.sleep(me, event.wait)
        event.set()
        self.free(other)

    def condition(self, me: Actor) -> None:
        lock = self.target.Lock()
        condition = self.target.Condition(lock)
        inside: list[int] = []

        def wait() -> None:
            lock.acquire()
            inside.append(1)
            condition.wait()
            lock.release()

        lock.acquire()
        other = Helper(wait)
        self.sleep(me, condition.wait)
        expect(lock.locked(), "owner", "wait() has ended without its lock")
        while not inside:
            lock.release()
            time.sleep(0)
            lock.acquire()
        condition.notify()  # the one who was struck must not be the one who is notified
        lock.release()
        self.free(other, "lost wake-up")

    def get(self, me: Actor) -> None:
        queue = queues_of(self.target).Queue()
        other = Helper(queue.get)
        self.sleep(me, queue.get)
        queue.put(1)
        self.free(other)
        expect(queue.qsize() == 0, "conservation", "one item was got, one is left")

    def put(self, me: Actor) -> None:
        queue = queues_of(self.target).Queue(1)
        queue.put(1)
        other = Helper(lambda: queue.put(2))
        self.sleep(me, lambda: queue.put(3))
        got = [queue.get()]
        self.free(other)
        got.append(queue.get())
        expect(got == [1, 2] and queue.qsize() == 0, "conservation", f"got {got}")

    def task(self, me: Actor) -> None:
        queue = queues_of(self.target).Queue()
        queue.put(1)
        other = Helper(queue.join)
        self.sleep(me, queue.join)
        queue.get()
        queue.task_done()
        self.free(other)
        queue.join()

    def join(self, me: Actor) -> None:
        gate = _thread.allocate_lock()
        gate.acquire()
        ran: list[object] = []
        thread = self.target.Thread(target=lambda: ran.append(gate.acquire()))
        thread.start()
        other = Helper(thread.join)
        self.sleep(me, thread.join)
        expect(thread.is_alive() and not ran, "state", "it is not alive, though it runs")
        gate.release()
        thread.join()
        expect(ran and not thread.is_alive(), "state", "join() has returned, and it lives")
        self.free(other)


class InterruptedBarrier(InterruptedAsleep):
    """A handler raises where Barrier.wait() sleeps: it is broken or whole, and numbers differ.

    CPython's own stays whole, and then gives one number twice.
    """

    subjects = "Barrier"
    kinds = ("barrier",)

    def barrier(self, me: Actor) -> None:
        barrier = self.target.Barrier(3)
        other = Helper(barrier.wait)
        self.sleep(me, barrier.wait)
        # Whoever is struck breaks it, or leaves it as if he had never come: the same for all.
        broken, others = barrier.broken, [other]
        if broken:
            other.ended()
            right = isinstance(other.error, self.target.BrokenBarrierError)
            expect(right, "broken", f"broken, yet another got {other.results} {other.error!r}")
            barrier.reset()
            others = [Helper(barrier.wait)]
        others.append(Helper(barrier.wait))
        numbers = [barrier.wait()]
        for helper in others:
            self.free(helper)
            numbers += helper.results
        expect(sorted(numbers) == [0, 1, 2], "numbers", f"{broken=}, then they are {numbers}")


class InterruptedNotify(Storm):
    """A handler raises about notify(n): it wakes n or none, and later ones reach who waits."""

    subjects = "Condition"

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.condition = self.target.Condition(self.lock)

    @actor(main=True)
    def notifier(self, me: Actor) -> None:
        for _ in range(4):
            self.setup()
            self.once(me)
            if self.outcome == "torn":
                return

    def once(self, me: Actor) -> None:
        inside: list[int] = []
        back: list[bool] = []
        """Who has come back, and whether he had to."""
        closing: list[int] = []

        def wait() -> None:
            self.lock.acquire()
            inside.append(1)
            self.condition.wait()
            back.append(bool(closing))
            self.lock.release()

        helpers = [Helper(wait) for _ in range(3)]
        while len(inside) < 3:
            time.sleep(0)
        self.lock.acquire()  # so all three are within wait()
        n = me.rng.choice((1, 2, 3))
        everybody = n == 3 and me.rng.random() < 0.5
        notify, arguments = (
            (self.condition.notify_all, ONCE) if everybody else (self.condition.notify, [(n,)])
        )
        given: list[None] = []
        delay = me.rng.uniform(0.00005, 0.0002)
        begin = time.monotonic() + delay * me.rng.uniform(0.8, 1.5)

        def work() -> None:
            while time.monotonic() < begin:
                pass
            given.extend(starmap(notify, arguments))

        self.strike(me, work, delay, asleep=False)
        if not self.lock.locked():
            self.torn("owner", "notify() has lost the lock")
            return
        self.lock.release()
        told = n if given else 0
        deadline = time.monotonic() + PATIENCE
        while len(back) < told and time.monotonic() < deadline:
            time.sleep(0)
        me.pause()
        self.judge(lambda: self.rest(back, closing, n, told))
        for helper in helpers:
            if not helper.ended(-1 if self.whole else PATIENCE):
                self.torn("lost wake-up", f"after a struck notify({n}) {back} are back of 3")

    def rest(self, back: list[bool], closing: list[int], n: int, told: int) -> None:
        """Notify those who have not been, one by one: who is back cannot swallow one."""
        self.lock.acquire()
        early = len(back)
        closing.append(1)
        for _ in range(3 - early if told == 0 else 3 - told):
            self.condition.notify()
        self.lock.release()
        expect(early <= n, "count", f"notify({n}) woke {early}")


class InterruptedRelease(Storm):
    """A handler raises about acquire() and release(): what they returned is what is held."""

    subjects = "Lock RLock Semaphore BoundedSemaphore"

    @actor(main=True)
    def owner(self, me: Actor) -> None:
        for _ in range(3):
            self.kind = me.rng.choice(("Lock", "RLock", "Semaphore", "BoundedSemaphore"))
            self.once(me)
            if self.outcome == "torn":
                return

    def once(self, me: Actor) -> None:
        lock = getattr(self.target, self.kind)()
        always = inspect.isbuiltin(lock.acquire)  # Lock and RLock are C in most modules
        over: list[int] = []
        taken: list[bool] = []
        given: list[None] = []

        def contend() -> None:
            while not over:
                lock.acquire()
                lock.release()
                time.sleep(0)

        def work() -> None:
            for _ in range(30000):
                taken.extend(starmap(lock.acquire, ONCE))
                given.extend(starmap(lock.release, ONCE))

        other = Helper(contend) if me.rng.random() < 0.5 else None
        self.strike(me, work, 10 ** me.rng.uniform(-4.5, -3), asleep=False)
        over.append(1)
        holds = len(taken) - len(given)
        if self.kind == "RLock":
            if lock._is_owned() != bool(holds):
                self.torn("owner", f"{holds=}, yet _is_owned() is {not holds}", always)
                return
            if holds:
                lock.release()
        elif holds:
            self.judge(lock.release, always)
        if other is not None and not other.ended(-1 if self.whole or always else PATIENCE):
            self.torn("progress", f"{self.kind}: {holds=} and released, another waits")
            return
        if self.outcome == "whole":
            self.judge(lambda: self.left(lock), always)

    def left(self, lock: Any) -> None:
        """Look at what nobody holds any more."""
        expect(lock.acquire(False), "left free", f"all have left the {self.kind}; it is held")
        if self.kind != "RLock":
            expect(not lock.acquire(False), "conservation", f"the {self.kind} is acquired twice")
        lock.release()
        if self.kind == "BoundedSemaphore":
            try:
                lock.release()
            except ValueError:
                return
            raise OracleFailure("bound", "released above its first value without ValueError")


class InterruptedTimedWaits(Storm):
    """A handler raises where a timed wait ends: others get what comes, and the lock is held."""

    subjects = "Lock Semaphore Event Condition"
    kinds = ("lock", "semaphore", "event", "condition")

    @actor(main=True)
    def waiter(self, me: Actor) -> None:
        for _ in range(4):
            getattr(self, me.rng.choice(self.kinds))(me)
            if self.outcome == "torn":
                return

    def wait(self, me: Actor, call: Callable[..., bool]) -> None:
        """Be struck at about the end of a wait that nobody ends."""
        limit = me.rng.uniform(0.0001, 0.001)
        told: list[bool] = []
        once = [(True, limit) if call.__name__ == "acquire" else (limit,)]
        delay = limit * me.rng.uniform(0.8, 1.2) + 0.00005
        self.strike(me, lambda: told.extend(starmap(call, once)), delay, asleep=False)
        expect(told in ([], [False]), "result", f"{call.__name__}() returned {told}")

    def lock(self, me: Actor) -> None:
        lock = self.target.Lock()
        lock.acquire()
        self.wait(me, lock.acquire)
        other = Helper(lock.acquire)
        lock.release()
        self.end(other)

    def semaphore(self, me: Actor) -> None:
        semaphore = self.target.Semaphore(0)
        self.wait(me, semaphore.acquire)
        other = Helper(semaphore.acquire)
        self.judge(semaphore.release)
        self.end(other)
        if self.outcome == "whole":
            self.judge(
                lambda: expect(not semaphore.acquire(False), "conservation", "a permit was doubled")
            )

    def event(self, me: Actor) -> None:
        event = self.target.Event()
        self.wait(me, event.wait)
        other = Helper(event.wait)
        self.judge(event.set)
        self.end(other)

    def condition(self, me: Actor) -> None:
        lock = self.target.Lock()
        condition = self.target.Condition(lock)
        inside: list[int] = []
        lock.acquire()
        self.wait(me, condition.wait)
        if not lock.locked():
            self.torn("owner", "wait() has ended without its lock")
            return

        def wait() -> None:
            lock.acquire()
            inside.append(1)
            condition.wait()
            lock.release()

        other = Helper(wait)
        while not inside:
            lock.release()
            time.sleep(0)
            lock.acquire()
        condition.notify()
        lock.release()
        self.end(other)

    def end(self, other: Helper) -> None:
        if not other.ended(-1 if self.whole else PATIENCE):
            self.torn("lost wake-up", "what came went to one who had given up")
