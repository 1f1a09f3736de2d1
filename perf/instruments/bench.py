"""What a worker process measures with: windows, teams of threads, and when a sample counts."""

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence

from perf import native
from perf.instruments.implementations import Implementation
from perf.instruments.team import Team
from perf.results.case import SECOND, Case, Plain

ENOUGH_OVERLAP = 0.9
TRIES = 5
LONGEST_WINDOW = 2.0
CANARY_STEPS = 1_000_000
SECTIONS_NS = (0, 50, 1_000, 10_000, 100_000, 2_000_000)


class Broken(Exception):
    """A primitive did what it must never do; no time is worth reporting then."""


class Rejected(Exception):
    """No sample was fit to be used: the threads did not run at the same time."""


@dataclasses.dataclass(frozen=True)
class Axes:
    """The numbers of threads and the lengths of critical sections that cases are made for."""

    threads: tuple[int, ...]
    sections_ns: tuple[int, ...] = SECTIONS_NS

    @classmethod
    def of(cls, cpus: int) -> "Axes":
        """Return all for a machine: up to twice its usable CPUs, once and twice always."""
        powers = {count for count in (1, 2, 4, 8, 16, 32, 64) if count <= 2 * cpus}
        return cls(tuple(sorted(powers | {cpus, 2 * cpus})))


@dataclasses.dataclass(frozen=True)
class Window:
    """One stretch of time. Seconds; `cpu` is of all threads together, the section included."""

    operations: int
    seconds: float
    cpu: float
    switches: int
    fairness: float
    overlap: float  # the share of the time in which all threads were in their loops


@dataclasses.dataclass(frozen=True)
class Sample:
    """What a worker found: values in the case's unit, METRICS of store.py, other metadata."""

    values: Sequence[float]
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    notes: Mapping[str, Plain] = dataclasses.field(default_factory=dict)
    unit: str = SECOND


class Bench:
    """Settings, and teams that are made once and used again. One thread uses it at a time."""

    def __init__(self, window: float, short: float, pin: bool = True) -> None:
        """Take the seconds that a window lasts where threads contend, and where one is alone."""
        self.window = window
        self.short = short
        self._pin = pin
        self._teams: dict[int, Team] = {}

    def team(self, size: int) -> Team:
        """Return the team of so many threads. Raises TimeoutError."""
        if size not in self._teams:
            self._teams[size] = Team(size, self._pin)
        return self._teams[size]

    def close(self) -> None:
        """Send all threads home."""
        for team in self._teams.values():
            team.close()


def overlap(begins: Sequence[float], ends: Sequence[float]) -> float:
    """Return the share of the time, from first begin to last end, in which all were running."""
    whole = max(ends) - min(begins)
    return max(0.0, min(ends) - max(begins)) / whole if whole > 0 else 0.0


def overlapping[T](seconds: float, attempt: Callable[[float], tuple[float, T]]) -> tuple[T, int]:
    """Return the first attempt in which the threads overlapped, and how many were rejected.

    `attempt` gets the seconds that it should last, and returns its overlap with its result. Each
    attempt lasts longer than the last, for to start threads takes the same time in a longer one.
    Raises Rejected.
    """
    best = 0.0
    for rejected in range(TRIES):
        share, found = attempt(seconds)
        if share >= ENOUGH_OVERLAP:
            return found, rejected
        best = max(best, share)
        seconds = max(seconds, min(2 * seconds, LONGEST_WINDOW))
    raise Rejected(f"{TRIES} windows rejected: threads overlapped for {best:.0%} at best")


def canary() -> float:
    """Return the seconds that a fixed piece of work in C takes here and now."""
    return statistics.median(native.canary(CANARY_STEPS) for _ in range(3))


@dataclasses.dataclass(frozen=True)
class Family:
    """Cases that are measured in one way.

    references: the names of what bounds a case, measured beside the implementations.
    """

    kind: str
    cases: Callable[[Axes], list[Case]]
    measure: Callable[[Bench, Case, Implementation], Sample]
    references: Callable[[Case], tuple[str, ...]] = lambda _case: ()


def broken(case: Case, side: Implementation, what: str) -> Broken:
    """Make the error that says what a primitive did wrong, and where."""
    return Broken(f"{side.name}, {case.id}: {what}")
