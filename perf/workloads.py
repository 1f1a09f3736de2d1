"""What perf/contended.py lets many threads do with one primitive, and how it is checked.

   Lock, RLock, Condition, Semaphore(1)   enter it, run the section, leave it. Only the primitive
                                          protects the section's counter
   Event      wait() on an event that is set all the time, then a section of the thread's own
   Barrier    all meet at it; between two meetings each runs a section of its own

A section of the thread's own excludes nobody, so with an Event or a Barrier more CPUs do more.
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


def batch_of(section_ns: int) -> int:
    return max(1, min(50, BATCH_NS // (section_ns + 200)))


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


def exclusive(
    primitive: str, arguments: tuple[Any, ...], side: Implementation, section_ns: int, threads: int
) -> tuple[list[Job], Check]:
    lock = side.make(primitive, *arguments)
    section = native.Section(section_ns)
    batch = batch_of(section_ns)

    def check(counts: Sequence[int]) -> None:
        if sum(counts) != section.count:
            raise Broken(f"{sum(counts)} operations, but {section.count} counted")

    return [functools.partial(hold, lock=lock, section=section, batch=batch)] * threads, check


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


def event(side: Implementation, section_ns: int, threads: int) -> tuple[list[Job], Check]:
    shared = side.make("Event")
    shared.set()
    sections = [native.Section(section_ns) for _ in range(threads)]
    batch = batch_of(section_ns)

    def check(counts: Sequence[int]) -> None:
        if list(counts) != [section.count for section in sections]:
            raise Broken("wait() of a set event returned false")

    jobs: list[Job] = [
        functools.partial(pass_by, event=shared, section=section, batch=batch)
        for section in sections
    ]
    return jobs, check


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


def barrier(side: Implementation, section_ns: int, threads: int) -> tuple[list[Job], Check]:
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


WORKLOADS: dict[str, Callable[[Implementation, int, int], tuple[list[Job], Check]]] = {
    "Lock": functools.partial(exclusive, "Lock", ()),
    "RLock": functools.partial(exclusive, "RLock", ()),
    "Condition": functools.partial(exclusive, "Condition", ()),
    "Semaphore": functools.partial(exclusive, "Semaphore", (1,)),
    "Event": event,
    "Barrier": barrier,
}
