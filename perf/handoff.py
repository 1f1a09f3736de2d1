"""Threads that wait for each other through each primitive: hand-offs, or rounds, a second.

Between two threads every operation is a wait that the other thread ends, and what counts is how
fast a waiting thread goes on. The same is done in C, without Python, twice: by spinning, which is
the floor, and by sleeping in the kernel for each hand-off. Barrier and notify_all count rounds:
a round of a barrier ends when all parties have passed, one of notify_all(16) when all sixteen
waiters have run and wait again.
"""

import argparse
import dataclasses
import functools
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from perf import command, native
from perf.handoffs import CASES, Case
from perf.implementations import Implementation
from perf.report import Progress, duration, machine, table
from perf.rounds import Spread, alternate, judge, ratios
from perf.team import Team

FIRST_ROUNDS = 50
LIMIT_SECONDS = 120.0
C_FLOORS = {"C, spinning": False, "C, in the kernel": True}


@dataclasses.dataclass(frozen=True)
class Sample:
    """Seconds of wall time, and of all threads' CPU time, for one operation."""

    seconds: float
    cpu: float


def measure(implementation: Implementation, case: Case, team: Team, rounds: int) -> Sample:
    """Let the team do so many rounds. Raises Broken or TimeoutError."""
    jobs, check = case.prepare(implementation, rounds)
    cpu = time.process_time()
    team.start(jobs)
    begins, ends = zip(*team.finish(LIMIT_SECONDS), strict=True)
    cpu = time.process_time() - cpu
    check()
    operations = case.operations * rounds
    return Sample((max(ends) - min(begins)) / operations, cpu / operations)


def measure_c(kernel: bool, case: Case, rounds: int) -> Sample:
    """Make as many hand-offs in C as the case has operations."""
    rounds = max(1, rounds * case.operations // 2)
    cpu = time.process_time()
    seconds = native.ping_pong(rounds, kernel)
    return Sample(seconds / (2 * rounds), (time.process_time() - cpu) / (2 * rounds))


def calibrate(side: Callable[[int], Sample], case: Case, window: float) -> int:
    """Return how many rounds last about `window` seconds."""
    rounds = FIRST_ROUNDS
    while (took := side(rounds).seconds * case.operations * rounds) < window / 10:
        rounds *= 2
    return max(1, round(rounds * window / took))


Found = dict[str, dict[str, list[Sample]]]


def run(
    implementations: Sequence[Implementation], options: argparse.Namespace, progress: Progress
) -> Found:
    """Return samples by case and side, one a round."""
    command.prepare()
    found: Found = {}
    for case in CASES:
        if case.name not in options.cases:
            continue
        progress.show(len(found), case.name)
        with Team(case.threads, options.pin) as team:
            sides: dict[str, Callable[[int], Sample]] = {
                side.name: functools.partial(measure, side, case, team) for side in implementations
            }
            if case.threads == 2:
                for name, kernel in C_FLOORS.items():
                    sides[name] = functools.partial(measure_c, kernel, case)
            loops = {name: calibrate(side, case, options.window) for name, side in sides.items()}
            samples: dict[str, list[Sample]] = {name: [] for name in sides}
            for number, name in alternate(tuple(sides), options.rounds):
                progress.show(len(found), case.name, f"round {number + 1}, {name}")
                samples[name].append(sides[name](loops[name]))
            found[case.name] = samples
    progress.clear()
    return found


def show(found: Found, names: Sequence[str], rounds: int) -> None:
    base = names[0]
    rows: list[list[str]] = []
    verdicts: dict[str, list[str]] = {}
    for case, samples in found.items():
        seconds = {name: [sample.seconds for sample in runs] for name, runs in samples.items()}
        for name, runs in samples.items():
            speedup = ratios(seconds[base], seconds[name])
            verdict = judge(speedup, rounds) if name in names[1:] else ""
            if verdict:
                verdicts.setdefault(verdict, []).append(f"{name} {case} {speedup.median:.2f}x")
            rows.append(
                [
                    case,
                    name,
                    f"{1 / Spread.of(seconds[name]).median:,.0f}",
                    f"{speedup}" if name != base else "",
                    duration(statistics.median(sample.cpu for sample in runs)),
                    verdict,
                ]
            )
    heads = ["through", "implementation", "a second", f"against {base}", "CPU each", ""]
    print(table(heads, rows, left=2))
    print(f"\nMedians (lowest-highest) of {rounds} alternating rounds.")
    summary = "; ".join(f"{verdict}: {', '.join(cases)}" for verdict, cases in verdicts.items())
    print(f"VERDICT: {summary or 'one implementation, nothing to compare'}.")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.handoff", description=__doc__.splitlines()[0]
    )
    command.add_options(parser, rounds=7, window=0.3, pin=True)
    known = [case.name for case in CASES]
    parser.add_argument(
        "--cases", type=command.words, default=[], help=f"of {','.join(known)} (default all)"
    )
    options = parser.parse_args()
    options.cases = command.chosen(parser, "--cases", options.cases, known)
    implementations = command.implementations(parser, options)
    if not options.json:
        samples = sum(
            len(implementations) + len(C_FLOORS) * (case.threads == 2)
            for case in CASES
            if case.name in options.cases
        )
        took = samples * options.rounds * options.window
        print(f"{machine()}\n{len(options.cases)} cases, about {took:.0f} s\n", flush=True)
    try:
        found = run(implementations, options, Progress(len(options.cases)))
    except (command.Broken, RuntimeError, TimeoutError) as error:
        return command.failed(error)
    if options.json:
        command.print_json(found)
    else:
        show(found, [side.name for side in implementations], options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
