"""The command line of ``python -m stress``: its commands and their options."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.address import command
from toolkit.exits import Exit

from ..engine.catalogue import NoScenario
from ..engine.journal import RUNS, NoRun
from ..engine.plan import MODES
from ..engine.probe import CannotRun
from ..nemeses.catalogue import NEMESES
from . import commands

EXITS = """exit codes:
  0  nothing found, on what was exercised
  1  something was found
  2  usage
  3  could not run, or too little was exercised (GIL on, one processor, ...)
  4  the harness itself failed
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog=command("stress"),
        description="Tries to break any threading-shaped module, and shows what it finds.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def sub_command(name: str, help: str) -> argparse.ArgumentParser:
        sub = subs.add_parser(name, help=help, description=help)
        sub.set_defaults(function=getattr(commands, f"cmd_{name}"))
        return sub

    one = sub_command("list", "name the scenarios and nemeses")
    add_choice(one)

    one = sub_command("doctor", "say whether a run on this machine would mean anything")
    add_target(one)

    one = sub_command("run", "run scenarios until a time budget is spent")
    add_choice(one)
    add_target(one)
    one.add_argument(
        "--mode",
        choices=MODES,
        default="default",
        help="a budget by name: " + ", ".join(f"{n} {s:g} s" for n, s in MODES.items()),
    )
    one.add_argument("--budget", metavar="TIME", help="seconds, or 90s, 15m, 8h; overrides --mode")
    one.add_argument(
        "--threads", metavar="N,...", help="numbers, `cores`, `4x` (times the cores); more by turns"
    )
    one.add_argument("--seed", type=int, help="of all random choices (default: a new one)")
    one.add_argument(
        "--nemesis",
        metavar="NAME,...",
        help=f"only these, or `none`; there are {', '.join(NEMESES)}",
    )
    one.add_argument(
        "--until-failure", action="store_true", help="run without a budget until something is found"
    )
    one.add_argument(
        "-x", "--exit-first", action="store_true", help="end at the first finding, if there is one"
    )
    add_known(one)
    one.add_argument("--vs", metavar="TARGET", help="run this one, too, and compare")
    one.add_argument(
        "--python",
        nargs="+",
        metavar="PATH",
        help="interpreters to run on (default: this one)",
    )
    one.add_argument("--shard", default="1/1", metavar="K/N", help="only the k-th part of n")
    one.add_argument("--resume", metavar="RUN", help="go on with a run (or `last`) as it was")
    add_reports(one)
    add_runs(one)

    one = sub_command("repro", "show a finding again")
    one.add_argument("finding", help="its fingerprint, or its file")
    one.add_argument("--python", metavar="PATH", help="the interpreter (default: this)")
    one.add_argument("--seconds", type=float, default=120.0, help="try so long (default 120)")
    add_runs(one)

    one = sub_command("report", "print what a run has found, or write it")
    one.add_argument("run", nargs="?", default="last", help="its name or folder (default: last)")
    add_reports(one)
    add_runs(one)

    one = sub_command("compare", "say what one run found and another did not")
    one.add_argument("run", nargs=2, help="names or folders: the old one, the new one")
    add_runs(one)

    one = sub_command("history", "name all runs that are kept")
    add_runs(one)

    one = sub_command("selftest", "plant bugs into a reference and see whether they are found")
    one.add_argument(
        "--only", default="all", metavar="NAME,...", help="only these, or `none` (default all)"
    )
    one.add_argument(
        "--focused",
        action="store_true",
        help="only the scenarios of a mutant's primitive, until two oracles have seen it",
    )
    one.add_argument(
        "--held-out",
        action="store_true",
        help="bugs of CPython's history, which no scenario was written for, instead of mutants",
    )
    add_known(one)
    one.add_argument("--seeds", type=int, default=1, help="try each so often (default 1)")
    one.add_argument(
        "--budget",
        default=f"{MODES['quick']:g}",
        metavar="TIME",
        help="for one mutant and one seed, which mostly need less (default quick: %(default)s s)",
    )
    one.add_argument(
        "--golden",
        type=float,
        default=1.0,
        help="seconds of each scenario and seed on the golden reference (default %(default)s)",
    )
    one.add_argument("--shard", default="1/1", metavar="K/N", help="only the k-th part of n")
    one.add_argument(
        "--record",
        type=Path,
        default=RUNS / "selftest.jsonl",
        metavar="FILE",
        help="where all is kept as it comes; shards may share it (default %(default)s)",
    )
    one.add_argument("--resume", action="store_true", help="run only what is not in the record yet")
    one.add_argument("--json", type=Path, metavar="FILE", help="write the kill matrix")
    return top


def add_target(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--target",
        default="ftthreading",
        help="a module shaped like threading (default %(default)s); golden is the harness's own",
    )


def add_known(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--known",
        metavar="FILE",
        help="findings that are known, one a line: a fingerprint, or scenario: oracle; # its cause;"
        " `cpython` for what is known of its threading",
    )


def add_choice(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--only",
        "-k",
        default="",
        metavar="WORD,...",
        help="scenarios by name or subject; =NAME: a whole name",
    )
    one.add_argument(
        "--scenarios", action="append", default=[], metavar="FILE", help="a file with your own"
    )


def add_reports(one: argparse.ArgumentParser) -> None:
    one.add_argument("--json", type=Path, metavar="FILE", help="write all results")
    one.add_argument("--junit", type=Path, metavar="FILE", help="write results for a CI system")
    one.add_argument("--sarif", type=Path, metavar="FILE", help="write findings for a code host")
    one.add_argument("--html", type=Path, metavar="FILE", help="write a page that opens offline")


def add_runs(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--output",
        type=Path,
        default=RUNS,
        metavar="FOLDER",
        help="where runs are kept (default %(default)s)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.function(options))
    except commands.Usage as error:
        print(f"{command('stress')}: {error}", file=sys.stderr)
        return Exit.USAGE
    except (NoScenario, NoRun) as error:
        print(f"{command('stress')}: {error}", file=sys.stderr)
        return Exit.USAGE
    except CannotRun as error:
        print(f"VERDICT: COULD NOT RUN: {error}", file=sys.stderr)
        return Exit.TOO_LITTLE
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        print(f"VERDICT: COULD NOT GO ON: {error}", file=sys.stderr)
        return Exit.TOO_LITTLE
