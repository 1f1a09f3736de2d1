"""How long an acquire of a contended lock takes: not on the average, but of a hundred or thousand.

Closed loop: each thread comes again some time after it has left; a thread that is stalled does not
come, so long waits are counted too seldom. Open loop: each thread should come at times that were
fixed before, and its wait begins then. The value of a case is what is sound in its loop: the
median wait in a closed one, the 99th percentile in an open one.
"""

import functools
import time
from collections.abc import Sequence
from typing import Any

from perf import native
from perf.cases.contended import DRAIN_SECONDS, WARM_SECONDS
from perf.instruments.bench import Axes, Bench, Family, Sample, broken, overlap, overlapping
from perf.instruments.implementations import Implementation
from perf.instruments.team import Running, Team
from perf.results.case import Case

TYPES = {"lock": "Lock", "rlock": "RLock", "condition": "Condition", "semaphore": "Semaphore"}
SECTIONS_NS = (1_000, 100_000)
COST_NS = 500  # of an operation without its section, about
CLOSED, OPEN = "latency_closed", "latency_open"
LEAST = 1e-9  # pyperf knows no value of 0


def percentile(counts: Sequence[tuple[float, int]], share: float) -> float:
    """Return the seconds that `share` of all waits do not exceed, as exact as the buckets are."""
    left = share * sum(count for _, count in counts)
    for seconds, count in counts:
        left -= count
        if left <= 0:
            return max(LEAST, seconds)
    raise ValueError("nothing was counted")


def wait(
    running: Running,
    waits: native.Waits,
    lock: Any,
    section: native.Section,
    gap_ns: int,
    open: bool,
    seed: int,
) -> tuple[int, float, float]:
    """Come to the lock until told to stop."""
    begin = time.perf_counter()
    count = waits.run(lock.acquire, lock.release, section.run, running, gap_ns, open, seed)
    return count, begin, time.perf_counter()


def window(
    team: Team, case: Case, side: Implementation, seconds: float
) -> tuple[float, native.Waits]:
    """Let the team come for so long; return the overlap and all waits. Raises Broken."""
    section_ns = case.section_ns or 0
    is_open = case.operation == OPEN
    # Open: each would use the lock for a half of its share of the time, if it never had to wait.
    gap_ns = 2 * team.size * (section_ns + COST_NS) if is_open else section_ns
    lock = side.make(TYPES[case.primitive])
    section = native.Section(section_ns)
    waits = [native.Waits() for _ in range(team.size)]
    team.start(
        [
            functools.partial(
                wait,
                waits=own,
                lock=lock,
                section=section,
                gap_ns=gap_ns,
                open=is_open,
                seed=index + 1,
            )
            for index, own in enumerate(waits)
        ]
    )
    time.sleep(seconds)
    team.stop()
    counts, begins, ends = zip(*team.finish(DRAIN_SECONDS), strict=True)
    if sum(counts) != section.count:
        what = f"counter totals: {sum(counts)} operations, but {section.count} counted"
        raise broken(case, side, what)
    for other in waits[1:]:
        waits[0].add(other)
    return overlap(begins, ends) if any(counts) else 0.0, waits[0]


def measure(bench: Bench, case: Case, side: Implementation) -> Sample:
    """Measure one case in one window. Raises Broken, Rejected or TimeoutError."""
    team = bench.team(case.threads)
    window(team, case, side, min(WARM_SECONDS, bench.window / 2))
    found, rejected = overlapping(bench.window, lambda seconds: window(team, case, side, seconds))
    counts = found.counts()
    longest = max(LEAST, found.longest())  # exact, where the middle of its bucket may lie above
    middle, late, last = (min(longest, percentile(counts, s)) for s in (0.5, 0.99, 0.999))
    metrics = {
        "ftt_p50": middle,
        "ftt_p99": late,
        "ftt_p999": last,
        "ftt_max": longest,
        "ftt_rejected": float(rejected),
    }
    notes = {
        "ftt_loop": case.operation.removeprefix("latency_"),
        "ftt_waits": " ".join(f"{seconds * 1e9:.0f}:{count}" for seconds, count in counts),
    }
    return Sample([late if case.operation == OPEN else middle], metrics, notes)


def cases(axes: Axes) -> list[Case]:
    # Threads that pass the time between two waits keep a processor busy: no more than there are.
    threads = [count for count in axes.threads if 1 < count <= max(2, max(axes.threads) // 2)]
    return [
        Case(primitive, operation, "latency", count, section_ns, "shared")
        for count in threads
        for primitive in TYPES
        for section_ns in SECTIONS_NS
        for operation in (CLOSED, OPEN)
    ]


FAMILY = Family("latency", cases, measure)
