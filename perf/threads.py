"""What it costs to start a thread, and to ask which thread one is.

Wall time: between start() and the first line of run() lie the kernel and the scheduler, which are
the same for both sides and much of the whole. How much shows the floor: a thread that is made by
the interpreter's `_thread` and known to nobody, and a C method that does nothing.
"""

import _thread
import argparse
import itertools
import statistics
import sys
import time
import types
from collections.abc import Callable, Sequence

from perf import command, native
from perf.implementations import FLOOR, Implementation
from perf.report import Progress, duration, machine, table
from perf.rounds import alternate, judge, ratios


class Bare:
    """A thread as `_thread` makes it: no registry, no name, no hooks, no handshake."""

    def __init__(self, target: Callable[[], object] = int) -> None:
        self.target = target

    def start(self) -> None:
        """Make a thread that runs the target."""
        self.handle = _thread.start_joinable_thread(self.target)

    def join(self) -> None:
        """Wait for its end."""
        self.handle.join()


def bare() -> Implementation:
    """Return the floor."""
    nothing = native.Floor().is_set
    names = dict.fromkeys(("current_thread", "get_native_id", "get_ident"), nothing)
    return Implementation(FLOOR, types.SimpleNamespace(Thread=Bare, **names))


Measure = Callable[[Implementation, int], float]  # how often -> seconds for one


def start_alone(side: Implementation, times: int) -> float:
    """Until start() returns."""
    took = 0.0
    for _ in itertools.repeat(None, times):
        thread = side.module.Thread()
        begin = time.perf_counter()
        thread.start()
        took += time.perf_counter() - begin
        thread.join()
    return took / times


def until_it_runs(side: Implementation, times: int) -> float:
    took = 0.0
    ran: list[float] = []
    for _ in itertools.repeat(None, times):
        thread = side.module.Thread(target=lambda: ran.append(time.perf_counter()))
        begin = time.perf_counter()
        thread.start()
        thread.join()
        took += ran.pop() - begin
    return took / times


def start_and_join(side: Implementation, times: int) -> float:
    begin = time.perf_counter()
    for _ in itertools.repeat(None, times):
        thread = side.module.Thread()
        thread.start()
        thread.join()
    return (time.perf_counter() - begin) / times


def hundred(side: Implementation, times: int) -> float:
    """One is to make, start and join 100 threads."""
    begin = time.perf_counter()
    for _ in itertools.repeat(None, times):
        threads = [side.module.Thread() for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return (time.perf_counter() - begin) / times


def calls(name: str) -> Measure:
    """Ask in a thread of the side's own."""

    def measure(side: Implementation, times: int) -> float:
        function = getattr(side.module, name)
        took: list[float] = []

        def run() -> None:
            ask = function
            begin = time.perf_counter()
            for _ in itertools.repeat(None, times):
                ask()
                ask()
                ask()
                ask()
            took.append((time.perf_counter() - begin) / times / 4)

        thread = side.module.Thread(target=run)
        thread.start()
        thread.join()
        return took[0]

    return measure


CASES: dict[str, tuple[Measure, int]] = {
    "start()": (start_alone, 300),
    "start() until it runs": (until_it_runs, 300),
    "start() and join()": (start_and_join, 300),
    "100 at once": (hundred, 3),
    "current_thread()": (calls("current_thread"), 50_000),
    "get_native_id()": (calls("get_native_id"), 50_000),
    "get_ident()": (calls("get_ident"), 50_000),
}


def run(
    implementations: Sequence[Implementation], rounds: int, progress: Progress
) -> dict[str, dict[str, list[float]]]:
    """Return seconds by case and implementation, one a round."""
    command.prepare()
    found: dict[str, dict[str, list[float]]] = {}
    for name, (measure, times) in CASES.items():
        samples: dict[str, list[float]] = {side.name: [] for side in implementations}
        for side in implementations:
            measure(side, max(1, times // 10))
        for number, side in alternate(implementations, rounds):
            progress.show(len(found), name, f"round {number + 1} of {rounds}")
            samples[side.name].append(measure(side, times))
        found[name] = samples
    progress.clear()
    return found


def show(found: dict[str, dict[str, list[float]]], base: str, rounds: int) -> None:
    rows, slower = [], []
    for name, samples in found.items():
        for side, times in samples.items():
            speedup = ratios(samples[base], times)
            verdict = judge(speedup, rounds) if side not in (base, FLOOR) else ""
            if verdict == "SLOWER":
                slower.append(f"{side} {name}")
            shown = f"{speedup}" if side != base else ""
            rows.append([name, side, duration(statistics.median(times)), shown, verdict])
    print(table(["case", "implementation", "one takes", f"{base}'s / its", ""], rows, left=2))
    print(f"\nMedians (lowest-highest) of {rounds} alternating rounds; above 1 is faster.")
    print(f"VERDICT: slower than {base}: {', '.join(slower) or 'nothing'}.")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.threads", description=__doc__.splitlines()[0]
    )
    command.add_options(parser, rounds=15)
    options = parser.parse_args()
    implementations = [*command.implementations(parser, options), bare()]
    if not options.json:
        print(f"{machine()}\n{len(CASES)} cases, about {options.rounds} s\n", flush=True)
    found = run(implementations, options.rounds, Progress(len(CASES)))
    if options.json:
        command.print_json(found)
    else:
        show(found, implementations[0].name, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
