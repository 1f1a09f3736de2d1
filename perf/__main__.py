"""The command line: `python -m perf`."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from toolkit.address import command, lacks
from toolkit.exits import Exit, call

CALLED = command("perf")

# Each is a module of perf/cli/commands; it is imported only when it is asked for.
COMMANDS = {
    "list": "name the cases and the results that are kept",
    "doctor": "say what disturbs measurements on this machine, and what to do about it",
    "run": "measure, and keep the result",
    "compare": "compare two results, or two implementations in one",
    "programs": "run real programs under `threading` and under ftthreading, by turns",
    "instructions": "count instructions by callgrind: the same in every run",
    "refcounts": "count references that a call takes on another thread's lock",
    "ab": "compare two commits, or a commit and the work tree, measured by turns",
    "selftest": "show that `ab` finds planted slowdowns, and nothing else",
    "history": "follow a case over the results of one machine and interpreter",
    "dash": "write one HTML page of the results, readable without a network",
}
EXITS = """exit codes:
  0  done, no regression
  1  a regression, or a primitive that did what it must never do
  2  usage
  3  too noisy to tell, or nothing to tell of; the last line says which
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return its exit code."""
    commands = "\n".join(f"  {name:<12} {what}" for name, what in COMMANDS.items())
    top = argparse.ArgumentParser(
        prog=CALLED,
        usage=f"{CALLED} COMMAND [OPTION ...]",
        description="Measures `threading`-shaped modules, and tells regressions from noise.",
        epilog=f"commands:\n{commands}\n\n{EXITS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = top.parse_args(words[:1]).command
    try:
        module = importlib.import_module(f"perf.cli.commands.{name}")
    except ModuleNotFoundError as error:
        print(lacks("perf", error), file=sys.stderr)
        return Exit.TOO_LITTLE
    parser = argparse.ArgumentParser(
        prog=f"{CALLED} {name}",
        description=f"{COMMANDS[name].capitalize()}.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    code: int = module.main(parser, parser.parse_args(words[1:]))
    return code


if __name__ == "__main__":
    sys.exit(call(main))
