"""Results as plain data for the page: what the charts need and no more."""

import itertools
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from perf.analysis.comparison import compare
from perf.analysis.inference import steps
from perf.analysis.rounds import ENOUGH_ROUNDS
from perf.dashboard.cautions import canary_spread, cautions, cpus, gil_was_on, largest
from perf.results.case import BASE, FLOOR, KINDS, NATIVE, OWN, SECOND, Case
from perf.results.measurement import METRICS, Measurement, Result
from toolkit.address import IN_CHECKOUT, ROOT

Json = dict[str, Any]
Cases = Mapping[str, Measurement]
FORMAT = 2
FULL = 12  # of the newest results all windows are kept, of older ones a value for each round
PRIVATE = ("hostname", "python_executable", "python_config_args")  # names and folders


def short(value: float) -> float:
    """Return the number in six digits, which is more than any of them is good for."""
    return float(f"{value:.6g}")


def order(case: Case) -> tuple[Any, ...]:
    """Sort key: kinds as store.py has them, then names, then numbers by size."""
    kind = KINDS.index(case.kind) if case.kind in KINDS else len(KINDS)
    section = -1 if case.section_ns is None else case.section_ns
    return kind, case.primitive, case.operation, case.shape, section, case.threads, case.id


def sides(results: Sequence[Result]) -> list[str]:
    """Return all implementations: the base first, what bounds them last."""
    found = {impl for result in results for impl in result.measurements}
    ends = (NATIVE, FLOOR)
    middle = sorted(found - {BASE, OWN, *ends})
    wanted = [BASE, OWN, *middle, *ends]
    return [impl for impl in wanted if impl in found]


def about_case(case: Case, unit: str) -> Json:
    return {
        "id": case.id,
        "primitive": case.primitive,
        "operation": case.operation,
        "kind": case.kind,
        "threads": case.threads,
        "section": case.section_ns,
        "shape": case.shape,
        "unit": unit,
    }


def about_measurement(measurement: Measurement, full: bool) -> Json:
    """Return m by round, y their median, x medians of metrics, and in full w and r by round."""
    found: Json = {"m": [short(value) for value in measurement.medians]}
    found["y"] = short(measurement.median)
    medians = {name: measurement.metric(name) for name in METRICS}
    found["x"] = {
        name.removeprefix("ftt_"): short(value)
        for name, value in medians.items()
        if value is not None
    }
    first = measurement.rounds[0].metadata
    if loop := first.get("ftt_loop"):
        found["loop"] = loop
    if command := first.get("ftt_command"):
        found["command"] = command
    if full:
        found["w"] = [[short(value) for value in each.values] for each in measurement.rounds]
        found["r"] = [
            {"round": each.number}
            | {name.removeprefix("ftt_"): short(value) for name, value in each.metrics.items()}
            for each in measurement.rounds
        ]
    return found


def lasting(result: Result) -> bool:
    """Tell whether the result belongs in a history: the smoke tier's windows are too short."""
    return result.metadata.get("ftt_tier") != "smoke"


def key(result: Result) -> str:
    """Return the name that addresses on the page have for a result."""
    return f"{result.machine}/{result.tag}/{result.path.name}"


def about_result(result: Result, index: Mapping[str, int], full: bool, subject: str) -> Json:
    load, spread = largest(result, "load_avg_1min"), canary_spread(result)
    return {
        "key": key(result),
        "machine": result.machine,
        "tag": result.tag,
        "commit": result.commit,
        "dirty": result.dirty,
        "subject": subject,
        "when": result.when.strftime("%Y-%m-%d %H:%M UTC"),
        "cpus": cpus(result),
        "load": None if load is None else short(load),
        "canary": None if spread is None else short(spread),
        "gil": gil_was_on(result),
        "lasting": lasting(result),
        "cautions": cautions(result),
        "metadata": {
            name: value
            for name, value in sorted(result.metadata.items())
            if name not in PRIVATE and value != ""
        },
        "impls": {
            impl: {str(index[id]): about_measurement(each, full) for id, each in cases.items()}
            for impl, cases in result.measurements.items()
        },
    }


def subjects() -> dict[str, str]:
    """Return the subject of each commit of this checkout by its first 12 digits."""
    if not IN_CHECKOUT:
        return {}
    done = subprocess.run(
        ["git", "-C", str(ROOT), "log", "--all", "--format=%H %s"],
        check=False,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return {line[:12]: line.partition(" ")[2] for line in lines}


def stepping(results: Sequence[Result], index: Mapping[str, int]) -> list[Json]:
    """Return where a case's level changed, on lines of one machine, interpreter and side each."""
    lines: dict[tuple[str, str, str, str], list[tuple[Result, float]]] = {}
    for result in filter(lasting, results):
        for side, cases in result.measurements.items():
            for id, measurement in cases.items():
                line = lines.setdefault((result.machine, result.tag, side, id), [])
                line.append((result, measurement.median))
    return [
        {
            "key": key(line[step.index][0]),
            "side": side,
            "case": index[id],
            "ratio": short(step.before / step.after),
        }
        for (_, _, side, id), line in lines.items()
        for step in steps([value for _, value in line])
    ]


def cells(base: Cases, own: Cases, index: Mapping[str, int]) -> Json:
    """Compare what both have: for each case its ratio, both bounds, rounds, and the verdict."""
    found: Json = {}
    for id in filter(own.__contains__, base):
        exact = base[id].unit != SECOND
        one = compare(base[id].medians, own[id].medians, exact=exact)
        bounds = (one.interval.estimate, one.interval.low, one.interval.high)
        found[str(index[id])] = [*map(short, bounds), one.rounds, one.verdict.name.lower()]
    return found


def comparisons(results: Sequence[Result], index: Mapping[str, int]) -> list[Json]:
    """Compare all that the page can show side by side, so that it computes no statistics itself.

    In each result every implementation with the base; of the results of one machine and
    interpreter each one with the one before it, and the newest with all.
    """
    wanted = [
        (result, BASE, result, side)
        for result in results
        if BASE in result.measurements
        for side in result.measurements
        if side != BASE
    ]
    lines: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        lines.setdefault((result.machine, result.tag), []).append(result)
    for line in lines.values():
        near = [*itertools.pairwise(line[:-1]), *((one, line[-1]) for one in line[:-1])]
        wanted += [
            (before, side, after, side)
            for before, after in near
            for side in before.measurements.keys() & after.measurements.keys()
            if side not in (BASE, NATIVE, FLOOR)
        ]
    return [
        {
            "base": [key(before), side],
            "own": [key(after), other],
            "cells": cells(before.measurements[side], after.measurements[other], index),
        }
        for before, side, after, other in wanted
    ]


def build(results: Sequence[Result], left_out: int = 0) -> Json:
    """Return the page's data of results that are sorted by time; `left_out` were older still."""
    cases: dict[str, Case] = {}
    units: dict[str, str] = {}
    for result in results:
        for found in result.measurements.values():
            for id, measurement in found.items():
                cases[id] = measurement.case
                units[id] = measurement.unit
    ordered = sorted(cases.values(), key=order)
    index = {case.id: number for number, case in enumerate(ordered)}
    said = subjects()
    return {
        "format": FORMAT,
        "base": BASE,
        "enough_rounds": ENOUGH_ROUNDS,
        "left_out": left_out,
        "sides": sides(results),
        "cases": [about_case(case, units[case.id]) for case in ordered],
        "steps": stepping(results, index),
        "comparisons": comparisons(results, index),
        "results": [
            about_result(result, index, place < FULL, said.get(result.commit, ""))
            for place, result in enumerate(reversed(results))
        ],
    }
