"""`python -m perf compare`: two results, or two implementations in one; what loses comes first."""

import argparse
import dataclasses
from collections import Counter
from collections.abc import Sequence

from perf.analysis.comparison import Judgement, compare
from perf.analysis.inference import Interval
from perf.analysis.rounds import ENOUGH_ROUNDS
from perf.cases import catalogue
from perf.cli import result_names
from perf.results.case import BASE, OWN, SECOND
from perf.results.measurement import Measurement, Result
from perf.results.store import BadResult
from toolkit.exits import Exit
from toolkit.tables import duration, table

SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Pair:
    """One case on both sides."""

    base: Measurement
    own: Measurement
    ratio: Interval
    verdict: Judgement

    @classmethod
    def of(cls, base: Measurement, own: Measurement) -> "Pair":
        """Compare two measurements of a case by their rounds."""
        found = compare(base.medians, own.medians, exact=base.unit != SECOND)
        return cls(base, own, found.interval, found.verdict)


def pairs(base: dict[str, Measurement], own: dict[str, Measurement]) -> list[Pair]:
    """Compare what both have; the worst comes first, and what is clear before what is not."""
    found = [Pair.of(base[name], own[name]) for name in base if name in own]
    return sorted(
        found, key=lambda each: (each.verdict is not Judgement.WORSE, each.ratio.estimate)
    )


def amount(measurement: Measurement) -> str:
    """Write a measurement's median with its unit."""
    if measurement.unit == SECOND:
        return duration(measurement.median)
    return f"{measurement.median:,.0f} {measurement.unit}s".replace("integers", "").rstrip()


def show(found: Sequence[Pair], heads: Sequence[str]) -> None:
    """Print a table of pairs."""
    rows = [
        (
            pair.base.case.title,
            amount(pair.base),
            amount(pair.own),
            f"{pair.ratio.estimate:.2f}",
            f"{pair.ratio.low:.2f}-{pair.ratio.high:.2f}",
            pair.verdict.value,
        )
        for pair in found
    ]
    print(table(("case", *heads, "times as good", "95 %", ""), rows))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "results",
        nargs="+",
        metavar="RESULT",
        help="one, or the old one and the new: a folder, `last`, `last~1`, or a commit",
    )
    parser.add_argument(
        "--impl",
        help=f"in one result two to compare (default {BASE},{OWN}); of two, one (default {OWN})",
    )
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="some cases")
    parser.add_argument("--all", action="store_true", help=f"show more than {SHOWN} cases")
    parser.add_argument(
        "--threshold",
        type=float,
        default=1.25,
        help="of two results: how many times worse, at least, is a regression (default 1.25)",
    )
    result_names.add_output(parser)


def sides(
    parser: argparse.ArgumentParser, options: argparse.Namespace, results: list[Result]
) -> tuple[list[str], list[dict[str, Measurement]]]:
    """Return what the two sides are called and what they hold; end with a usage error."""
    if len(results) == 1:
        names = (options.impl or f"{BASE},{OWN}").split(",")
        chosen = [(results[0], name) for name in names]
        heads = names
    else:
        name = options.impl or OWN
        chosen = [(result, name) for result in results]
        heads = [f"{result.name} {result.when:%m-%d %H:%M}" for result in results]
        places = {(result.machine, result.tag) for result in results}
        if len(places) > 1:
            parser.error("the results are of different machines or interpreters")
    if len(chosen) != 2:
        parser.error("two are compared: one result with --impl A,B, or two results")
    for result, name in chosen:
        if name not in result.measurements:
            known = ", ".join(result.measurements)
            parser.error(f"{result.path} has no {name}; it has {known}")
    return heads, [result.measurements[name] for result, name in chosen]


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    try:
        results = [result_names.result(name, options.output) for name in options.results]
    except BadResult as error:
        parser.error(str(error))
    heads, (base, own) = sides(parser, options, results)
    for result in results:
        meta = result.metadata
        where = f"{meta.get('cpu_model_name', '')}, {meta.get('ftt_cpus', '?')} usable CPUs"
        print(f"{result.path}\n  {where}, {result.tag}, tier {meta.get('ftt_tier', '?')}")
    found = pairs(base, own)
    if options.only:
        cases = [pair.base.case for pair in found]
        try:
            wanted = {case.id for case in catalogue.named(options.only, cases)}
        except LookupError as error:
            parser.error(f"--only {error}: no such case in what is compared")
        found = [pair for pair in found if pair.base.case.id in wanted]
    if not found:
        parser.error("the two sides have no case in common")
    print()
    show(found if options.all else found[:SHOWN], heads)
    if not options.all and len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN} better ones (--all shows them)")
    return judge(found, options.threshold, len(results))


def judge(found: Sequence[Pair], threshold: float, results: int) -> int:
    """Print the verdict; return the exit code."""
    counts = Counter(pair.verdict for pair in found)
    said = ", ".join(f"{counts[one]} {one.value.lower()}" for one in Judgement if counts[one])
    print(
        "\nMedians of rounds, their ratio and its bootstrap interval; above 1 the second is better."
        "\nThe intervals are not corrected for their number: about one in twenty errs by chance."
    )
    if results == 1:
        print(f"VERDICT: {len(found)} cases: {said}")
        return 0
    lost = [pair for pair in found if pair.ratio.high < 1 / threshold]
    lost = [pair for pair in lost if pair.verdict is Judgement.WORSE]
    if lost:
        names = ", ".join(pair.base.case.id for pair in lost)
        print(f"VERDICT: REGRESSION of more than {threshold:g} times: {names} ({said}); the two")
        print("were not measured by turns: `python -m perf ab` does that")
        return 1
    if counts[Judgement.FEW] == len(found):
        print(f"VERDICT: TOO NOISY to tell: {said} (at least {ENOUGH_ROUNDS} are needed)")
        return Exit.TOO_LITTLE
    print(f"VERDICT: no regression of more than {threshold:g} times in {len(found)} cases: {said}")
    return 0
