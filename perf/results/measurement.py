"""What was found: rounds, measurements of a case, and results, which hold many. Less is better."""

import dataclasses
import datetime
import pathlib
import statistics
from collections.abc import Mapping, Sequence

from perf.results.case import SECOND, Case, Plain

# Of each run, beside its number; all others are the same in all runs of a case.
METRICS = (
    "ftt_cpu",
    "ftt_switches",
    "ftt_jain",
    "ftt_overlap",
    "ftt_rejected",
    "ftt_p50",
    "ftt_p99",
    "ftt_p999",
    "ftt_max",
    "ftt_canary",
)


@dataclasses.dataclass(frozen=True)
class Round:
    """What one worker process found of one case.

    values: one for each window, in the measurement's unit. metrics: METRICS, seconds or plain
    numbers; `ftt_cpu` and `ftt_switches` are for one operation. metadata: all else of this run.
    """

    number: int
    values: tuple[float, ...]
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    metadata: Mapping[str, Plain] = dataclasses.field(default_factory=dict)

    @property
    def median(self) -> float:
        """The middle one of the values."""
        return statistics.median(self.values)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One case under one implementation: at least one round, in their order."""

    case: Case
    impl: str
    rounds: tuple[Round, ...]
    unit: str = SECOND

    @property
    def values(self) -> tuple[float, ...]:
        """All windows of all rounds."""
        return tuple(value for each in self.rounds for value in each.values)

    @property
    def medians(self) -> tuple[float, ...]:
        """One value a round, which is what is independent of one another."""
        return tuple(each.median for each in self.rounds)

    @property
    def median(self) -> float:
        """The median of the rounds' medians."""
        return statistics.median(self.medians)

    def metric(self, name: str) -> float | None:
        """Return the median of a metric over the rounds that have it."""
        found = [each.metrics[name] for each in self.rounds if name in each.metrics]
        return statistics.median(found) if found else None


Measurements = dict[str, dict[str, Measurement]]  # by implementation and case


@dataclasses.dataclass(frozen=True)
class Result:
    """One result folder. `when` is UTC; `metadata` is what all its runs have in common."""

    path: pathlib.Path
    machine: str
    tag: str
    commit: str
    dirty: bool
    when: datetime.datetime
    metadata: Mapping[str, Plain]
    measurements: Measurements

    @property
    def name(self) -> str:
        """The commit as people name it, with a mark for changed files."""
        return f"{self.commit}{'-dirty' if self.dirty else ''}"


def ratio(base: Measurement, own: Measurement) -> float:
    """Return how many times as good `own` is: above 1 is better than the base."""
    return base.median / own.median


def merge(parts: Sequence[Measurement]) -> list[Measurement]:
    """Join measurements of the same case and implementation; a later round replaces an earlier."""
    found: dict[tuple[str, str], Measurement] = {}
    for part in parts:
        key = (part.impl, part.case.id)
        before = found[key].rounds if key in found else ()
        rounds = {each.number: each for each in (*before, *part.rounds)}
        ordered = tuple(rounds[number] for number in sorted(rounds))
        found[key] = dataclasses.replace(part, rounds=ordered)
    return list(found.values())
