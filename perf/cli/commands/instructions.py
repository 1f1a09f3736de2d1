"""`python -m perf instructions`: count instructions by callgrind, and keep them with a result."""

import argparse
import pathlib

from perf.cases.catalogue import named
from perf.cases.uncontended import STATEMENTS
from perf.cli.options import add_implementations, implementations
from perf.results import provenance, store
from perf.results.case import FLOOR
from perf.results.measurement import merge
from perf.runner import instructions
from perf.runner.instructions import CannotCount, Counts
from perf.worker.process import collected
from toolkit import child
from toolkit.exits import Exit
from toolkit.machine import summary
from toolkit.tables import table


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_implementations(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="cases of this name, primitive or pattern; more than once is more (default all)",
    )
    parser.add_argument(
        "--into",
        type=pathlib.Path,
        metavar="RESULT",
        help="a result folder to add the counts to (default: a new one below .perf/results)",
    )


def keep(counts: Counts, path: pathlib.Path | None) -> pathlib.Path:
    """Add the counts to a result, or make one of them alone. Raises BadResult or OSError."""
    commit, dirty = provenance.checkout()
    metadata = {**collected(), "ftt_commit": commit, "ftt_dirty": int(dirty)}
    found = instructions.measurements(counts, metadata)
    if path is None:
        tag = provenance.tag()
        path = store.new_folder(store.RESULTS, provenance.identity(), tag, commit, dirty)
    else:
        result = store.read(path)
        here = (provenance.identity(), provenance.tag(), commit)
        if (result.machine, result.tag, result.commit) != here:
            raise store.BadResult(f"{path}: of another machine, interpreter or commit")
        known = [each for cases in result.measurements.values() for each in cases.values()]
        found = merge([*known, *found])
    store.write(path, found)
    return path


def show(counts: Counts, impls: list[str], cases: list[str]) -> None:
    rows = []
    for case in cases:
        base, floor = counts[impls[0], case], counts[FLOOR, case].instructions
        for impl in impls:
            own = counts[impl, case]
            rows.append(
                [
                    case,
                    impl,
                    f"{own.instructions:,.1f}",
                    f"{base.instructions / own.instructions:.3f}" if impl != impls[0] else "",
                    f"{own.instructions - floor:,.1f}",
                    str(own.blocks),
                ]
            )
    heads = ["case", "implementation", "instructions", f"against {impls[0]}", "above the floor"]
    print(table([*heads, "blocks left"], rows, left=2))
    print(
        "\nOf one operation; above 1 is fewer. The floor is a call of a method that does nothing."
    )


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Count, show and keep; return the exit code."""
    try:
        known = [each.case for each in STATEMENTS]
        cases = [case.id for case in (named(options.only, known) if options.only else known)]
    except LookupError as error:
        parser.error(f"--only {error}: no such case")
    if options.into is not None:
        try:
            store.read(options.into)
        except store.BadResult as error:
            parser.error(f"--into: {error}")
    impls = [side.name for side in implementations(parser, options)]
    print(f"{summary()}\n{len(cases)} cases of {', '.join(impls)} under callgrind: about 15 s\n")
    interrupts = child.Interrupts()
    interrupts.watch()
    try:
        counts = instructions.count([*impls, FLOOR], cases, interrupts)
        path = keep(counts, options.into)
    except CannotCount as error:
        print(f"VERDICT: nothing was counted: {error}")
        return Exit.TOO_LITTLE
    except store.BadResult as error:
        print(f"VERDICT: counted, but not kept: {error}")
        return Exit.TOO_LITTLE
    except child.Interrupted as interrupted:
        return child.die_of(interrupted.signum)
    show(counts, impls, cases)
    leaks = [f"{impl} {case}" for (impl, case), each in counts.items() if each.blocks > 0]
    print(f"kept in {path}")
    print(f"VERDICT: statements that leave memory behind: {', '.join(leaks) or 'none'}.")
    return int(any(leak.startswith("ftthreading ") for leak in leaks))
