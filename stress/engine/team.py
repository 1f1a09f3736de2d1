"""The referee's threads: they live as long as a batch, and run a round's actors all at once.

Only `_thread.lock` orders them. Thread k belongs to gate k and bell k: the main thread opens the
gates one after the other, and each thread then spins until the last is there, if there are
processors enough; or else their order is the scheduler's.
"""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Callable

SPINS = 3000


class ActorThreads:
    """A fixed number of threads that run functions together."""

    def __init__(self, size: int, named: Callable[[int], None]) -> None:
        """Start `size` threads; each first calls `named(its native id)`."""
        self._gates = [_thread.allocate_lock() for _ in range(size)]
        self._bells = [_thread.allocate_lock() for _ in range(size)]
        self._tasks: list[Callable[[], None]] = [_nothing] * size
        self._there = [False] * size
        self._spins = SPINS if size <= len(os.sched_getaffinity(0)) else 0
        self._go = False
        self._over = False
        self.idents: list[int] = []
        for lock in (*self._gates, *self._bells):
            lock.acquire()
        for k in range(size):
            _thread.start_new_thread(self._live, (k, named))
        deadline = time.monotonic() + 30
        while len(self.idents) < size:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{size} threads could not be started within 30 seconds")
            time.sleep(0.0005)

    def _live(self, k: int, named: Callable[[int], None]) -> None:
        named(_thread.get_native_id())
        self.idents.append(_thread.get_ident())
        while True:
            self._gates[k].acquire()
            if self._over:
                return
            self._there[k] = True
            for _ in range(self._spins):
                if self._go:
                    break
            self._tasks[k]()
            self._bells[k].release()

    def run(
        self,
        tasks: list[Callable[[], None]],
        main: Callable[[], None] | None,
        seconds: float = -1,
    ) -> bool:
        """Run the tasks, each in a thread of its own, and `main` in this one; wait for all.

        A task must not raise. Waits so many seconds for each, without a limit by default: another
        process watches. Returns whether all have ended; if not, no more can be run.
        """
        used = range(len(tasks))
        self._go = False
        for k in used:
            self._tasks[k] = tasks[k]
            self._there[k] = False
        for k in used:
            self._gates[k].release()
        for _ in range(self._spins):
            if all(self._there[k] for k in used):
                break
        self._go = True
        if main is not None:
            main()
        return all(self._bells[k].acquire(timeout=seconds) for k in used)

    def end(self) -> None:
        """Let the threads end; not while they run tasks."""
        self._over = True
        for gate in self._gates:
            gate.release()


def _nothing() -> None:
    pass
