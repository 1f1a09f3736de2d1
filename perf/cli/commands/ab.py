"""`python -m perf ab`: say whether one commit is slower than another, by turns on one machine.

Instructions first, which are the same in every run; then the clock, for what threads do to each
other. Each side is built apart, and both are measured by this checkout's harness.
"""

import argparse
import pathlib
import shlex
import sys
import tempfile
from collections.abc import Sequence

from perf.analysis import verdicts
from perf.analysis.verdicts import GateVerdict, Judged
from perf.cases.catalogue import every, matches, of_tier
from perf.cases.uncontended import STATEMENTS
from perf.instruments.bench import Axes
from perf.results import provenance, store
from perf.results.case import Case
from perf.results.measurement import Measurement, merge
from perf.runner import ab, builds
from perf.runner.ab import Duel, DuelFailed
from perf.runner.builds import WORKTREE, CannotBuild
from perf.runner.instructions import THRESHOLD, CannotCount
from toolkit import child
from toolkit.address import KEPT
from toolkit.address import words as command_words
from toolkit.exits import Exit
from toolkit.machine import summary, usable_cpus
from toolkit.tables import table

ROUNDS = 8
CLOCKED = ("contended", "handoff")
AB = KEPT / ".perf" / "ab"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--base", required=True, metavar="REF", help="the commit to compare with")
    parser.add_argument(
        "--head", default=WORKTREE, metavar="REF", help=f"a commit (default {WORKTREE})"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="rounds of each side (default %(default)s)"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="cases of this name, primitive, kind or pattern; more than once is more "
        "(default: those of the gate)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=1.25,
        metavar="RATIO",
        help="a case so many times slower by the clock is a regression (default %(default)s); "
        f"by instructions it is {THRESHOLD}",
    )
    parser.add_argument(
        "--window", type=float, default=ab.WINDOW, help="seconds of a window (default %(default)s)"
    )


def chosen(
    parser: argparse.ArgumentParser, patterns: Sequence[str]
) -> tuple[list[str], list[Case]]:
    """Return the cases to count and the cases to clock; end with a usage error."""
    axes = Axes.of(usable_cpus())
    counted = [each.case for each in STATEMENTS]
    gate = [case for case in of_tier("gate", axes) if case.kind in CLOCKED]
    # More threads than CPUs measure the scheduler.
    clocked = [case for case in gate if case.threads <= usable_cpus()]
    if patterns:
        clocked = [case for case in every(axes) if case.kind in CLOCKED]
        for pattern in patterns:
            if not any(matches(case, pattern) for case in [*counted, *clocked]):
                parser.error(f"--only {pattern}: no such case")
        counted, clocked = (
            [case for case in cases if any(matches(case, pattern) for pattern in patterns)]
            for cases in (counted, clocked)
        )
    return [case.id for case in counted], clocked


def show(title: str, judged: Sequence[Judged]) -> None:
    rows = [
        [
            each.case,
            each.finding.value,
            str(each.ratio) if each.ratio else "too few rounds",
            f"{each.chance:.2g}",
        ]
        for each in judged
    ]
    print(f"{title}\n{table(['case', 'finding', 'head / base', 'p'], rows, left=2)}\n", flush=True)


def keep(duel: Duel, base: list[Measurement], head: list[Measurement]) -> None:
    """Write what the clock said, for `perf compare`."""
    for name, build, found in (("base", duel.base, base), ("head", duel.head, head)):
        place = (provenance.identity(), provenance.tag(), build.commit, build.dirty)
        folder = store.new_folder(AB / name, *place)
        store.write(folder, merge(found))
        print(f"{name} is kept in {folder}")


def conclude(judged: Sequence[Judged], command: str) -> int:
    """Print the verdict; return the exit code."""
    code = verdicts.code(judged)
    named = {
        finding: [each.case for each in judged if each.finding is finding]
        for finding in GateVerdict
    }
    slower, unsure = named[GateVerdict.SLOWER], named[GateVerdict.UNSURE]
    if code == 1:
        print(f"VERDICT: SLOWER: {', '.join(slower)}")
    if unsure:
        word = "VERDICT: too noisy to tell" if code == Exit.TOO_LITTLE else "inconclusive"
        print(f"{word}: {', '.join(unsure)}")
    if code == 0:
        print(f"VERDICT: no regression in {len(judged)} cases.")
    if code:
        print(f"to see it again: {command}")
    return code


def again(options: argparse.Namespace, judged: Sequence[Judged]) -> str:
    """Return the command that measures what was not passed once more."""
    bad = [each.case for each in judged if each.finding in (GateVerdict.SLOWER, GateVerdict.UNSURE)]
    words = ["python", *command_words("perf"), "ab", "--base", options.base, "--head", options.head]
    words += [f"--rounds={options.rounds}", f"--threshold={options.threshold:g}"]
    return shlex.join([*words, f"--window={options.window:g}", *(f"--only={name}" for name in bad)])


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Build, measure and judge; return the exit code."""
    if options.rounds < verdicts.LEAST_VALUES or options.threshold <= 1 or options.window <= 0:
        parser.error(
            f"--rounds must be {verdicts.LEAST_VALUES} at least, --threshold above 1, "
            "--window positive"
        )
    counted, clocked = chosen(parser, options.only)
    took = 60 + options.rounds * 2 * (1 + 1.5 * options.window * len(clocked))
    print(f"{summary()}\n{options.base} against {options.head}: {len(counted)} cases by", end=" ")
    print(f"instructions, {len(clocked)} by the clock, about {took:.0f} s\n", flush=True)
    interrupts = child.Interrupts()
    interrupts.watch()
    try:
        with tempfile.TemporaryDirectory(prefix="perf-ab-") as name:
            folder = pathlib.Path(name)
            base, head = (builds.prepare(ref, interrupts) for ref in (options.base, options.head))
            duel = Duel(base, head, builds.harness(folder), folder, interrupts, options.window)
            duel.check()
            judged = []
            if counted:
                judged += duel.count(counted)
                show("Instructions:", judged)
            if clocked:
                found, *measured = duel.clock(clocked, options.rounds, options.threshold)
                keep(duel, *measured)
                show("Clock, ratio of medians with its 95 % interval:", found)
                judged += found
    except child.Interrupted as interrupted:
        return child.die_of(interrupted.signum)
    except (CannotBuild, CannotCount) as error:
        print(f"VERDICT: nothing to tell: {error}", file=sys.stderr)
        return Exit.TOO_LITTLE
    except DuelFailed as error:
        print(f"VERDICT: FAILED: {error}\nto see it again: {again(options, [])}", file=sys.stderr)
        return 1
    return conclude(judged, again(options, judged))
