"""The cost of a primitive that nobody else wants, against `threading` and against the floor.

The floor is a C type whose methods do nothing, called in the same way: what remains of a
primitive's time after it is the primitive's own.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf import command
from perf.implementations import FLOOR, Implementation, floor
from perf.report import Progress, duration, machine, table
from perf.rounds import Spread, alternate, judge, ratios

UNROLLED = 10
SAMPLE_SECONDS = 0.02

Loop = Callable[[Any, int], None]


def leave(_primitive: Any) -> None:
    """Measure the primitive as it is when it is new."""


def set_event(event: Any) -> None:
    event.set()


@dataclasses.dataclass(frozen=True)
class Case:
    """A statement on the new primitive `p`; one operation is one of it."""

    primitive: str
    statement: str
    prepare: Callable[[Any], None] = leave
    around: str = ""  # a `with` that the whole loop runs in

    @property
    def name(self) -> str:
        """The primitive and what is done with it."""
        inside = f" (inside {self.around})" if self.around else ""
        return f"{self.primitive}: {self.statement}{inside}"

    def loop(self) -> Loop:
        """Compile a function that runs the statement UNROLLED times a loop."""
        lines = ["for _ in repeat(None, loops):", *[f"    {self.statement}"] * UNROLLED]
        if self.around:
            lines = [f"{self.around}:", *(f"    {line}" for line in lines)]
        body = "\n".join(f"    {line}" for line in lines)
        names: dict[str, Any] = {}
        exec(f"from itertools import repeat\ndef loop(p, loops):\n{body}\n", names)
        found: Loop = names["loop"]
        return found


CASES = (
    Case("Lock", "with p: pass"),
    Case("Lock", "p.acquire(); p.release()"),
    Case("RLock", "with p: pass"),
    Case("RLock", "p.acquire(); p.release()"),
    Case("RLock", "with p: pass", around="with p"),
    Case("Semaphore", "with p: pass"),
    Case("BoundedSemaphore", "with p: pass"),
    Case("Event", "p.set(); p.clear()"),
    Case("Event", "p.wait()", prepare=set_event),
    Case("Event", "p.is_set()", prepare=set_event),
    Case("Condition", "with p: pass"),
    Case("Condition", "with p: p.notify()"),
)


@dataclasses.dataclass(frozen=True)
class Sample:
    """Seconds of wall time and of this thread's CPU time, for one operation."""

    seconds: float
    cpu: float


def measure(implementation: Implementation, case: Case, loop: Loop, loops: int) -> Sample:
    primitive = implementation.make(case.primitive)
    case.prepare(primitive)
    loop(primitive, 10)
    cpu = time.thread_time()
    begin = time.perf_counter()
    loop(primitive, loops)
    seconds = time.perf_counter() - begin
    cpu = time.thread_time() - cpu
    operations = loops * UNROLLED
    return Sample(seconds / operations, cpu / operations)


def calibrate(implementation: Implementation, case: Case, loop: Loop, window: float) -> int:
    """Return how many loops take about `window` seconds."""
    loops = 100
    while True:
        took = measure(implementation, case, loop, loops).seconds * loops * UNROLLED
        if took >= window / 4:
            return max(1, round(loops * window / took))
        loops *= 2


def run(
    implementations: Sequence[Implementation], options: argparse.Namespace, progress: Progress
) -> dict[str, dict[str, list[Sample]]]:
    """Return samples by case and implementation, one a round."""
    command.prepare()
    found: dict[str, dict[str, list[Sample]]] = {}
    for case in CASES:
        if case.primitive not in options.primitives:
            continue
        done = len(found)
        # A loop of its own for each: what the interpreter learns about one must not slow the next.
        loop = {side.name: case.loop() for side in implementations}
        loops = {
            side.name: calibrate(side, case, loop[side.name], options.window)
            for side in implementations
        }
        found[case.name] = {side.name: [] for side in implementations}
        for number, side in alternate(implementations, options.rounds):
            progress.show(done, case.name, f"round {number + 1} of {options.rounds}")
            sample = measure(side, case, loop[side.name], loops[side.name])
            found[case.name][side.name].append(sample)
    progress.clear()
    return found


def show(found: dict[str, dict[str, list[Sample]]], base: str, rounds: int) -> None:
    # CPU time, not wall time: one thread that never waits, on a machine that others use too.
    rows, slower = [], []
    for name, samples in found.items():
        cpu = {side: [sample.cpu for sample in runs] for side, runs in samples.items()}
        for side, times in cpu.items():
            speedup = ratios(cpu[base], times)
            verdict = judge(speedup, rounds) if side not in (base, FLOOR) else ""
            if verdict == "SLOWER":
                slower.append(f"{side} {name}")
            rows.append(
                [
                    name,
                    side,
                    duration(Spread.of(times).median),
                    f"{speedup}" if side != base else "",
                    f"{ratios(times, cpu[FLOOR])}" if side != FLOOR else "",
                    verdict,
                ]
            )
    heads = ["case", "implementation", "CPU an op", f"{base}'s time / its", "its / floor", ""]
    print(table(heads, rows, left=2))
    print(f"\nMedians (lowest-highest) of {rounds} alternating rounds; above 1 is faster.")
    print(f"VERDICT: slower than {base}: {', '.join(slower) or 'nothing'}.")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.uncontended", description=__doc__.splitlines()[0]
    )
    command.add_options(parser, rounds=15, window=SAMPLE_SECONDS)
    parser.add_argument(
        "--primitives", type=command.words, default=[], help="such as Lock,Event (default all)"
    )
    options = parser.parse_args()
    known = list(dict.fromkeys(case.primitive for case in CASES))
    options.primitives = command.chosen(parser, "--primitives", options.primitives, known)
    implementations = [*command.implementations(parser, options), floor()]
    total = sum(case.primitive in options.primitives for case in CASES)
    if not options.json:
        took = total * len(implementations) * (options.rounds + 2) * options.window
        print(f"{machine()}\n{total} cases, about {took:.0f} s\n", flush=True)
    found = run(implementations, options, Progress(total))
    if options.json:
        command.print_json(found)
    else:
        show(found, implementations[0].name, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
