"""`python -m perf programs`: real programs under `threading` and under ftthreading, by turns."""

import argparse
import contextlib
import pathlib
import resource
import sys
import tempfile

from perf.cli import result_names
from perf.cli.options import add_json, add_rounds, print_json
from perf.cli.programs_table import show
from perf.programs import catalogue
from perf.runner.load import Load
from perf.runner.programs import SIDES, Found, ProgramFailed, ProgramRunner, compare, present
from toolkit import child
from toolkit.machine import summary
from toolkit.progress import Progress


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "programs",
        nargs="*",
        metavar="PROGRAM",
        help=f"of {', '.join(catalogue.ALL)} (default: all)",
    )
    parser.add_argument(
        "--quickstart",
        action="store_true",
        help=f"where none is named, only {', '.join(catalogue.QUICKSTART)}",
    )
    add_rounds(parser, 6)
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    parser.add_argument("--limit", type=float, default=300, help="seconds a run may take")
    parser.add_argument(
        "--beside-load", action="store_true", help="keep every core busy with another process"
    )
    add_json(parser)
    parser.add_argument(
        "--page", type=pathlib.Path, metavar="FILE", help="keep the result and write a page of it"
    )
    result_names.add_output(parser)


def keep(found: Found, options: argparse.Namespace) -> str:
    """Write result and page as the options say; return where they are. Raises ProgramFailed."""
    # Late: only this needs pyperf and the charting library.
    from perf.cli import programs_page
    from perf.dashboard.page import NoPlotly
    from perf.results.store import BadResult

    try:
        return programs_page.keep(
            found, options.scale, options.beside_load, options.output, options.page
        )
    except (OSError, BadResult, NoPlotly) as error:
        raise ProgramFailed(f"the programs ran, but there is no page of them: {error}") from None


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Compare the programs as the options say, and report; return the exit code."""
    if unknown := set(options.programs) - set(catalogue.ALL):
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    if options.rounds < 1 or options.scale <= 0 or options.limit <= 0:
        parser.error("--rounds, --scale and --limit must be positive")

    # A hung program is aborted for its stacks, not for a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    interrupts = child.Interrupts()
    interrupts.watch()
    default = catalogue.QUICKSTART if options.quickstart else catalogue.ALL
    names, absent = present(options.programs or default)
    if not names:
        print(f"VERDICT: FAILED: {absent}", file=sys.stderr)
        return 1
    total = len(names) * len(SIDES) * options.rounds
    beside = ", beside a busy process on each core" if options.beside_load else ""
    if not options.json:
        print(summary())
        print(
            f"{len(names)} programs, {options.rounds} rounds under each module: "
            f"{total} runs{beside}\n",
            flush=True,
        )
    if absent:
        print(absent, file=sys.stderr)
    progress = Progress(total)
    found: Found = {}
    try:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="perf-programs-"))
            load = stack.enter_context(Load()) if options.beside_load else None
            runner = ProgramRunner(folder, options.limit, interrupts, progress)
            runner.probe()
            compare(runner, names, options.rounds, options.scale, progress, found)
            if load and not load.whole():
                raise ProgramFailed("a process of the load ended early")
        note = keep(found, options) if options.page else ""
    except ProgramFailed as failure:
        progress.clear()
        print(f"VERDICT: FAILED: {failure}", file=sys.stderr)
        return 1
    except child.Interrupted as interrupted:
        progress.clear()
        if found and not options.json:
            left = ", ".join(name for name in names if name not in found)
            show(found, options.rounds, (absent, f"not run, or not whole: {left}" if left else ""))
        print(f"interrupted by {interrupted}; nothing is left behind", file=sys.stderr)
        return child.die_of(interrupted.signum)
    if options.json:
        print_json(found)
    else:
        show(found, options.rounds, (absent, note))
    return 0
