"""Many threads, one primitive or one each: throughput, CPU time, context switches, fairness.

One thread alone is always the fastest with a lock, because a lock makes work serial: the curves
show what contention costs, not a speed-up. What the threads do is in
perf/cases/contended_workloads.py; each window is checked there, and one whose counters disagree
is a failure.
"""

import resource
import time

from perf.analysis.rounds import jain
from perf.cases.contended_workloads import IS_SET, WORKLOADS
from perf.instruments.bench import (
    Axes,
    Bench,
    Broken,
    Family,
    Rejected,
    Sample,
    Window,
    broken,
    overlap,
    overlapping,
)
from perf.instruments.implementations import Implementation
from perf.instruments.team import Team
from perf.native import ceiling, has_ceiling
from perf.results.case import APART, ATTRIBUTE, FLOOR, NATIVE, SHARED, Case

DRAIN_SECONDS = 60.0
WARM_SECONDS = 0.05


def switches() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def window(team: Team, case: Case, side: Implementation, seconds: float) -> Window:
    """Let the team use the case's primitives for so long. Raises Broken or TimeoutError."""
    workload = WORKLOADS[case.primitive, case.operation]
    jobs, check = workload(side, case.section_ns or 0, team.size, case.shape)
    cpu, switched = time.process_time(), switches()
    team.start(jobs)
    time.sleep(seconds)
    team.stop()
    results = team.finish(DRAIN_SECONDS)
    cpu, switched = time.process_time() - cpu, switches() - switched
    counts, begins, ends = zip(*results, strict=True)
    try:
        check(counts)
    except Broken as error:
        raise broken(case, side, str(error)) from None
    took = max(ends) - min(begins)
    # On a busy machine a short window may be over before any thread runs.
    share = overlap(begins, ends) if any(counts) else 0.0
    return Window(sum(counts), took, cpu, switched, jain(counts), share)


def measure(bench: Bench, case: Case, side: Implementation) -> Sample:
    """Measure one cell in one window. Raises Broken, Rejected or TimeoutError."""
    if side.name == NATIVE:
        rate = ceiling(case.threads, bench.window)
        if not rate:
            raise Rejected("no thread ran while it was measured")
        return Sample([1 / rate])
    team = bench.team(case.threads)
    window(team, case, side, min(WARM_SECONDS, bench.window / 2))

    def attempt(seconds: float) -> tuple[float, Window]:
        found = window(team, case, side, seconds)
        return found.overlap, found

    found, rejected = overlapping(bench.window, attempt)
    operations = found.operations
    metrics = {
        "ftt_cpu": found.cpu / operations,
        "ftt_switches": found.switches / operations,
        "ftt_jain": found.fairness,
        "ftt_overlap": found.overlap,
        "ftt_rejected": float(rejected),
    }
    return Sample([found.seconds / operations], metrics)


def shapes(primitive: str, operation: str, threads: int, section_ns: int) -> tuple[str, ...]:
    """Return where the primitive is kept: all shapes only where they tell most."""
    if operation == IS_SET:
        return () if section_ns else SHARED if threads == 2 else (ATTRIBUTE,)
    if primitive == "barrier":
        return (ATTRIBUTE,)
    if primitive == "lock" and threads == 2 and not section_ns:
        return (*SHARED, *APART)
    return (ATTRIBUTE, *APART)


def cases(axes: Axes) -> list[Case]:
    return [
        Case(primitive, operation, "contended", threads, section_ns, shape)
        for threads in axes.threads
        for primitive, operation in WORKLOADS
        for section_ns in axes.sections_ns
        for shape in shapes(primitive, operation, threads, section_ns)
    ]


def references(case: Case) -> tuple[str, ...]:
    """Return the floor where no thread needs protection, the native locks where one can tell."""
    if case.section_ns:
        return ()
    if case.shape in APART:
        return (FLOOR,)
    usual = case.primitive == "lock" and case.shape == ATTRIBUTE
    return (NATIVE,) if usual and has_ceiling() else ()


FAMILY = Family("contended", cases, measure, references)
