"""Two threads hand two locks to each other: hand-offs a second.

Each thread acquires the lock that the other releases, so each operation is a wait, and what
counts is how fast a waiting thread goes on. The same is done in C, without Python, twice: by
spinning, which is the floor, and by sleeping in the kernel for each hand-off.
"""

import argparse
import dataclasses
import faulthandler
import functools
import gc
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf import command, native
from perf.implementations import Implementation
from perf.report import Progress, duration, machine, table
from perf.rounds import Spread, alternate, judge, ratios
from perf.team import Running, Team

FIRST_ROUNDS = 500
LIMIT_SECONDS = 120.0


class Broken(Exception):
    """The locks ended in a state that the hand-offs cannot lead to."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """Seconds of wall time, and of all threads' CPU time, for one hand-off."""

    seconds: float
    cpu: float


def pass_on(_running: Running, mine: Any, other: Any, rounds: int) -> tuple[float, float]:
    begin = time.perf_counter()
    for _ in itertools.repeat(None, rounds):
        mine.acquire()
        other.release()
    return begin, time.perf_counter()


def measure(implementation: Implementation, rounds: int, team: Team) -> Sample:
    """Make 2 * rounds hand-offs. Raises Broken or TimeoutError."""
    one, two = implementation.make("Lock"), implementation.make("Lock")
    two.acquire()
    cpu = time.process_time()
    team.start(
        [
            functools.partial(pass_on, mine=one, other=two, rounds=rounds),
            functools.partial(pass_on, mine=two, other=one, rounds=rounds),
        ]
    )
    begins, ends = zip(*team.finish(LIMIT_SECONDS), strict=True)
    cpu = time.process_time() - cpu
    if one.locked() or not two.locked():
        raise Broken(f"{implementation.name}: after {2 * rounds} hand-offs both locks are wrong")
    operations = 2 * rounds
    return Sample((max(ends) - min(begins)) / operations, cpu / operations)


def measure_c(kernel: bool, rounds: int) -> Sample:
    cpu = time.process_time()
    seconds = native.ping_pong(rounds, kernel)
    return Sample(seconds / (2 * rounds), (time.process_time() - cpu) / (2 * rounds))


def calibrate(side: Callable[[int], Sample], window: float) -> int:
    """Return how many rounds last about `window` seconds."""
    rounds = FIRST_ROUNDS
    while (took := side(rounds).seconds * 2 * rounds) < window / 10:
        rounds *= 2
    return max(1, round(rounds * window / took))


def run(
    implementations: Sequence[Implementation], options: argparse.Namespace, progress: Progress
) -> dict[str, list[Sample]]:
    gc.collect()
    gc.freeze()
    gc.disable()
    with Team(2, options.pin) as team:
        sides: dict[str, Callable[[int], Sample]] = {
            side.name: functools.partial(measure, side, team=team) for side in implementations
        }
        sides["C, spinning"] = functools.partial(measure_c, False)
        sides["C, in the kernel"] = functools.partial(measure_c, True)
        loops = {}
        for name, side in sides.items():
            progress.show(0, "calibrating", name)
            loops[name] = calibrate(side, options.window)
        found: dict[str, list[Sample]] = {name: [] for name in sides}
        for number, name in alternate(tuple(sides), options.rounds):
            progress.show(number, "measuring", name)
            found[name].append(sides[name](loops[name]))
    progress.clear()
    return found


def show(found: dict[str, list[Sample]], names: Sequence[str], rounds: int) -> None:
    base = names[0]
    seconds = {name: [sample.seconds for sample in runs] for name, runs in found.items()}
    rows, verdicts = [], []
    for name, runs in found.items():
        speedup = ratios(seconds[base], seconds[name])
        if name in names[1:]:
            verdicts.append(f"{name} {speedup.median:.2f}x, {judge(speedup, rounds)}")
        rows.append(
            [
                name,
                f"{1 / Spread.of(seconds[name]).median:,.0f}",
                f"{speedup}" if name != base else "",
                duration(statistics.median(sample.cpu for sample in runs)),
            ]
        )
    print(table(["implementation", "hand-offs/s", f"against {base}", "CPU each"], rows))
    print(f"\nMedians (lowest-highest) of {rounds} alternating rounds.")
    print(f"VERDICT: {'; '.join(verdicts) or 'one implementation, nothing to compare'}.")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.handoff", description=__doc__.splitlines()[0]
    )
    command.add_options(parser, rounds=7, window=0.3)
    options = parser.parse_args()
    implementations = command.implementations(parser, options)
    if not options.json:
        print(machine(), end="\n\n", flush=True)
    try:
        found = run(implementations, options, Progress(options.rounds))
    except (Broken, RuntimeError, TimeoutError) as error:
        print(f"VERDICT: FAILED: {error}", file=sys.stderr)
        faulthandler.dump_traceback(all_threads=True)
        return 1
    if options.json:
        command.print_json(found)
    else:
        show(found, [side.name for side in implementations], options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
