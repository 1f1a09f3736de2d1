"""Threads that are made once and run many measurements, each started at one moment.

A fresh thread pays for its start and for warming the interpreter's caches; a team pays once.
Between measurements its threads sleep in `queue.SimpleQueue`, which no implementation under
test can replace.
"""

import functools
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from perf import native

# A flag that its own thread made, so that reading it touches no memory of other threads.
Running = list[bool]
Job = Callable[[Running], Any]

ARRIVE_SECONDS = 30.0


class Team:
    """`size` daemon threads. Used by one thread at a time: start, then stop or not, then finish."""

    def __init__(self, size: int, pin: bool = False) -> None:
        """Make the threads; with `pin`, bind each to one usable CPU, in turn (Linux)."""
        self.size = size
        self._gate = native.Gate(size)
        self._jobs: list[queue.SimpleQueue[Job | None]] = [queue.SimpleQueue() for _ in range(size)]
        self._results: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = (
            queue.SimpleQueue()
        )
        self._running: list[Running] = [[] for _ in range(size)]
        for index in range(size):
            body = functools.partial(self._work, index, pin)
            threading.Thread(target=body, name=f"team-{index}", daemon=True).start()
        self._collect(ARRIVE_SECONDS)

    def _work(self, index: int, pin: bool) -> None:
        if pin and hasattr(os, "sched_setaffinity"):
            cpus = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {cpus[index % len(cpus)]})
        running: Running = [False]
        self._running[index] = running
        self._results.put((index, None, None))
        while (job := self._jobs[index].get()) is not None:
            if not self._gate.wait():
                return
            try:
                self._results.put((index, job(running), None))
            except BaseException as error:
                self._results.put((index, None, error))

    def start(self, jobs: Sequence[Job]) -> None:
        """Give thread i job i and let all go at one moment. Raises TimeoutError."""
        for running in self._running:
            running[0] = True
        for inbox, job in zip(self._jobs, jobs, strict=True):
            inbox.put(job)
        self._gate.open(ARRIVE_SECONDS)

    def stop(self) -> None:
        """Ask the jobs to end: their `running[0]` becomes false."""
        for running in self._running:
            running[0] = False

    def finish(self, timeout: float) -> list[Any]:
        """Return the jobs' results in order, or raise a job's exception, or TimeoutError."""
        return self._collect(timeout)

    def _collect(self, timeout: float) -> list[Any]:
        results: list[Any] = [None] * self.size
        deadline = time.monotonic() + timeout
        for got in range(self.size):
            try:
                left = max(0.0, deadline - time.monotonic())
                index, result, error = self._results.get(timeout=left)
            except queue.Empty:
                raise TimeoutError(
                    f"{self.size - got} of {self.size} threads did not end in {timeout:g} s"
                ) from None
            if error is not None:
                raise error
            results[index] = result
        return results

    def close(self) -> None:
        """Send the threads home; does not wait for them."""
        self.stop()
        self._gate.close()
        for inbox in self._jobs:
            inbox.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
