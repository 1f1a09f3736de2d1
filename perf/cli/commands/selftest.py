"""`python -m perf selftest`: show that `perf ab` finds planted slowdowns, and nothing else.

same           another build of the same code: no alarm, by instructions or by the clock
instructions   `with lock` takes 10 % more instructions: found each time
contended      what two threads do with a lock takes 1.5 times as long: found, or "too noisy",
               never passed
"""

import argparse
import collections
import pathlib
import statistics
import tempfile

from perf.analysis import verdicts
from perf.analysis.verdicts import Judged
from perf.cases.catalogue import every, named
from perf.instruments.bench import Axes
from perf.results.case import OWN
from perf.runner import builds, slowdowns
from perf.runner.ab import WINDOW, Duel, DuelFailed
from perf.runner.builds import WORKTREE, CannotBuild
from perf.runner.instructions import CannotCount, count
from toolkit import child
from toolkit.exits import Exit
from toolkit.machine import summary, usable_cpus

COUNTED = "lock.with T1"
CLOCKED = "lock.with T2 S100us attribute"
PLANTS = ("same", "instructions", "contended")
CALLED = {0: "passed", 1: "found", 2: "too noisy"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--runs", type=int, default=20, help="of each plant (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=8, help="of each side (default %(default)s)")
    parser.add_argument("--window", type=float, default=WINDOW, help="seconds of a window")
    parser.add_argument(
        "--only", action="append", choices=PLANTS, help="plants; more than once is more"
    )
    parser.add_argument("--threshold", type=float, default=1.25, help="of the clock's gate")


class Trial:
    """Runs the gate on planted builds. Main thread only."""

    def __init__(
        self, options: argparse.Namespace, folder: pathlib.Path, interrupts: child.Interrupts
    ) -> None:
        """Build the base. Raises CannotBuild or child.Interrupted."""
        self._options = options
        self._folder = folder
        self._interrupts = interrupts
        self._harness = builds.harness(folder)
        self._base = builds.prepare(WORKTREE, interrupts)
        self._clocked = named([CLOCKED], every(Axes.of(max(2, usable_cpus()))))

    def duel(self, change: slowdowns.Change) -> Duel:
        """Return base against the base with a change."""
        head = builds.prepare(WORKTREE, self._interrupts, change)
        where = (self._harness, self._folder, self._interrupts)
        found = Duel(self._base, head, *where, self._options.window)
        found.check()
        return found

    def _clock(self, duel: Duel) -> list[Judged]:
        return duel.clock(self._clocked, self._options.rounds, self._options.threshold)[0]

    def plant(self, name: str) -> Duel:
        """Build a plant of a size that fits what the base takes here."""
        if name == "instructions":
            environment = self._base.environment(self._harness)
            counted = count([OWN], [COUNTED], self._interrupts, environment)[OWN, COUNTED]
            return self.duel(slowdowns.instructions(round(counted.instructions / 10)))
        duel = self.duel(slowdowns.nothing)
        if name == "same":
            return duel
        base, head = duel.measure(self._clocked, 4, "how long the base takes")
        seconds = statistics.median(each.median for each in base + head)
        print(f"{CLOCKED} takes {seconds * 1e6:.2f} us here, and half of it is planted")
        return self.duel(slowdowns.contended(max(1, round(seconds * 5e8))))

    def judge(self, name: str, duel: Duel) -> list[Judged]:
        """Run the gate once."""
        found: list[Judged] = []
        if name != "contended":
            found += duel.count([COUNTED])
        if name != "instructions":
            found += self._clock(duel)
        return found


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Run the gate on each plant so often; return the exit code."""
    if options.runs < 1 or options.rounds < verdicts.LEAST_VALUES:
        parser.error(f"--runs must be positive, --rounds {verdicts.LEAST_VALUES} at least")
    print(f"{summary()}\n{options.runs} runs of the gate on each planted slowdown\n", flush=True)
    interrupts = child.Interrupts()
    interrupts.watch()
    tally = {name: collections.Counter[str]() for name in options.only or PLANTS}
    try:
        with tempfile.TemporaryDirectory(prefix="perf-selftest-") as folder:
            trial = Trial(options, pathlib.Path(folder), interrupts)
            for name, counter in tally.items():
                duel = trial.plant(name)
                for number in range(options.runs):
                    judged = trial.judge(name, duel)
                    outcome = CALLED[verdicts.code(judged)]
                    counter[outcome] += 1
                    ratios = ", ".join(f"{each.case} {each.ratio}" for each in judged)
                    print(f"{name} {number + 1}: {outcome}: {ratios}", flush=True)
    except child.Interrupted as interrupted:
        return child.die_of(interrupted.signum)
    except (CannotBuild, CannotCount) as error:
        print(f"VERDICT: nothing to tell: {error}")
        return Exit.TOO_LITTLE
    except (DuelFailed, LookupError) as error:
        print(f"VERDICT: FAILED: {error}")
        return Exit.FOUND
    return conclude(tally)


def conclude(tally: dict[str, "collections.Counter[str]"]) -> int:
    """Print what became of the plants; return the exit code."""
    wrong, unsure = [], []
    for name, counter in tally.items():
        bad = "found" if name == "same" else "passed"
        runs = counter.total()
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in counter.items())}")
        if counter[bad]:
            wrong.append(f"{name}: {counter[bad]} of {runs} {bad}")
        if counter["too noisy"] > runs / 20:
            unsure.append(f"{name}: {counter['too noisy']} of {runs}")
    if wrong:
        print(f"VERDICT: THE GATE IS WRONG: {'; '.join(wrong)}")
        return Exit.FOUND
    if unsure:
        print(f"VERDICT: never wrong, but too noisy to tell: {'; '.join(unsure)}")
        return Exit.TOO_LITTLE
    print("VERDICT: every planted slowdown is found, and nothing else.")
    return 0
