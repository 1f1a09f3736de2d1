"""Many threads, one lock: throughput, CPU time, context switches and fairness.

One thread alone is always the fastest here, because a lock makes work serial: the table shows
what contention costs, not a speed-up. Each operation adds one to a counter that only the lock
protects, and a sample whose counter disagrees with its threads' counts is a failure.
"""

import argparse
import dataclasses
import faulthandler
import functools
import gc
import itertools
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf import command, native
from perf.implementations import Implementation
from perf.report import Progress, duration, machine, table
from perf.rounds import alternate, jain, judge, ratios
from perf.team import Running, Team

THREADS = (1, 2, 4, 16, 64)
SECTIONS_NS = (0, 1_000, 10_000, 100_000, 2_000_000)
PRIMITIVES = ("Lock", "RLock")
DRAIN_SECONDS = 60.0
BATCH_NS = 10_000  # how long a thread may work between two looks at its flag


class Broken(Exception):
    """The lock let two threads in at once, or lost one."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """One window. Times in seconds; `cpu` is of all threads together, the section included."""

    operations: int
    seconds: float
    cpu: float
    switches: int
    fairness: float
    overlap: float  # the share of the time in which all threads were in their loops


def hold(running: Running, lock: Any, section: native.Section, batch: int) -> tuple[Any, ...]:
    """Enter the lock until told to stop; return the count and when it began and ended."""
    work = section.run
    count = 0
    begin = time.perf_counter()
    while running[0]:
        for _ in itertools.repeat(None, batch):
            with lock:
                work()
        count += batch
    return count, begin, time.perf_counter()


def switches() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def measure(
    implementation: Implementation, primitive: str, section_ns: int, window: float, team: Team
) -> Sample:
    """Let the team fight for one lock for `window` seconds. Raises Broken or TimeoutError."""
    lock = implementation.make(primitive)
    section = native.Section(section_ns)
    batch = max(1, min(50, BATCH_NS // (section_ns + 200)))
    job = functools.partial(hold, lock=lock, section=section, batch=batch)
    cpu, switched = time.process_time(), switches()
    team.start([job] * team.size)
    time.sleep(window)
    team.stop()
    results = team.finish(DRAIN_SECONDS)
    cpu, switched = time.process_time() - cpu, switches() - switched
    counts, begins, ends = zip(*results, strict=True)
    if sum(counts) != section.count:
        raise Broken(
            f"{implementation.name}.{primitive}, {team.size} threads, section "
            f"{duration(section_ns / 1e9)}: {sum(counts)} operations, {section.count} counted"
        )
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
    gc.collect()
    gc.freeze()
    gc.disable()
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


def show(cells: Sequence[Cell], base: str, rounds: int) -> None:
    heads = ["lock", "section", "threads", "implementation", "ops/s", "faster", "CPU an op"]
    heads += ["less CPU", "switches an op", "fairness", "overlap"]
    rows, slower = [], []
    for cell in cells:
        first = cell.samples[base]
        for side, samples in cell.samples.items():
            speed = ratios(each(samples, rate), each(first, rate))
            thrift = ratios(each(first, cpu), each(samples, cpu))
            place = [cell.primitive, duration(cell.section_ns / 1e9), str(cell.threads)]
            for what, ratio in (("ops/s", speed), ("CPU", thrift)):
                if side != base and judge(ratio, rounds) == "SLOWER":
                    slower.append(f"{side} {' '.join(place)} {what} {ratio}")
            rows.append(
                [
                    *place,
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
    print(f"VERDICT: counters right everywhere; worse than {base} in all rounds:", end=" ")
    print("".join(f"\n  {line}" for line in slower) or "nothing")


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
    command.add_options(parser, rounds=5, window=0.5)
    parser.add_argument("--threads", type=numbers, default=list(THREADS), help="such as 2,4,16")
    parser.add_argument(
        "--sections", type=numbers, default=list(SECTIONS_NS), help="nanoseconds, such as 0,1000"
    )
    parser.add_argument("--primitives", type=lambda text: text.split(","), default=list(PRIMITIVES))
    options = parser.parse_args()
    implementations = command.implementations(parser, options)
    if min(options.threads) < 1 or min(options.sections) < 0:
        parser.error("--threads must be positive and --sections not negative")
    total = len(options.threads) * len(options.sections) * len(options.primitives)
    if not options.json:
        took = total * len(implementations) * options.rounds * options.window
        print(machine())
        print(f"{total} cells, about {took * 1.1:.0f} s\n", flush=True)
    try:
        cells = run(implementations, options, Progress(total))
    except (Broken, RuntimeError, TimeoutError) as error:
        print(f"VERDICT: FAILED: {error}", file=sys.stderr)
        faulthandler.dump_traceback(all_threads=True)
        return 1
    if options.json:
        command.print_json(cells)
    else:
        show(cells, implementations[0].name, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
