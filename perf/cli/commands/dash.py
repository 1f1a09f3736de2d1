"""`python -m perf dash`: write the page, or the picture."""

import argparse
import pathlib
import sys
from collections.abc import Iterable

from perf.cli import result_names
from perf.dashboard import data, page, picture
from perf.results import store
from toolkit.address import command
from toolkit.exits import Exit
from toolkit.files import write_atomically

LAST = 60
NAME = "dashboard.html"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "results",
        nargs="*",
        metavar="RESULT",
        help="folders, commits, `last` or `last~1`; the picture's is the first (default: all)",
    )
    result_names.add_output(parser)
    parser.add_argument(
        "--page",
        type=pathlib.Path,
        metavar="FILE",
        help=f"the page (default: {NAME} beside the folder of results)",
    )
    parser.add_argument(
        "--last",
        type=int,
        default=LAST,
        help="results to take of each machine and interpreter, the newest (default %(default)s)",
    )
    parser.add_argument(
        "--picture",
        type=pathlib.Path,
        metavar="FILE",
        help="write one SVG of the newest result that has curves over threads, and no page",
    )


def newest(folders: Iterable[pathlib.Path], count: int) -> list[pathlib.Path]:
    """Return the last `count` of each machine and interpreter, in the order of time."""
    kept: dict[pathlib.Path, list[pathlib.Path]] = {}
    for folder in folders:
        kept.setdefault(folder.parent, []).append(folder)
    chosen = {folder for group in kept.values() for folder in group[-count:]}
    return sorted(chosen, key=lambda folder: (folder.name, folder))


def failed(message: object) -> int:
    print(f"VERDICT: FAILED: {message}", file=sys.stderr)
    return Exit.TOO_LITTLE


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Write the page or the picture; return the exit code."""
    if options.last < 1:
        parser.error("--last must be positive")
    try:
        results = [result_names.result(name, options.output) for name in options.results]
        folders = [result.path for result in results] or store.find(options.output)
        if not folders:
            make = f"{command('perf')} run --tier smoke"
            return failed(f"no result below {options.output}; make one by: {make}")
        chosen = folders if options.results else newest(folders, options.last)
        print(f"reading {len(chosen)} results", flush=True)
        results = sorted(results or map(store.read, chosen), key=lambda result: result.when)
        if options.picture:
            named = folders[:1] if options.results else []
            write_atomically(options.picture, picture.draw(picture.choose(results, named)))
            print(f"VERDICT: wrote {options.picture}")
            return 0
        output = options.page or options.output.parent / NAME
        write_atomically(output, page.page(data.build(results, len(folders) - len(chosen))))
    except (store.BadResult, page.NoPlotly, picture.NothingToDraw, OSError) as error:
        return failed(error)
    size = output.stat().st_size / 1e6
    where = output.resolve().as_uri()
    print(f"VERDICT: wrote {size:.1f} MB that open without a network: {where}")
    return 0
