"""``python -m ftthreading dump PID`` and ``top PID``: who waits for what in another process.

The process may hang and be unable to answer: its memory is read (Linux). Nothing is injected into
it, and it is not stopped, unless gdb is asked for by ``--native``.

    memory              the bytes of another process, and what /proc says of it
    table               where in them our lists are, and how they are laid out
    read                threads, calls and locks, as far as they stand still
    verdicts            cycles, locks of ended threads
    stacks              Python and native stacks, by others
    text                all that in words
    top                 again and again
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from .memory import ProcessMemory, Refused
from .read import SnapshotReader
from .stacks import native_stacks, other_stacks, python_stacks
from .text import dump_lines
from .top import top
from .verdicts import PAUSE, judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .stacks import Stacks

_CODES = """\
exit codes: 0 shown; 2 usage; 3 there is no such process, or it has ended; 4 the kernel
forbids to read it; 5 it does not run ftthreading; 6 it runs another build or version; 7 it
changes too fast; 8 this system cannot do that
"""


def is_command(arguments: list[str]) -> bool:
    """Whether it is `dump` or `top`, and not a program that is called so.

    With a file of that name in the current directory only if a PID follows at once.
    """
    if arguments[0] not in ("dump", "top"):
        return False
    followed = len(arguments) > 1 and arguments[1].isdecimal()
    return followed or not os.path.lexists(arguments[0])


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit code."""
    options = _parse(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        reader = SnapshotReader(ProcessMemory(options.pid))
        if options.command == "top":
            return top(reader, options.interval, options.count)
        _dump(reader, options.stacks, options.native)
        sys.stdout.flush()
    except Refused as refused:
        print(f"ftthreading {options.command}: {refused}", file=sys.stderr)
        return refused.code
    except BrokenPipeError:
        # Nobody reads on. Without this the interpreter complains when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _dump(reader: SnapshotReader, stacks: bool, native: bool) -> None:
    before = reader.snapshot()
    time.sleep(PAUSE)
    snapshot = reader.snapshot()
    by_thread: Stacks = {}
    notes = []
    if stacks:
        by_thread, reason = python_stacks(snapshot)
        if reason:
            text, by = other_stacks(snapshot)
            notes += [f"Stacks, by {by}:", text] if text else [f"No stacks: {reason}; {by}."]
    if native:
        text, by = native_stacks(snapshot)
        notes += [f"Native stacks, by {by}:", text] if text else [f"No native stacks: {by}."]
    print("\n".join(dump_lines(snapshot, judge(before, snapshot), by_thread, notes)))


def _parse(arguments: list[str]) -> argparse.Namespace:
    command = arguments[0]
    parser = argparse.ArgumentParser(
        prog=f"python -m ftthreading {command}",
        description=(
            "Show who waits for what in another process, of which nothing is changed (Linux)."
            if command == "dump"
            else "Show again and again who waits for what in another process, the longest wait"
            " first, until Ctrl-C or the process's end (Linux)."
        ),
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("pid", metavar="PID", type=_pid, help="the number of the process")
    if command == "dump":
        parser.add_argument(
            *("--no-stacks", "-n"), dest="stacks", action="store_false", help="without stacks"
        )
        parser.add_argument(
            "--native",
            action="store_true",
            help="native stacks too, by gdb, which stops the process for that long",
        )
    else:
        parser.add_argument("--count", metavar="N", type=_positive, help="refresh so many times")
        parser.add_argument(
            *("--interval",),
            metavar="SECONDS",
            type=_seconds,
            default=1.0,
            help="between two refreshes (1)",
        )
    options = parser.parse_args(arguments[1:])
    options.command = command
    return options


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a positive number is needed, not {text!r}")
    return int(text)


def _pid(text: str) -> int:
    number = _positive(text)
    if number >= 1 << 31:
        raise argparse.ArgumentTypeError(f"no process has the number {text}")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"seconds are needed, not {text!r}")
    return seconds
