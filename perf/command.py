"""What the measuring commands share: options, checks, and plain data out."""

import argparse
import dataclasses
import faulthandler
import gc
import json
import sys
import threading
from typing import Any

from perf.implementations import BASE, Implementation, load
from perf.report import gil_enabled, machine


class Broken(Exception):
    """A primitive did what it must never do; no time is worth reporting then."""


def add_options(
    parser: argparse.ArgumentParser, rounds: int = 0, window: float = 0, pin: bool = False
) -> None:
    """Add the options that all have; a measurement without rounds or windows leaves them out."""
    add_implementations(parser)
    if rounds:
        add_rounds(parser, rounds)
    if window:
        parser.add_argument(
            "--window",
            type=float,
            default=window,
            help="seconds that one sample lasts (default %(default)s)",
        )
    if pin:
        parser.add_argument("--pin", action="store_true", help="bind each thread to one CPU")
    add_json(parser)


def add_implementations(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--impl",
        default=f"{BASE},ftthreading",
        help="modules to compare, the first is the base (default %(default)s)",
    )


def add_rounds(parser: argparse.ArgumentParser, rounds: int) -> None:
    parser.add_argument(
        "--rounds", type=int, default=rounds, help="rounds of each (default %(default)s)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print all samples as JSON instead")


def words(text: str) -> list[str]:
    """Split an option's value at its commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def chosen(
    parser: argparse.ArgumentParser, option: str, wanted: list[str], known: list[str]
) -> list[str]:
    """Return `known` without what is not wanted; end with a usage error for an unknown name."""
    if unknown := [name for name in wanted if name not in known]:
        parser.error(f"{option}: no {', '.join(unknown)}; there are {', '.join(known)}")
    return [name for name in known if name in wanted] if wanted else known


def implementations(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> list[Implementation]:
    """Import what `--impl` names; end with a usage error where that cannot be."""
    rounds = getattr(options, "rounds", None)
    if (rounds is not None and rounds < 1) or getattr(options, "window", 1) <= 0:
        parser.error("--rounds and --window must be positive")
    before = gil_enabled()
    try:
        found = load(options.impl)
    except ImportError as error:
        parser.error(f"--impl {options.impl}: {error}")
    if gil_enabled() and not before:
        parser.error(f"importing {options.impl} switched the GIL on")
    return found


def prepare() -> None:
    """Bring the interpreter into the state of a threaded program, and keep it there."""
    # CPython 3.13t changes how it counts references when the first thread is made.
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    gc.collect()
    gc.freeze()
    gc.disable()


def failed(error: object) -> int:
    """Report a measurement that broke, with all threads' stacks; return the exit code."""
    print(f"VERDICT: FAILED: {error}", file=sys.stderr, flush=True)
    faulthandler.dump_traceback(all_threads=True)
    return 1


def print_json(found: Any) -> None:
    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.asdict(value)
        raise TypeError(f"no JSON for {value!r}")

    json.dump({"machine": machine(), "samples": found}, sys.stdout, default=plain, indent=1)
    print()
