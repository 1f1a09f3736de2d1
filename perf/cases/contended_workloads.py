"""What perf/cases/contended.py lets many threads do with primitives, and how it is checked.

   lock, rlock, condition, semaphores   enter it, run the section, leave it. Only the primitive
                                        protects the section's counter
   event      wait() on an event that is set all the time, or is_set() of one that never is, then
              a section of the thread's own
   barrier    all meet at it; between two meetings each runs a section of its own

A section of the thread's own excludes nobody, so with an event or a barrier more CPUs do more.
Where the primitives are kept is the shape: perf/instruments/shapes.py.
"""

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf import native
from perf.instruments.bench import Broken
from perf.instruments.implementations import Implementation
from perf.instruments.shapes import Home
from perf.instruments.team import Job, Running
from perf.results.case import SHARED

Result = tuple[int, float, float]  # operations of one thread, and when it began and ended
Check = Callable[[Sequence[int]], None]  # of the threads' counts; raises Broken
IS_SET = "is_set"
BATCH_NS = 10_000  # how long a thread may work between two looks at its flag


def batch_of(section_ns: int) -> int:
    return max(1, min(50, BATCH_NS // (section_ns + 200)))


def spread(make: Callable[[], Any], threads: int, shape: str) -> list[Any]:
    """Return each thread's primitive: one for all, or one for each."""
    return [make()] * threads if shape in SHARED else [make() for _ in range(threads)]


def housed(primitives: Sequence[Any], shape: str) -> tuple[Home, list[str]]:
    """Return where the threads' primitives are kept, and under which name each thread's is."""
    names = {primitive: f"its{index}" for index, primitive in enumerate(dict.fromkeys(primitives))}
    home = Home(shape, {name: primitive for primitive, name in names.items()})
    return home, [names[primitive] for primitive in primitives]


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

    home, names = housed(locks, shape)
    return [
        home.job(hold, {"lock": name}, section=section, batch=batch)
        for name, section in zip(names, sections, strict=True)
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


def poll(running: Running, event: Any, section: native.Section, batch: int) -> Result:
    """Ask the event until told to stop; count the answers that it was not set."""
    work = section.run
    count = 0
    begin = time.perf_counter()
    while running[0]:
        for _ in itertools.repeat(None, batch):
            if not event.is_set():
                count += 1
            work()
    return count, begin, time.perf_counter()


def event(
    use: Callable[..., Result],
    side: Implementation,
    section_ns: int,
    threads: int,
    shape: str,
) -> tuple[list[Job], Check]:
    events = spread(lambda: side.make("Event"), threads, shape)
    if use is pass_by:
        for each in events:
            each.set()
    sections = [native.Section(section_ns) for _ in range(threads)]
    batch = batch_of(section_ns)

    def check(counts: Sequence[int]) -> None:
        if list(counts) != [section.count for section in sections]:
            what = "wait() of a set event returned false"
            if use is poll:
                what = "is_set() of an event that is not set returned true"
            raise Broken(f"counter totals: {what}")

    home, names = housed(events, shape)
    return [
        home.job(use, {"event": name}, section=section, batch=batch)
        for name, section in zip(names, sections, strict=True)
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
    side: Implementation, section_ns: int, threads: int, shape: str
) -> tuple[list[Job], Check]:
    home = Home(shape, {"barrier": side.make("Barrier", threads)})
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
        home.job(
            meet,
            {"barrier": "barrier"},
            section=section,
            going=going,
            leads=number == 0,
            indexes=indexes,
        )
        for number, section in enumerate(sections)
    ]
    return jobs, check


Workload = Callable[[Implementation, int, int, str], tuple[list[Job], Check]]
# By primitive and operation.
WORKLOADS: dict[tuple[str, str], Workload] = {
    ("lock", "with"): functools.partial(exclusive, "Lock"),
    ("rlock", "with"): functools.partial(exclusive, "RLock"),
    ("condition", "with"): functools.partial(exclusive, "Condition"),
    ("semaphore", "with"): functools.partial(exclusive, "Semaphore"),
    ("bounded_semaphore", "with"): functools.partial(exclusive, "BoundedSemaphore"),
    ("event", "wait"): functools.partial(event, pass_by),
    ("barrier", "wait"): barrier,
    ("event", IS_SET): functools.partial(event, poll),
}
