"""Leaks: what an operation leaves behind each time, counted after thousands of them.

Where there are nemeses, a round first works for longer than they go on with it. Then it counts what
is there between windows of equally many operations: blocks of memory, objects known to the garbage
collector, bytes of the C library's heap, descriptors, threads. A leak makes the same steps in
each window; caches that fill and memory that is freed late do not.
"""

from __future__ import annotations

import _thread
import concurrent.futures
import gc
import queue
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...api.scenario import Actor, OracleFailure, Scenario, actor
from ...targets.inspection import futures_of, queues_of
from .measuring import WINDOWS, Measure

DISTURBED = 1.3
"""Seconds after which nemeses hold still."""
ENOUGH = 1200
"""Operations in a window, so that one leak in a thousand is in nearly every one; more ..."""
MOST = 4000
"""... up to so many if they are quick; fewer if they take longer than ..."""
LONGEST = 0.2
"""... so many seconds."""
SHORT = 0.00002
KINDS_A_ROUND = 3, 10
"""Where there are nemeses, and where none are: some four seconds each time."""


class Leaks(Scenario):
    """No operation leaves anything behind: objects, memory, descriptors, threads."""

    core = False
    measures = True
    slow = True
    subjects = (
        "Lock RLock Condition Semaphore Event Barrier Thread Timer local Queue ThreadPoolExecutor"
    )
    min_rounds = 1
    quiet = 4.0

    def setup(self) -> None:
        target = self.target
        self.lock, self.rlock = target.Lock(), target.RLock()
        self.condition = target.Condition()
        self.semaphore, self.event = target.Semaphore(0), target.Event()
        self.queue = queues_of(target).Queue()
        self.full = queues_of(target).Queue(1)
        self.full.put(1)
        self.gate = _thread.allocate_lock()
        self.bell = _thread.allocate_lock()
        self.gate.acquire()
        self.bell.acquire()
        self.over = False
        self.held = target.Lock()
        self.barrier = target.Barrier(2)
        self.pool: Any = None
        names = [name.removeprefix("do_") for name in dir(self) if name.startswith("do_")]
        absent = {
            "timer": not hasattr(target, "Timer"),
            "local": not hasattr(target, "local"),
            "current_thread": not hasattr(target, "current_thread"),
            "pool": not any(hasattr(target, n) for n in ("ThreadPoolExecutor", "_register_atexit")),
        }
        names = [name for name in names if not absent.get(name)]
        count = KINDS_A_ROUND[not self.has_nemeses]
        self.kinds = self.rng.sample(names, min(count, len(names)))

    # Each of these is an operation, or a few.

    def do_uncontended(self) -> None:
        with self.lock, self.rlock, self.rlock:
            pass
        self.semaphore.release()
        self.semaphore.acquire()
        self.event.set()
        self.event.wait()
        self.event.clear()
        with self.condition:
            self.condition.notify()

    def do_made(self) -> None:
        target = self.target
        for made in (target.Lock(), target.RLock(), target.Semaphore(0)):
            made.acquire(False)
        target.Event().set()
        target.Barrier(1).wait()
        with target.Condition() as _:
            pass

    def do_contended(self) -> None:
        for lock in (self.lock, self.rlock):
            with lock:
                pass

    def do_handed_over(self) -> None:
        """Wait until the other thread has released, notified and set."""
        self.gate.release()
        self.semaphore.acquire()
        self.event.wait()
        self.event.clear()
        with self.condition:
            self.condition.wait_for(self.taken)

    def taken(self) -> bool:
        was, self.flag = self.flag, False
        return was

    flag = False

    def do_timed_lock(self) -> None:
        self.held.acquire(True, SHORT)

    def do_timed_semaphore(self) -> None:
        self.semaphore.acquire(timeout=SHORT)

    def do_timed_event(self) -> None:
        self.event.wait(SHORT)

    def do_timed_condition(self) -> None:
        with self.condition:
            self.condition.wait(SHORT)
            self.condition.wait_for(lambda: False, SHORT)

    def do_timed_barrier(self) -> None:
        try:
            self.barrier.wait(SHORT)
        except self.target.BrokenBarrierError:
            self.barrier.reset()

    def do_timed_join(self) -> None:
        self.sleeper.join(SHORT)

    def do_timed_queue(self) -> None:
        try:
            self.queue.get(timeout=SHORT)
        except queue.Empty:
            pass
        try:
            self.full.put(1, timeout=SHORT)
        except queue.Full:
            pass
        self.queue.put(1)
        self.queue.get()

    def do_joined(self) -> None:
        thread = self.target.Thread(target=nothing)
        thread.start()
        thread.join()

    def do_never_joined(self) -> None:
        self.target.Thread(target=self.bell.release).start()
        self.bell.acquire()

    def do_never_started(self) -> None:
        self.target.Thread(target=nothing, args=(1,))

    def do_timer(self) -> None:
        timer = self.target.Timer(60, nothing)
        timer.start()
        timer.cancel()
        timer.join()

    def do_local(self) -> None:
        local = self.target.local()
        local.value = [local]

        def use() -> None:
            local.value = self.common.value = [1]
            self.bell.release()

        _thread.start_new_thread(use, ())
        self.bell.acquire()

    def do_current_thread(self) -> None:
        def ask() -> None:
            self.target.current_thread()
            self.bell.release()

        _thread.start_new_thread(ask, ())
        self.bell.acquire()

    def do_pool(self) -> None:
        futures = [self.pool.submit(nothing) for _ in range(3)]
        futures[2].cancel()
        for future in futures:
            try:
                future.result()
            except concurrent.futures.CancelledError:
                pass

    def help(self) -> None:
        """Be the other thread of what needs one."""
        with self.held:
            while True:
                self.gate.acquire()
                if self.over:
                    return
                self.semaphore.release()
                self.event.set()
                with self.condition:
                    self.flag = True
                    self.condition.notify()

    def contend(self) -> None:
        while not self.over:
            for lock in (self.lock, self.rlock):
                with lock:
                    pass
            time.sleep(0)

    # What is beside the operations: other threads, and the judgement.

    def helpers(self, kind: str) -> Callable[[], None]:
        """Start what an operation needs; return what ends it."""
        self.over = False
        if kind in ("handed_over", "contended"):
            helper = self.help if kind == "handed_over" else self.contend
            return self.beside(helper)
        if kind == "timed_join":
            self.sleeper = self.target.Thread(target=self.gate.acquire)
            self.sleeper.start()
            return lambda: (self.gate.release(), self.sleeper.join())[1]  # type: ignore[func-returns-value]
        if kind == "timed_lock":
            self.held.acquire()
            return self.held.release  # type: ignore[no-any-return]
        if kind == "local":
            self.common = self.target.local()
        elif kind == "pool":
            self.pool = futures_of(self.target).ThreadPoolExecutor(2)
            return self.pool.shutdown  # type: ignore[no-any-return]
        return nothing

    def beside(self, work: Callable[[], None]) -> Callable[[], None]:
        """Run it in another thread; return what ends that."""
        ended = _thread.allocate_lock()
        ended.acquire()

        def live() -> None:
            work()
            ended.release()

        def end() -> None:
            self.over = True
            if self.gate.locked():
                self.gate.release()
            ended.acquire()
            self.gate.acquire(False)

        _thread.start_new_thread(live, ())
        return end

    def repeat(self, me: Actor, operation: Callable[[], None], times: int) -> None:
        for _ in range(times):
            operation()
        me.ops += times

    def last(self, me: Actor, operation: Callable[[], None], seconds: float) -> float:
        """Repeat it for so long; return how often a second that was."""
        done = 0
        begin = now = time.monotonic()
        while now < begin + seconds:
            for _ in range(10):
                operation()
            done += 10
            me.ops += 10
            now = time.monotonic()
        return done / (now - begin)

    @actor(main=True)
    def main(self, me: Actor) -> None:
        for kind in self.kinds if self.has_nemeses else ():
            end = self.helpers(kind)
            self.last(me, getattr(self, f"do_{kind}"), DISTURBED / len(self.kinds))
            end()
        for kind in self.kinds:
            end = self.helpers(kind)
            self.windows(me, kind)
            end()

    def windows(self, me: Actor, kind: str) -> None:
        """Look for steps in each of some windows; end as soon as there are none."""
        operation = getattr(self, f"do_{kind}")
        measure = Measure()
        rate = self.last(me, operation, 0.05)
        times = int(max(100, min(ENOUGH, rate * LONGEST), min(MOST, rate * 0.05)))
        kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
        measure.begin()
        self.repeat(me, operation, times)
        measure.begin()
        for k in range(WINDOWS):
            self.repeat(me, operation, times)
            measure.step(times)
            if not measure.growing(k + 1):
                me.did("windows")
                return
            if k == WINDOWS // 3:
                me.saw("suspected")
        new = Counter(type(thing).__name__ for thing in gc.get_objects()) - kinds
        raise OracleFailure(
            "leak",
            f"1000 times {kind} leave {measure.slopes(times * WINDOWS)}, again and again in "
            f"{WINDOWS} windows of {times}; most of the new objects: {dict(new.most_common(3))}",
        )


def nothing() -> None:
    """Do nothing."""
