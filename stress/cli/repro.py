"""Shows a finding again: the same batch, from the round that failed, until the same is seen."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
import time
from pathlib import Path

from toolkit.child import INTERRUPTS, Interrupted
from toolkit.exits import Exit

from ..engine.children import Children
from ..engine.totals import bound
from ..records import findings
from ..records.findings import Finding
from .report import finding_text

FIRST_SLICE = 5.0
"""Seconds of the first try; each later one lasts longer, and begins elsewhere."""


def repro(finding: Finding, seconds: float, root: Path, python: str) -> Exit:
    """Run until the finding is there again or the seconds are over; print what came of it."""
    batch = finding.batch
    print(
        f"running {batch.scenario} on {batch.target}, {batch.threads} threads, nemeses"
        f" {', '.join(batch.nemeses) or 'none'}, seed {batch.seed}, from round {finding.round},"
        f" for at most {seconds:g} s",
        flush=True,
    )
    begin = time.monotonic()
    rounds = ops = 0
    first, limit = finding.round, FIRST_SLICE
    others: set[str] = set()
    folder = Path(tempfile.mkdtemp(prefix="stress-repro-"))
    try:
        with INTERRUPTS.watched():
            while (left := seconds - (time.monotonic() - begin)) > 0:
                INTERRUPTS.check()
                again = dataclasses.replace(batch, first=first, seconds=min(limit, left))
                with Children(folder / "child", python) as children:
                    result = children.run(again, folder / "batch", native=False)
                rounds, ops = rounds + result.rounds, ops + result.ops
                if result.error:
                    print(result.error, file=sys.stderr)
                    print("VERDICT: THE HARNESS FAILED")
                    return Exit.BROKEN
                for one in findings.read_all(folder / "batch" / "found"):
                    if one.fingerprint == finding.fingerprint:
                        print(finding_text(one, root, lines=60))
                        took = time.monotonic() - begin
                        print(f"VERDICT: FOUND again after {took:.1f} s")
                        return Exit.FOUND
                    others.add(f"{one.fingerprint} ({one.oracle}: {one.message})")
                shutil.rmtree(folder)
                first, limit = 0 if first else finding.round, limit * 1.5
    except Interrupted as stop:
        print(f"stopped by {stop}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for other in sorted(others):
        print(f"seen instead: {other}")
    if others:
        print("VERDICT: FOUND, but another failure of the same scenario")
        return Exit.FOUND
    print(f"VERDICT: not seen again in {rounds:,} rounds, {ops:,} operations: {bound(rounds)}")
    return Exit.NOTHING_FOUND
