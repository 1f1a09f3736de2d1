"""The cost of a lock that nobody else wants, against `threading` and against the floor.

The floor is a C type whose methods do nothing, called in the same way: what remains of a
lock's time after it is the lock's own.
"""

import argparse
import dataclasses
import gc
import itertools
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from perf import command
from perf.implementations import FLOOR, Implementation, floor
from perf.report import Progress, duration, machine, table
from perf.rounds import Spread, alternate, judge, ratios

UNROLLED = 10
SAMPLE_SECONDS = 0.02


def with_statement(lock: Any, loops: int) -> None:
    for _ in itertools.repeat(None, loops):
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass
        with lock:
            pass


def acquire_release(lock: Any, loops: int) -> None:
    for _ in itertools.repeat(None, loops):
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()
        lock.acquire()
        lock.release()


def nested(lock: Any, loops: int) -> None:
    with lock:
        with_statement(lock, loops)


@dataclasses.dataclass(frozen=True)
class Case:
    """A loop over one primitive; one operation is one acquire and one release."""

    name: str
    primitive: str
    body: Callable[[Any, int], None]


CASES = (
    Case("Lock: with lock: pass", "Lock", with_statement),
    Case("Lock: acquire(); release()", "Lock", acquire_release),
    Case("RLock: with lock: pass", "RLock", with_statement),
    Case("RLock: acquire(); release()", "RLock", acquire_release),
    Case("RLock: with inside with", "RLock", nested),
)


@dataclasses.dataclass(frozen=True)
class Sample:
    """Seconds of wall time and of this thread's CPU time, for one operation."""

    seconds: float
    cpu: float


def measure(implementation: Implementation, case: Case, loops: int) -> Sample:
    lock = implementation.make(case.primitive)
    case.body(lock, 10)
    cpu = time.thread_time()
    begin = time.perf_counter()
    case.body(lock, loops)
    seconds = time.perf_counter() - begin
    cpu = time.thread_time() - cpu
    operations = loops * UNROLLED
    return Sample(seconds / operations, cpu / operations)


def calibrate(implementation: Implementation, case: Case) -> int:
    """Return how many loops take about SAMPLE_SECONDS."""
    loops = 100
    while (took := measure(implementation, case, loops).seconds * loops * UNROLLED) < 0.005:
        loops *= 2
    return max(1, round(loops * SAMPLE_SECONDS / took))


def prepare() -> None:
    """Bring the interpreter into the state of a threaded program, and keep it there."""
    # CPython 3.13t changes how it counts references when the first thread is made.
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    gc.collect()
    gc.freeze()
    gc.disable()


def run(
    implementations: Sequence[Implementation], rounds: int, progress: Progress
) -> dict[str, dict[str, list[Sample]]]:
    """Return samples by case and implementation, one a round."""
    prepare()
    found: dict[str, dict[str, list[Sample]]] = {}
    for done, case in enumerate(CASES):
        loops = {side.name: calibrate(side, case) for side in implementations}
        found[case.name] = {side.name: [] for side in implementations}
        for number, side in alternate(implementations, rounds):
            progress.show(done, case.name, f"round {number + 1} of {rounds}")
            found[case.name][side.name].append(measure(side, case, loops[side.name]))
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
    command.add_options(parser, rounds=15)
    options = parser.parse_args()
    implementations = [*command.implementations(parser, options), floor()]
    if not options.json:
        print(machine(), end="\n\n", flush=True)
    found = run(implementations, options.rounds, Progress(len(CASES)))
    if options.json:
        command.print_json(found)
    else:
        show(found, implementations[0].name, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
