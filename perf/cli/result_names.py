"""Results as people name them on a command line: a folder, `last`, `last~1`, or a commit."""

import argparse
import pathlib
import re

from perf.results import provenance, store
from perf.results.measurement import Result
from perf.results.store import BadResult


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=store.RESULTS,
        metavar="FOLDER",
        help="where results are kept (default: .perf/results in the checkout)",
    )


def result(name: str, root: pathlib.Path) -> Result:
    """Read the result that a name means; `last` and commits are of this machine and interpreter.

    Raises BadResult.
    """
    if pathlib.Path(name).is_dir():
        return store.read(name)
    here = (provenance.identity(), provenance.tag())
    if match := re.fullmatch(r"last(?:~(\d+))?", name):
        known = store.find(root, *here)
        back = int(match[1] or 0)
    else:
        known = store.find(root, *here, commit=name) if re.fullmatch("[0-9a-f]{4,12}", name) else []
        back = 0
    if back >= len(known):
        raise BadResult(f"{name}: no such result of machine {here[0]}, {here[1]} below {root}")
    return store.read(known[-1 - back])
