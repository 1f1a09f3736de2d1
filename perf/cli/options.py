"""What the measuring commands share: options, checks, and plain data out."""

import argparse
import dataclasses
import faulthandler
import json
import sys
from typing import Any

from perf.instruments.implementations import Implementation, load
from perf.results.case import BASE, OWN
from toolkit.machine import gil_enabled, summary


def add_implementations(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--impl",
        default=f"{BASE},{OWN}",
        help="modules to compare, the first is the base (default %(default)s)",
    )


def add_rounds(parser: argparse.ArgumentParser, rounds: int) -> None:
    parser.add_argument(
        "--rounds", type=int, default=rounds, help="rounds of each (default %(default)s)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print all samples as JSON instead")


def implementations(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> list[Implementation]:
    """Import what `--impl` names; end with a usage error where that cannot be."""
    before = gil_enabled()
    try:
        found = load(options.impl)
    except ImportError as error:
        parser.error(f"--impl {options.impl}: {error}")
    if gil_enabled() and not before:
        parser.error(f"importing {options.impl} switched the GIL on")
    return found


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

    json.dump({"machine": summary(), "samples": found}, sys.stdout, default=plain, indent=1)
    print()
