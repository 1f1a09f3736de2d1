"""The focused form of the self-test: what fills one cell of its matrix.

For each mutant and seed, batches of the scenarios of its primitive are run in an order of the
seed's, with nemeses of the seed's, each pass longer than the last; until two oracles have seen the
bug (one, where the mutant says why there is one only) or the budget is spent. Nothing of this
depends on what the bug is.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ..engine.children import Children
from ..engine.runner import GRACE
from ..records import findings
from ..records.batch import Batch
from ..targets.mutants.mutant import Mutant
from .matrix import GOLDEN, Cell, Kill, oracle_of
from .planted import QUIET, planted
from .schedule import batches, relevant, scenarios

AGAIN = 3
"""How often a scenario that has killed is run again at once."""
LONG_SEEN = ("progress", "lost wake-up")
"""Oracles that take long to be sure."""


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def hash_of_bug(target: str) -> str:
    """Return what changes with a planted bug."""
    if target in QUIET:
        return target
    mutant = planted()[target]
    return digest(f"{mutant.part}\0{mutant.old}\0{mutant.new}")


@functools.cache
def hash_of_harness() -> str:
    """Return what changes with the source of the harness."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return digest("\0".join(file.read_text(encoding="utf-8") for file in files))


def new_cell(target: str, seed: int, budget: float) -> Cell:
    """Return an empty cell of this harness."""
    return Cell(target, seed, hash_of_bug(target), hash_of_harness(), budget)


def cell_of(mutant: Mutant, seed: int, budget: float) -> Cell:
    """Look for a mutant's bug, for so many seconds."""
    cell = new_cell(mutant.name, seed, budget)
    late: set[str] = set()
    for batch in batches(mutant.name, relevant(mutant), seed):
        if over(cell):
            break
        # What has seen it sees it by the same oracle, as a rule: others first.
        if batch.scenario in late and len(late) < len(relevant(mutant)):
            late.discard(batch.scenario)
        elif one(cell, batch):
            late.add(batch.scenario)
            again(cell, batch)
    return cell


def over(cell: Cell) -> bool:
    """Return whether nothing more is to be run for a mutant and a seed."""
    needed = 1 if planted()[cell.target].alone else 2
    return cell.spent >= cell.budget or len(cell.oracles) >= needed or bool(cell.error)


def again(cell: Cell, batch: Batch) -> None:
    """Run what has killed a few times more: another oracle may be the first to look then."""
    for k in range(1, AGAIN + 1):
        if cell.kills[-1].oracle in LONG_SEEN or over(cell):
            return
        nemeses = () if k % 2 else ("lines",)
        one(cell, replace(batch, seed=batch.seed + k, nemeses=nemeses))


def golden_cell(seed: int, seconds: float) -> Cell:
    """Run every scenario once on the golden reference, each for so many seconds."""
    names = list(scenarios())
    cell = new_cell(GOLDEN, seed, 600.0 + seconds * len(names))
    for _, batch in zip(names, batches(GOLDEN, names, seed), strict=False):
        one(cell, replace(batch, seconds=seconds))
    return cell


def one(cell: Cell, batch: Batch) -> bool:
    """Run one batch and take note; return whether it has found something."""
    folder = Path(tempfile.mkdtemp(prefix="stress-selftest-"))
    begin = time.monotonic()
    try:
        with Children(folder / "child") as children:
            limit = cell.budget - cell.spent + GRACE
            result = children.run(batch, folder / "batch", native=False, limit=limit)
        found = findings.read_all(folder / "batch" / "found")
        found.sort(key=lambda finding: finding.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cell.spent += time.monotonic() - begin
    cell.tried[batch.scenario] = cell.tried.get(batch.scenario, 0) + 1
    if result.error:
        cell.error = f"{batch.key()}: {result.error}"
    if found:
        first = found[0]
        ops = cell.ops + first.ops
        kill = Kill(batch.scenario, oracle_of(first), first.message, ops, cell.spent, batch.nemeses)
        cell.kills.append(kill)
    cell.ops += max([result.ops, *(finding.ops for finding in found)])
    return bool(found)
