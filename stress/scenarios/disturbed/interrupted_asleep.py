"""Handlers that raise where a call sleeps: whoever else waits gets all that comes."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from typing import ClassVar

from ...api.scenario import ACCEPTABLE, Actor, OracleFailure, actor
from ...targets.inspection import queues_of
from .interruption import TICK, Helper, Storm, expect


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
