"""`python -m perf dash`: write the page, or the picture."""

import argparse
import os
import pathlib
import sys
from collections.abc import Iterable

from perf import store
from perf.dashboard import data, page, picture

LAST = 60


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results",
        nargs="*",
        metavar="RESULT",
        type=pathlib.Path,
        help="result folders, the picture's from the first (default: all below --root)",
    )
    parser.add_argument("--root", type=pathlib.Path, default=store.RESULTS, help="folder of results")
    parser.add_argument(
        "-o",
        "--output",
        type=pathlib.Path,
        metavar="FILE",
        help="the page (default dashboard.html beside the folder of results)",
    )
    parser.add_argument(
        "--last",
        type=int,
        default=LAST,
        help="results to keep of each machine and interpreter, the newest (default %(default)s)",
    )
    parser.add_argument(
        "--picture",
        type=pathlib.Path,
        metavar="FILE",
        help="write one SVG of the newest result with curves over threads, and no page",
    )


def newest(folders: Iterable[pathlib.Path], count: int) -> list[pathlib.Path]:
    """Return the last `count` of each machine and interpreter, in their order."""
    kept: dict[pathlib.Path, list[pathlib.Path]] = {}
    for folder in folders:
        kept.setdefault(folder.parent, []).append(folder)
    chosen = {folder for group in kept.values() for folder in group[-count:]}
    return sorted(chosen, key=lambda folder: (folder.name, folder))


def write(path: pathlib.Path, text: str) -> None:
    """Write the file at once, so that an interrupted call leaves the one before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def failed(message: object) -> int:
    print(f"VERDICT: FAILED: {message}", file=sys.stderr)
    return 2


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.last < 1:
        parser.error("--last must be positive")
    named = [folder.resolve() for folder in options.results]
    folders = named or store.find(options.root)
    if not folders:
        return failed(f"no result below {options.root}; make one by: python -m perf run --tier smoke")
    chosen = newest(sorted(set(folders), key=lambda folder: (folder.name, folder)), options.last)
    print(f"reading {len(chosen)} results", flush=True)
    try:
        results = [store.read(folder) for folder in chosen]
        if options.picture:
            write(options.picture, picture.draw(picture.choose(results, named)))
            print(f"VERDICT: wrote {options.picture}")
            return 0
        output = options.output or options.root.parent / "dashboard.html"
        write(output, page.page(data.build(results, len(set(folders)) - len(chosen))))
    except (store.BadResult, page.NoPlotly, picture.NothingToDraw, OSError) as error:
        return failed(error)
    size = output.stat().st_size / 1e6
    print(f"VERDICT: wrote {output} ({size:.1f} MB, opens without a network): {output.resolve().as_uri()}")
    return 0
