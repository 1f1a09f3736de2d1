"""Results on disk: pyperf's own JSON, so that `pyperf show`, `hist` and `compare_to` read it.

A result is a folder `<root>/<machine>/<tag>/<time>-<commit>[-dirty]` with one pyperf suite for each
implementation. A case has the same name in all of them. Lower values are better everywhere.
"""

import dataclasses
import datetime
import os
import pathlib
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyperf

from perf.instruments.shapes import LOCAL
from perf.results.provenance import ROOT

RESULTS = ROOT / ".perf" / "results"
FORMAT = 1
SUFFIX = ".json.gz"
SECOND, BYTE, INTEGER = "second", "byte", "integer"
KINDS = (
    "uncontended",
    "contended",
    "handoff",
    "latency",
    "thread",
    "queue",
    "program",
    "memory",
    "instructions",
)
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
NAME = re.compile(r"(\d{8}T\d{6})-([0-9a-f]{12})(-dirty)?")

Plain = str | int | float


class BadResult(Exception):
    """A folder holds no result, or one of another format; the message says which and why."""


def section_name(ns: int) -> str:
    """Write a critical section's length as case names have it: 0, 50ns, 10us, 2ms."""
    for unit, size in (("ms", 1_000_000), ("us", 1_000)):
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{ns}ns" if ns else "0"


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured. Without a section the statement is all that is done.

    threads: 0 where the number is not the case's to choose.
    """

    primitive: str
    operation: str
    kind: str
    threads: int = 1
    section_ns: int | None = None
    shape: str = ""  # of perf/instruments/shapes.py, or "" where there is no such choice

    @property
    def id(self) -> str:
        """The name in pyperf's files, such as "lock.with T4 S1us shared"."""
        parts = [f"{self.primitive}.{self.operation}"]
        if self.threads:
            parts.append(f"T{self.threads}")
        if self.section_ns is not None:
            parts.append(f"S{section_name(self.section_ns)}")
        return " ".join([*parts, self.shape] if self.shape else parts)

    @property
    def title(self) -> str:
        """The name in tables, which says what nobody should take for the usual."""
        return f"{self.id} (best case)" if self.shape == LOCAL else self.id

    def metadata(self) -> dict[str, Plain]:
        """Return the parts under the names that they have in pyperf's files."""
        found: dict[str, Plain] = {
            "ftt_case": self.id,
            "ftt_primitive": self.primitive,
            "ftt_operation": self.operation,
            "ftt_kind": self.kind,
            "ftt_threads": self.threads,
        }
        if self.section_ns is not None:
            found["ftt_section_ns"] = self.section_ns
        if self.shape:
            found["ftt_shape"] = self.shape
        return found

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "Case":
        """Make a case of its metadata. Raises KeyError."""
        section = metadata.get("ftt_section_ns")
        return cls(
            metadata["ftt_primitive"],
            metadata["ftt_operation"],
            metadata["ftt_kind"],
            int(metadata["ftt_threads"]),
            None if section is None else int(section),
            metadata.get("ftt_shape", ""),
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


def new_folder(
    root: pathlib.Path, machine: str, tag: str, commit: str, dirty: bool
) -> pathlib.Path:
    """Return where a result of now belongs; nothing is made."""
    when = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    return root / machine / tag / f"{when}-{commit}{'-dirty' if dirty else ''}"


def _benchmark(measurement: Measurement) -> Any:
    fixed: dict[str, Plain] = {
        "name": measurement.case.id,
        "unit": measurement.unit,
        "ftt_impl": measurement.impl,
        "ftt_format": FORMAT,
        **measurement.case.metadata(),
    }
    runs = [
        pyperf.Run(
            each.values,
            metadata={**each.metadata, **fixed, **each.metrics, "ftt_round": each.number},
            collect_metadata=False,
        )
        for each in measurement.rounds
    ]
    return pyperf.Benchmark(runs)


def write(path: pathlib.Path, measurements: Iterable[Measurement]) -> None:
    """Write all measurements of a result into its folder, in place of what was there.

    Each file is replaced at once, so that a reader or an interrupted writer never has half of one.
    Raises OSError.
    """
    by_impl: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        by_impl.setdefault(measurement.impl, []).append(measurement)
    path.mkdir(parents=True, exist_ok=True)
    for impl, found in by_impl.items():
        suite = pyperf.BenchmarkSuite([_benchmark(each) for each in found])
        part = path / f"{impl}.{os.getpid()}.part{SUFFIX}"
        try:
            suite.dump(str(part), replace=True)
            part.replace(path / f"{impl}{SUFFIX}")
        finally:
            part.unlink(missing_ok=True)


def _plain(metadata: Mapping[str, Any]) -> dict[str, Plain]:
    return {name: getattr(value, "value", value) for name, value in metadata.items()}


def _measurement(benchmark: Any) -> Measurement:
    metadata = _plain(benchmark.get_metadata())
    if metadata.get("ftt_format") != FORMAT:
        raise BadResult(
            f"{benchmark.get_name()}: format {metadata.get('ftt_format')}, not {FORMAT}"
        )
    rounds = []
    for run in benchmark.get_runs():
        own = _plain(run.get_metadata())
        metrics = {name: float(own.pop(name)) for name in METRICS if name in own}
        rounds.append(Round(int(own.pop("ftt_round")), run.values, metrics, own))
    rounds.sort(key=lambda each: each.number)
    impl = str(metadata["ftt_impl"])
    return Measurement(Case.of(metadata), impl, tuple(rounds), str(metadata.get("unit", SECOND)))


def _common(measurements: Measurements) -> dict[str, Plain]:
    every = [
        each.metadata
        for cases in measurements.values()
        for measurement in cases.values()
        for each in measurement.rounds
    ]
    first = dict(every[0]) if every else {}
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in every)
    }


def read(path: str | pathlib.Path) -> Result:
    """Read a result folder. Raises BadResult."""
    path = pathlib.Path(path).resolve()
    files = [file for file in sorted(path.glob(f"*{SUFFIX}")) if ".part." not in file.name]
    if not files:
        raise BadResult(f"{path}: no result: no file *{SUFFIX} in it")
    measurements: Measurements = {}
    for file in files:
        try:
            found = [_measurement(each) for each in pyperf.BenchmarkSuite.load(str(file))]
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadResult) as error:
            raise BadResult(f"{file}: {type(error).__name__}: {error}") from error
        for each in found:
            measurements.setdefault(each.impl, {})[each.case.id] = each
    metadata = _common(measurements)
    match = NAME.fullmatch(path.name)
    if match is None:
        raise BadResult(f"{path}: a result is named <time>-<commit>[-dirty]")
    when = datetime.datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=datetime.UTC)
    machine, tag = path.parent.parent.name, path.parent.name
    return Result(path, machine, tag, match[2], bool(match[3]), when, metadata, measurements)


def find(
    root: pathlib.Path = RESULTS, machine: str = "", tag: str = "", commit: str = ""
) -> list[pathlib.Path]:
    """Return the folders of all results below `root`, oldest first, of those wanted."""
    found = [
        folder
        for folder in root.glob(f"{machine or '*'}/{tag or '*'}/*")
        if (match := NAME.fullmatch(folder.name))
        and match[2].startswith(commit)
        and any(folder.glob(f"*{SUFFIX}"))
    ]
    return sorted(found, key=lambda folder: (folder.name, folder))


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
