"""What a reader must know before believing a result: said beside its numbers, never left out."""

import statistics
from collections.abc import Iterator

from perf.analysis.rounds import ENOUGH_ROUNDS
from perf.results.measurement import Measurement, Result, Round

FEW_CPUS = 4
CALM_CANARY = 0.1  # of its median


def rounds(result: Result) -> Iterator[tuple[Measurement, Round]]:
    """Yield every round of a result with the measurement it belongs to."""
    for cases in result.measurements.values():
        for measurement in cases.values():
            for each in measurement.rounds:
                yield measurement, each


def metadata(result: Result, name: str) -> list[str | int | float]:
    """Return all values of one metadata field over the rounds that have it."""
    return [each.metadata[name] for _, each in rounds(result) if name in each.metadata]


def largest(result: Result, name: str) -> float | None:
    """Return the largest of one field's numbers, or None where no round has one."""
    found = [float(value) for value in metadata(result, name) if not isinstance(value, str)]
    return max(found, default=None)


def canary_spread(result: Result) -> float | None:
    """Return how far the calibration loop of the rounds differed, as a share of its median."""
    found = [
        each.metrics["ftt_canary"] for _, each in rounds(result) if "ftt_canary" in each.metrics
    ]
    if len(found) < 2:
        return None
    return (max(found) - min(found)) / statistics.median(found)


def cpus(result: Result) -> int | None:
    """Return how many CPUs the measured processes could use, or None where nobody noted it."""
    found = largest(result, "ftt_cpus") or largest(result, "cpu_count")
    return int(found) if found else None


def gil_was_on(result: Result) -> bool | None:
    """Tell whether the GIL was on before or after any round, or None where nobody noted it."""
    found = [largest(result, f"ftt_gil_{when}") for when in ("before", "after")]
    known = [value for value in found if value is not None]
    return any(known) if known else None


def _machine(result: Result) -> Iterator[str]:
    count = cpus(result)
    if count is not None and count < FEW_CPUS:
        yield (
            f"Only {count} CPUs: with more threads than that they share them, so those cells show "
            "the scheduler too, and no scaling."
        )
    if kinds := {str(kind) for kind in metadata(result, "ftt_virtualised")}:
        yield f"A virtual machine ({', '.join(sorted(kinds))}): its host's other guests take time."
    if quotas := {
        str(quota) for quota in metadata(result, "ftt_cpu_max") if not str(quota).startswith("max")
    }:
        yield f"CPU time is limited by the control group: {', '.join(sorted(quotas))}."
    if {str(value) for value in metadata(result, "ftt_smt")} == {"1"}:
        yield "Simultaneous multithreading is on: two CPUs may be one core."
    if governors := {str(value) for value in metadata(result, "ftt_governor")} - {"performance"}:
        yield f"The frequency governor is {', '.join(sorted(governors))}, not performance."
    load = largest(result, "load_avg_1min")
    if load is not None and count is not None and load > count:
        yield f"The load average reached {load:.1f} on {count} CPUs, our own threads included."
    spread = canary_spread(result)
    if spread is not None and spread > CALM_CANARY:
        yield f"A noisy machine: the same calibration loop differed by {spread:.0%} between rounds."


def _interpreter(result: Result) -> Iterator[str]:
    free = "t" in result.tag
    gil = gil_was_on(result)
    if free and gil:
        yield "The GIL was on during measurements of a free-threaded build: these numbers are void."
    elif gil:
        yield "The GIL is on in this build: threads of Python code take turns, whatever the lock."
    if result.tag.endswith(("td", "tsan")) or result.tag.endswith("d"):
        yield "An instrumented build of the interpreter: times say little about an ordinary one."


def _measuring(result: Result) -> Iterator[str]:
    if result.dirty:
        yield "Measured from a work tree with changes that the commit does not have."
    counts = [len(each.rounds) for cases in result.measurements.values() for each in cases.values()]
    if counts and min(counts) < ENOUGH_ROUNDS:
        few = "one round" if min(counts) == 1 else f"{min(counts)} rounds"
        yield f"As few as {few} a case: a difference may be chance."
    rejected = sum(each.metrics.get("ftt_rejected", 0) for _, each in rounds(result))
    if rejected:
        yield f"{rejected:.0f} windows were thrown away, for the threads did not overlap in them."


def cautions(result: Result) -> list[str]:
    """Return what spoils the result, a sentence each; the worst is not always the first."""
    return [*_interpreter(result), *_machine(result), *_measuring(result)]
