"""All cases, and which of them a tier takes."""

import dataclasses
import fnmatch
from collections.abc import Sequence

from perf.cases import contended, handoff, latency, memory, programs, threads, uncontended
from perf.cases.contended_workloads import IS_SET
from perf.instruments.bench import Axes, Family
from perf.results.case import APART, ATTRIBUTE, LOCAL, Case

ONCE = (LOCAL, *APART)  # shapes that the gate has of one cell

# In the order in which a worker measures them: tracemalloc comes last.
FAMILIES: tuple[Family, ...] = (
    uncontended.FAMILY,
    threads.FAMILY,
    handoff.FAMILY,
    contended.FAMILY,
    latency.FAMILY,
    memory.FAMILY,
)
BY_KIND = {family.kind: family for family in FAMILIES}


@dataclasses.dataclass(frozen=True)
class Tier:
    """How long and how often is measured. Seconds; scale is the programs' amount of work."""

    name: str
    window: float
    short: float
    rounds: int
    scale: float


TIERS = {
    tier.name: tier
    for tier in (
        Tier("smoke", window=0.03, short=0.002, rounds=1, scale=0.01),
        Tier("gate", window=0.5, short=0.02, rounds=5, scale=0.2),
        Tier("full", window=0.5, short=0.05, rounds=5, scale=1.0),
    )
}


def every(axes: Axes) -> list[Case]:
    """Return all cases of a machine, in the order in which they are measured."""
    return [case for family in FAMILIES for case in family.cases(axes)] + programs.cases()


def _in_gate(case: Case, axes: Axes) -> bool:
    if case.kind == "latency":
        return case.threads == 2 and case.primitive in ("lock", "rlock")
    if case.kind == "handoff":
        usual = case.shape == ATTRIBUTE or (case.shape == LOCAL and case.primitive == "lock")
        return usual and case.section_ns is None
    if case.kind != "contended":
        return True
    crowd = max(axes.threads)
    cell = (case.threads, case.section_ns)
    if case.primitive == "lock":
        wanted = {(2, 0), (2, 1_000), (2, 100_000), (crowd, 0), (crowd, 10_000)}
        return cell in wanted if case.shape == ATTRIBUTE else case.shape in ONCE and cell == (2, 0)
    if case.operation == IS_SET:
        return case.shape in (ATTRIBUTE, LOCAL) and cell == (2, 0)
    if case.primitive == "rlock":
        return case.shape == ATTRIBUTE and cell in {(2, 0), (2, 10_000), (crowd, 1_000)}
    return case.shape == ATTRIBUTE and cell == (2, 1_000)


def _in_smoke(case: Case, axes: Axes) -> bool:
    if case.kind == "latency":
        return case.threads == 2 and case.primitive == "lock"
    if case.kind == "handoff":
        return case.threads <= 2 and (case.shape == ATTRIBUTE or case.primitive == "lock")
    if case.kind == "program":
        return case.operation == "executor"
    if case.kind == "queue":
        return case.operation == "pair"
    if case.kind != "contended":
        return True
    if case.primitive == "lock" and case.section_ns == 100_000:
        return case.threads <= 2
    return case.section_ns == 0 and case.threads == 2


def of_tier(tier: str, axes: Axes) -> list[Case]:
    """Return the cases of a tier."""
    wanted = {"smoke": _in_smoke, "gate": _in_gate}.get(tier, lambda _case, _axes: True)
    return [case for case in every(axes) if wanted(case, axes)]


def named(patterns: Sequence[str], cases: Sequence[Case]) -> list[Case]:
    """Return the cases that a pattern names: by `*`, by a part of the name, or by the kind.

    Raises LookupError for a pattern that names none.
    """
    found: set[str] = set()
    for pattern in patterns:
        hit = {case.id for case in cases if matches(case, pattern)}
        if not hit:
            raise LookupError(pattern)
        found |= hit
    return [case for case in cases if case.id in found]


def matches(case: Case, pattern: str) -> bool:
    """Say whether the pattern names the case; a whole name means that case only."""
    if any(letter in pattern for letter in "*?["):
        return fnmatch.fnmatchcase(case.id, pattern)
    return pattern in (case.kind, case.primitive, case.id) or (
        " " not in pattern and case.id.startswith(f"{pattern} ")
    )


def references(case: Case) -> tuple[str, ...]:
    """Return the names of what bounds a case: floor, native, or nothing."""
    return BY_KIND[case.kind].references(case) if case.kind in BY_KIND else ()
