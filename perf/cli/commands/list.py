"""`python -m perf list`: the cases of this machine, or the results that are kept."""

import argparse
import pathlib

from perf.cases import catalogue
from perf.cases.catalogue import TIERS
from perf.cli import result_names
from perf.instruments.bench import Axes
from perf.results import provenance, store
from toolkit.machine import usable_cpus
from toolkit.tables import table


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="as for `run --only`")
    parser.add_argument("--tier", choices=TIERS, default="full", help="only this tier's cases")
    parser.add_argument("--results", action="store_true", help="name results instead of cases")
    result_names.add_output(parser)


def results(root: pathlib.Path) -> int:
    """Name all results; return the exit code."""
    found = store.find(root)
    here = provenance.identity()
    rows = [
        (
            path.parent.parent.name + (" (this)" if path.parent.parent.name == here else ""),
            path.parent.name,
            path.name,
            ", ".join(sorted(file.name.removesuffix(store.SUFFIX) for file in path.iterdir())),
        )
        for path in found
    ]
    if rows:
        print(table(("machine", "interpreter", "result", "implementations"), rows, left=4))
    print(f"VERDICT: {len(rows)} results in {root}")
    return 0


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Name what was asked for; return the exit code."""
    if options.results:
        return results(options.output)
    axes = Axes.of(usable_cpus())
    cases = catalogue.of_tier(options.tier, axes)
    try:
        cases = catalogue.named(options.patterns, cases) if options.patterns else cases
    except LookupError as error:
        parser.error(f"{error}: no such case in the tier {options.tier}")
    smoke, gate = ({case.id for case in catalogue.of_tier(t, axes)} for t in ("smoke", "gate"))
    rows = [
        (
            case.id,
            case.kind,
            "smoke" if case.id in smoke else "",
            "gate" if case.id in gate else "",
            ", ".join(catalogue.references(case)),
        )
        for case in cases
    ]
    print(table(("case", "kind", "", "", "bounds"), rows, left=5))
    print(f"VERDICT: {len(rows)} cases for {usable_cpus()} usable CPUs")
    return 0
