"""`python -m perf history`: cases over the results of one machine and interpreter, with steps."""

import argparse

from perf.analysis.inference import steps
from perf.cases import catalogue
from perf.cases.catalogue import TIERS
from perf.cli import result_names
from perf.cli.commands.compare import amount
from perf.results import provenance, store
from perf.results.case import OWN
from perf.results.measurement import Measurement, Result
from perf.results.store import BadResult
from toolkit.tables import table

DETAILED = 3  # so many cases are shown result by result

Line = list[tuple[Result, Measurement]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="as for `run --only`")
    parser.add_argument("--impl", default=OWN, help="of this implementation (default %(default)s)")
    parser.add_argument(
        "--machine", default=provenance.identity(), help="of this machine (default: this one)"
    )
    parser.add_argument(
        "--tag", default=provenance.tag(), help="of this interpreter (default %(default)s)"
    )
    parser.add_argument(
        "--tier", choices=TIERS, help="only results of this tier (default: all but smoke)"
    )
    result_names.add_output(parser)


def lines(results: list[Result], impl: str) -> dict[str, Line]:
    """Follow each case through the results, which are of one machine and interpreter."""
    found: dict[str, Line] = {}
    for result in results:
        for name, measurement in result.measurements.get(impl, {}).items():
            found.setdefault(name, []).append((result, measurement))
    return found


def stepping(line: Line) -> str:
    """Say where the level of a case changed."""
    said = []
    for step in steps([measurement.median for _, measurement in line]):
        result = line[step.index][0]
        change = step.after / step.before
        word = f"{change:.2f} times the cost" if change > 1 else f"{1 / change:.2f} times as good"
        said.append(f"{word} from {result.name} ({result.when:%Y-%m-%d %H:%M})")
    return "; ".join(said)


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Show the history; return the exit code."""
    results = []
    for path in store.find(options.output, options.machine, options.tag):
        try:
            result = store.read(path)
        except BadResult as error:
            print(f"left out: {error}")
            continue
        # The smoke tier's windows are too short for their numbers to mean anything.
        if tier(result) == options.tier or (not options.tier and tier(result) != "smoke"):
            results.append(result)
    found = lines(results, options.impl)
    if not found:
        place = f"{options.impl} on machine {options.machine}, {options.tag}"
        parser.error(f"no results of {place} in {options.output}")
    if options.patterns:
        cases = [line[0][1].case for line in found.values()]
        try:
            wanted = {case.id for case in catalogue.named(options.patterns, cases)}
        except LookupError as error:
            parser.error(f"{error}: no such case in these results")
        found = {name: line for name, line in found.items() if name in wanted}
    print(f"{options.impl}, machine {options.machine}, {options.tag}: {len(results)} results\n")
    if len(found) <= DETAILED:
        for name, line in found.items():
            rows = [
                (f"{result.when:%Y-%m-%d %H:%M}", result.name, tier(result), amount(measurement))
                for result, measurement in line
            ]
            print(f"{name}\n{table(('time, UTC', 'commit', 'tier', 'value'), rows, left=3)}\n")
    said = {name: stepping(line) for name, line in found.items()}
    rows_of_all = [
        (name, str(len(line)), amount(line[0][1]), amount(line[-1][1]), said[name])
        for name, line in sorted(found.items(), key=lambda each: (not said[each[0]], each[0]))
    ]
    print(table(("case", "results", "first", "last", "steps"), rows_of_all))
    changed = [name for name, text in said.items() if text]
    print(f"VERDICT: {len(found)} cases; {len(changed)} changed their level")
    return 0


def tier(result: Result) -> str:
    return str(result.metadata.get("ftt_tier", "?"))
