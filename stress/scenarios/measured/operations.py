"""The operations of which scenarios measure what each leaves behind."""

from __future__ import annotations

import _thread
import concurrent.futures
import queue
from typing import Any

from ...api.scenario import Scenario
from ...targets.inspection import queues_of

SHORT = 0.00002


class Operations(Scenario):
    """Shared: each do_... is an operation, or a few, on what setup() makes.

    `gate`, `bell` and `flag` are for the other thread of those that need one; `sleeper` and
    `common`, a thread and a local, are made by whoever uses what needs them.
    """

    sleeper: Any
    common: Any

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


def nothing() -> None:
    """Do nothing."""
