"""Leaks: what an operation leaves behind each time, counted after thousands of them.

Where there are nemeses, a round first works for longer than they go on with it. Then it counts what
is there between windows of equally many operations: blocks of memory, objects known to the garbage
collector, bytes of the C library's heap, descriptors, threads. A leak makes the same steps in
each window; caches that fill and memory that is freed late do not.
"""

from __future__ import annotations

import _thread
import gc
import time
from collections import Counter
from collections.abc import Callable

from ...api.scenario import Actor, OracleFailure, actor
from ...targets.inspection import futures_of
from .measuring import WINDOWS, Measure
from .operations import Operations, nothing

DISTURBED = 1.3
"""Seconds after which nemeses hold still."""
ENOUGH = 1200
"""Operations in a window, so that one leak in a thousand is in nearly every one; more ..."""
MOST = 4000
"""... up to so many if they are quick; fewer if they take longer than ..."""
LONGEST = 0.2
"""... so many seconds."""
KINDS_A_ROUND = 3, 10
"""Where there are nemeses, and where none are: some four seconds each time."""


class Leaks(Operations):
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
        super().setup()
        target = self.target
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
