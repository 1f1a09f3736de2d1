"""Results on disk: pyperf's own JSON, so that `pyperf show`, `hist` and `compare_to` read it.

A result is a folder `<root>/<machine>/<tag>/<time>-<commit>[-dirty]` with one pyperf suite for each
implementation. A case has the same name in all of them.
"""

import datetime
import os
import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyperf

from perf.results.case import SECOND, Case, Plain
from perf.results.measurement import METRICS, Measurement, Measurements, Result, Round
from toolkit.address import KEPT

RESULTS = KEPT / ".perf" / "results"
FORMAT = 1
SUFFIX = ".json.gz"
NAME = re.compile(r"(\d{8}T\d{6})-([0-9a-f]{12})(-dirty)?")


class BadResult(Exception):
    """A folder holds no result, or one of another format; the message says which and why."""


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
