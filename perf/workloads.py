"""What perf/contended.py lets many threads do with primitives, and how it is checked.

   lock, rlock, condition, semaphores   enter it, run the section, leave it. Only the primitive
                                        protects the section's counter
   event      wait() on an event that is set all the time, then a section of the thread's own
   barrier    all meet at it; between two meetings each runs a section of its own

A section of the thread's own excludes nobody, so with an event or a barrier more CPUs do more.

Three shapes tell contention for the lock from contention for its reference count:

   shared      all use one
   private     each has one of its own, that no other thread touches
   container   each has one of its own, and finds it in a list that all share
"""

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf import native
from perf.command import Broken
from perf.implementations import Implementation
from perf.team import Job, Running

Result = tuple[int, float, float]  # operations of one thread, and when it began and ended
Check = Callable[[Sequence[int]], None]  # of the threads' counts; raises Broken
BATCH_NS = 10_000  # how long a thread may work between two looks at its flag
SHARED, PRIVATE, CONTAINER = SHAPES = ("shared", "private", "container")


def batch_of(section_ns: int) -> int:
    return max(1, min(50, BATCH_NS // (section_ns + 200)))


def spread(make: Callable[[], Any], threads: int, shape: str) -> list[Any]:
    """Return each thread's primitive: one for all, or one for each."""
    return [make()] * threads if shape == SHARED else [make() for _ in range(threads)]


def hold(running: Running, lock: Any, section: native.Section, batch: int) -> Result:
    """Enter the lock until told to stop."""
    work = section.run
    count = 0
    begin = time.perf_counter()
    while running[0]:
        for _ in itertools.repeat(None, batch):
            with lock:
                work()
        count += batch
    return count, begin, time.perf_counter()


def hold_item(
    running: Running, locks: list[Any], index: int, section: native.Section, batch: int
) -> Result:
    """Look the lock up and enter it until told to stop."""
    work = section.run
    count = 0
    begin = time.perf_counter()
    while running[0]:
        for _ in itertools.repeat(None, batch):
            with locks[index]:
                work()
        count += batch
    return count, begin, time.perf_counter()


def exclusive(
    type: str,
    side: Implementation,
    section_ns: int,
    threads: int,
    shape: str,
) -> tuple[list[Job], Check]:
    locks = spread(lambda: side.make(type), threads, shape)
    sections = spread(lambda: native.Section(section_ns), threads, shape)
    batch = batch_of(section_ns)

    def check(counts: Sequence[int]) -> None:
        counted = sum(section.count for section in dict.fromkeys(sections))
        if sum(counts) != counted:
            raise Broken(f"counter totals: {sum(counts)} operations, but {counted} counted")

    if shape == CONTAINER:
        return [
            functools.partial(hold_item, locks=locks, index=index, section=section, batch=batch)
            for index, section in enumerate(sections)
        ], check
    return [
        functools.partial(hold, lock=lock, section=section, batch=batch)
        for lock, section in zip(locks, sections, strict=True)
    ], check


def pass_by(running: Running, event: Any, section: native.Section, batch: int) -> Result:
    """Wait for the set event until told to stop; count the waits that said it was set."""
    work = section.run
    count = 0
    begin = time.perf_counter()
    while running[0]:
        for _ in itertools.repeat(None, batch):
            if event.wait():
                count += 1
            work()
    return count, begin, time.perf_counter()


def pass_item(
    running: Running, events: list[Any], index: int, section: native.Section, batch: int
) -> Result:
    """Look the set event up and wait for it until told to stop."""
    work = section.run
    count = 0
    begin = time.perf_counter()
    while running[0]:
        for _ in itertools.repeat(None, batch):
            if events[index].wait():
                count += 1
            work()
    return count, begin, time.perf_counter()


def event(
    side: Implementation, section_ns: int, threads: int, shape: str
) -> tuple[list[Job], Check]:
    events = spread(lambda: side.make("Event"), threads, shape)
    for each in events:
        each.set()
    sections = [native.Section(section_ns) for _ in range(threads)]
    batch = batch_of(section_ns)

    def check(counts: Sequence[int]) -> None:
        if list(counts) != [section.count for section in sections]:
            raise Broken("counter totals: wait() of a set event returned false")

    if shape == CONTAINER:
        return [
            functools.partial(pass_item, events=events, index=index, section=section, batch=batch)
            for index, section in enumerate(sections)
        ], check
    return [
        functools.partial(pass_by, event=each, section=section, batch=batch)
        for each, section in zip(events, sections, strict=True)
    ], check


def meet(
    running: Running,
    barrier: Any,
    section: native.Section,
    going: list[bool],
    leads: bool,
    indexes: list[int],
) -> Result:
    """Meet the others until the leader is told to stop.

    All must leave after the same round. The leader says so before it comes to the barrier, by
    turns in two places: nobody can still be reading the place that it writes, since all have
    come to the barrier of the round between.
    """
    work = section.run
    count = turn = total = 0
    begin = time.perf_counter()
    while True:
        if leads and not running[0]:
            going[turn] = False
        total += barrier.wait()
        if not going[turn]:
            break
        work()
        count += 1
        turn ^= 1
    end = time.perf_counter()
    indexes.append(total)
    return count, begin, end


def barrier(
    side: Implementation, section_ns: int, threads: int, _shape: str
) -> tuple[list[Job], Check]:
    shared = side.make("Barrier", threads)
    sections = [native.Section(section_ns) for _ in range(threads)]
    going = [True, True]
    indexes: list[int] = []

    def check(counts: Sequence[int]) -> None:
        if len(set(counts)) != 1:
            raise Broken(f"threads passed the barrier {min(counts)} to {max(counts)} times")
        expected = (counts[0] + 1) * threads * (threads - 1) // 2
        if sum(indexes) != expected:
            raise Broken(f"wait() returned numbers of sum {sum(indexes)}, not {expected}")

    jobs: list[Job] = [
        functools.partial(
            meet,
            barrier=shared,
            section=section,
            going=going,
            leads=number == 0,
            indexes=indexes,
        )
        for number, section in enumerate(sections)
    ]
    return jobs, check


Workload = Callable[[Implementation, int, int, str], tuple[list[Job], Check]]
WORKLOADS: dict[str, Workload] = {
    "lock": functools.partial(exclusive, "Lock"),
    "rlock": functools.partial(exclusive, "RLock"),
    "condition": functools.partial(exclusive, "Condition"),
    "semaphore": functools.partial(exclusive, "Semaphore"),
    "bounded_semaphore": functools.partial(exclusive, "BoundedSemaphore"),
    "event": event,
    "barrier": barrier,
}
OPERATIONS = {**dict.fromkeys(WORKLOADS, "with"), "event": "wait", "barrier": "wait"}
