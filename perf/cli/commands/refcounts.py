"""`python -m perf refcounts`: references that a call takes on a lock made by another thread."""

import argparse
import queue
import sysconfig

from perf.cases.refcounts import PATHS, Row, measure
from perf.cli.options import add_implementations, add_json, failed, implementations, print_json
from toolkit.machine import summary
from toolkit.tables import table


def show(found: list[Row]) -> None:
    heads = ["object", *PATHS.values()]
    print(table(heads, [[row.name, *map(str, row.taken.values())] for row in found]))
    print("\nReferences that one call by another thread than the object's maker takes on it.")
    free = [row.name for row in found if not any(row.taken.values())]
    print(f"VERDICT: no reference taken on any path: {'; '.join(free) or 'nothing'}.")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_implementations(parser)
    add_json(parser)


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Count, and show what was found; return the exit code."""
    sides = implementations(parser, options)
    counts = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    if not options.json:
        print(summary(), end="\n\n", flush=True)
    try:
        found = measure(sides) if counts else []
    except (TimeoutError, queue.Empty) as error:
        return failed(str(error) or "a call did not end")
    if options.json:
        print_json(found)
    elif counts:
        show(found)
    else:
        print("VERDICT: nothing to measure: a GIL build has one plain reference count.")
    return 0
