"""What the measuring commands share: options, checks, and plain data out."""

import argparse
import dataclasses
import json
import sys
from typing import Any

from perf.implementations import BASE, Implementation, load
from perf.report import gil_enabled, machine


def add_options(parser: argparse.ArgumentParser, rounds: int, window: float = 0) -> None:
    parser.add_argument(
        "--impl",
        default=f"{BASE},ftthreading",
        help="modules to compare, the first is the base (default %(default)s)",
    )
    parser.add_argument(
        "--rounds", type=int, default=rounds, help="rounds of each (default %(default)s)"
    )
    if window:
        parser.add_argument(
            "--window",
            type=float,
            default=window,
            help="seconds that one sample lasts (default %(default)s)",
        )
        parser.add_argument("--pin", action="store_true", help="bind each thread to one CPU")
    parser.add_argument("--json", action="store_true", help="print all samples as JSON instead")


def implementations(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> list[Implementation]:
    """Import what `--impl` names; end with a usage error where that cannot be."""
    if options.rounds < 1 or getattr(options, "window", 1) <= 0:
        parser.error("--rounds and --window must be positive")
    before = gil_enabled()
    try:
        found = load(options.impl)
    except ImportError as error:
        parser.error(f"--impl {options.impl}: {error}")
    if gil_enabled() and not before:
        parser.error(f"importing {options.impl} switched the GIL on")
    return found


def print_json(found: Any) -> None:
    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.asdict(value)
        raise TypeError(f"no JSON for {value!r}")

    json.dump({"machine": machine(), "samples": found}, sys.stdout, default=plain, indent=1)
    print()
