"""Many threads, one primitive: throughput, CPU time, context switches and fairness.

One thread alone is always the fastest with a lock, because a lock makes work serial: the table
shows what contention costs, not a speed-up. What the threads do is in perf/workloads.py; each
sample is checked there, and one whose counters disagree is a failure.
"""

import argparse
import dataclasses
import itertools
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from perf import command
from perf.command import Broken
from perf.implementations import Implementation
from perf.report import Progress, duration, machine, table
from perf.rounds import ENOUGH_ROUNDS, alternate, jain, ratios
from perf.team import Team
from perf.workloads import WORKLOADS

THREADS = (1, 2, 4, 16, 64)
SECTIONS_NS = (0, 1_000, 10_000, 100_000, 2_000_000)
DRAIN_SECONDS = 60.0
WORST_CPU = 1.1  # times the base's, which is as much as noise


@dataclasses.dataclass(frozen=True)
class Sample:
    """One window. Times in seconds; `cpu` is of all threads together, the section included."""

    operations: int
    seconds: float
    cpu: float
    switches: int
    fairness: float
    overlap: float  # the share of the time in which all threads were in their loops


def switches() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def measure(
    implementation: Implementation, primitive: str, section_ns: int, window: float, team: Team
) -> Sample:
    """Let the team use one primitive for `window` seconds. Raises Broken or TimeoutError."""
    jobs, check = WORKLOADS[primitive](implementation, section_ns, team.size)
    cpu, switched = time.process_time(), switches()
    team.start(jobs)
    time.sleep(window)
    team.stop()
    results = team.finish(DRAIN_SECONDS)
    cpu, switched = time.process_time() - cpu, switches() - switched
    counts, begins, ends = zip(*results, strict=True)
    try:
        check(counts)
    except Broken as error:
        where = f"{primitive}, {team.size} threads, section {duration(section_ns / 1e9)}"
        raise Broken(f"{implementation.name}.{where}: {error}") from None
    seconds = max(ends) - min(begins)
    overlap = max(0.0, min(ends) - max(begins)) / seconds
    return Sample(sum(counts), seconds, cpu, switched, jain(counts), overlap)


Samples = dict[str, list[Sample]]


@dataclasses.dataclass(frozen=True)
class Cell:
    """One place of the matrix, with its samples by implementation, one a round."""

    primitive: str
    threads: int
    section_ns: int
    samples: Samples


def run(
    implementations: Sequence[Implementation], options: argparse.Namespace, progress: Progress
) -> list[Cell]:
    command.prepare()
    cells: list[Cell] = []
    for threads in options.threads:
        with Team(threads, options.pin) as team:
            for primitive, section_ns in itertools.product(options.primitives, options.sections):
                samples: Samples = {side.name: [] for side in implementations}
                for number, side in alternate(implementations, options.rounds):
                    where = f"{primitive}, section {duration(section_ns / 1e9)}"
                    progress.show(
                        len(cells),
                        f"{threads} threads",
                        f"{where}, round {number + 1}, {side.name}",
                    )
                    sample = measure(side, primitive, section_ns, options.window, team)
                    samples[side.name].append(sample)
                cells.append(Cell(primitive, threads, section_ns, samples))
    progress.clear()
    return cells


def worse(cell: Cell, side: str, base: str) -> list[str]:
    """Say in what `side` was worse than the base in every round of the cell."""
    first, own = cell.samples[base], cell.samples[side]
    speed = ratios(each(own, rate), each(first, rate))
    price = ratios(each(own, cpu), each(first, cpu))
    found = []
    if speed.high < 1:
        found.append(f"{speed} times the ops/s")
    if price.low > WORST_CPU:
        found.append(f"{price} times the CPU")
    place = f"{side}.{cell.primitive}, {cell.threads} threads, {duration(cell.section_ns / 1e9)}"
    return [f"{place}: {what}" for what in found]


def show(cells: Sequence[Cell], base: str, rounds: int) -> None:
    heads = ["primitive", "section", "threads", "implementation", "ops/s", "faster", "CPU an op"]
    heads += ["less CPU", "switches an op", "fairness", "overlap"]
    rows, bad = [], []
    for cell in sorted(cells, key=lambda cell: (cell.primitive, cell.section_ns, cell.threads)):
        first = cell.samples[base]
        for side, samples in cell.samples.items():
            speed = ratios(each(samples, rate), each(first, rate))
            thrift = ratios(each(first, cpu), each(samples, cpu))
            if side != base:
                bad += worse(cell, side, base)
            rows.append(
                [
                    cell.primitive,
                    duration(cell.section_ns / 1e9),
                    str(cell.threads),
                    side,
                    f"{statistics.median(each(samples, rate)):,.0f}",
                    f"{speed}" if side != base else "",
                    duration(statistics.median(each(samples, cpu))),
                    f"{thrift}" if side != base else "",
                    f"{statistics.median(each(samples, switching)):.3g}",
                    f"{statistics.median(s.fairness for s in samples):.3f}",
                    f"{statistics.median(s.overlap for s in samples):.2f}",
                ]
            )
    print(table(heads, rows, left=4))
    print(f"\nMedians (lowest-highest) of {rounds} alternating rounds; ratios against {base}.")
    print(
        "Fairness is Jain's index: 1 is equal shares, 1/threads is one thread alone. "
        "With more threads than CPUs it also shows the scheduler."
    )
    few = "" if rounds >= ENOUGH_ROUNDS else f" (only {rounds} rounds: may be chance)"
    print(
        f"VERDICT: counters right everywhere; cells of {len(cells)} with fewer ops/s than {base}, "
        f"or over {WORST_CPU} times its CPU time an operation, in all rounds{few}:",
        end=" ",
    )
    print("".join(f"\n  {line}" for line in bad) or "none")


def each(samples: Sequence[Sample], value: Callable[[Sample], float]) -> list[float]:
    return [value(sample) for sample in samples]


def rate(sample: Sample) -> float:
    return sample.operations / sample.seconds


def cpu(sample: Sample) -> float:
    return sample.cpu / max(1, sample.operations)


def switching(sample: Sample) -> float:
    return sample.switches / max(1, sample.operations)


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.contended", description=__doc__.splitlines()[0]
    )
    command.add_options(parser, rounds=5, window=0.5, pin=True)
    parser.add_argument("--threads", type=numbers, default=list(THREADS), help="such as 2,4,16")
    parser.add_argument(
        "--sections", type=numbers, default=list(SECTIONS_NS), help="nanoseconds, such as 0,1000"
    )
    parser.add_argument(
        "--primitives",
        type=command.words,
        default=[],
        help=f"of {','.join(WORKLOADS)} (default all)",
    )
    options = parser.parse_args()
    options.primitives = command.chosen(parser, "--primitives", options.primitives, list(WORKLOADS))
    implementations = command.implementations(parser, options)
    if min(options.threads) < 1 or min(options.sections) < 0:
        parser.error("--threads must be positive and --sections not negative")
    total = len(options.threads) * len(options.sections) * len(options.primitives)
    if not options.json:
        took = total * len(implementations) * options.rounds * options.window
        print(f"{machine()}\n{total} cells, about {took * 1.1:.0f} s\n", flush=True)
    try:
        cells = run(implementations, options, Progress(total))
    except (Broken, RuntimeError, TimeoutError) as error:
        return command.failed(error)
    if options.json:
        command.print_json(cells)
    else:
        show(cells, implementations[0].name, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
