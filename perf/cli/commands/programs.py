"""`python -m perf programs`: real programs under `threading` and under ftthreading, by turns."""

import argparse

from perf.programs import catalogue
from perf.runner import programs


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "programs",
        nargs="*",
        metavar="PROGRAM",
        help=f"of {', '.join(catalogue.ALL)} (default: all)",
    )
    programs.add_options(parser, rounds=6)


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Run what was asked for; return the exit code."""
    if unknown := set(options.programs) - set(catalogue.ALL):
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    return programs.measure(parser, options, options.programs or catalogue.ALL)
