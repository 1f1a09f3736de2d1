"""Bytes that a new object of each kind takes, with all that it is made of.

tracemalloc counts what the interpreter's allocators give out: not memory that the kernel keeps for
a thread, and not what an allocator rounds up to. The number is the same in every run.
"""

import tracemalloc
from collections.abc import Callable
from typing import Any

from perf.instruments.bench import Axes, Bench, Family, Sample
from perf.instruments.implementations import Implementation
from perf.results.case import BYTE, Case

OBJECTS = 1000
MAKE: dict[str, Callable[[Implementation], Any]] = {
    "lock": lambda side: side.make("Lock"),
    "rlock": lambda side: side.make("RLock"),
    "condition": lambda side: side.make("Condition"),
    "semaphore": lambda side: side.make("Semaphore"),
    "bounded_semaphore": lambda side: side.make("BoundedSemaphore"),
    "event": lambda side: side.make("Event"),
    "barrier": lambda side: side.make("Barrier", 2),
    "local": lambda side: side.make("local"),
    "thread": lambda side: side.make("Thread"),
    "timer": lambda side: side.make("Timer", 1, int),
}


def measure(_bench: Bench, case: Case, side: Implementation) -> Sample:
    """Make many objects, and divide what they took."""
    make = MAKE[case.primitive]
    kept: list[Any] = [None] * OBJECTS
    make(side)  # what is made once, at the first use, belongs to none
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for index in range(OBJECTS):
            kept[index] = make(side)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # Names of threads and timers grow with their number; a few bytes more or less are nobody's.
    return Sample([max(1, round(taken / OBJECTS))], unit=BYTE)


def cases(_axes: Axes) -> list[Case]:
    return [Case(primitive, "bytes", "memory", threads=0) for primitive in MAKE]


FAMILY = Family("memory", cases, measure)
