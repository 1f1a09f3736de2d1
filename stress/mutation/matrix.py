"""What the self-test knows: cells of the kill matrix, kept line by line, and what they amount to.

A cell is one mutant and one seed: what found the bug, after how many operations. An *oracle* is
counted by its name, whatever scenario it watches in, and only the first finding of a batch counts:
what comes after it may be its consequence.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toolkit.tables import table

from ..records.batch import read_kept
from ..records.findings import Finding
from ..targets.mutants.mutant import Mutant

ENOUGH = 0.95
"""The share of seeds on which a mutant has to be killed."""
GOOD = 0.9
"""The share of mutants that have to be killed so by `run`, which nobody tells where to look."""
GOLDEN = "golden"
DIRECTED = -1
"""In place of a seed: to see whether it can, a scenario that had killed nobody was run on this."""
KINDS = {"hang": "progress", "outcome": "outcome", "exception": "exception", "crash": "crash"}
"""The oracles that watch in every scenario, by the kind of what they find."""


def oracle_of(finding: Finding) -> str:
    """Return the name of the oracle that saw it."""
    return KINDS.get(finding.kind, finding.oracle)


@dataclasses.dataclass(frozen=True)
class Kill:
    """One finding in a mutant, the first of its batch."""

    scenario: str
    oracle: str
    message: str
    ops: int
    """Operations of this cell, those of earlier batches included."""
    seconds: float
    """The part of the cell's budget that was spent by then."""
    nemeses: tuple[str, ...] = ()


@dataclasses.dataclass
class Cell:
    """All batches of one mutant, or of the golden reference, with one seed."""

    target: str
    seed: int
    bug: str
    """A hash of what was planted: a cell of an older bug of this name is not used again."""
    harness: str
    """A hash of the harness's source."""
    budget: float
    spent: float = 0.0
    ops: int = 0
    tried: dict[str, int] = dataclasses.field(default_factory=dict)
    """In how many batches each scenario was run."""
    kills: list[Kill] = dataclasses.field(default_factory=list)
    error: str = ""

    @property
    def oracles(self) -> set[str]:
        """The names of all oracles that saw it."""
        return {kill.oracle for kill in self.kills}

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Cell:
        """Read what `to_json` has made. Raises TypeError or KeyError."""
        kills = [Kill(**{**kill, "nemeses": tuple(kill["nemeses"])}) for kill in data["kills"]]
        return cls(**{**data, "kills": kills})


class Record:
    """A file with a line for each cell; several processes may add to it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cells(self) -> list[Cell]:
        """Return all cells; a torn line is left out."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                found.append(Cell.from_json(read_kept(line)))
            except (ValueError, TypeError, KeyError):
                continue
        return found

    def add(self, cell: Cell) -> None:
        """Keep a cell; it is on the disk when this returns."""
        line = json.dumps(cell.to_json()) + "\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, line.encode())
            os.fsync(file)
        finally:
            os.close(file)


class Score:
    """All cells of one mutant."""

    def __init__(self, mutant: Mutant, cells: Iterable[Cell], focused: bool) -> None:
        self.mutant = mutant
        self.focused = focused
        self.cells = [cell for cell in cells if cell.seed != DIRECTED]

    @property
    def killed(self) -> int:
        """For how many seeds something was found."""
        return sum(bool(cell.kills) for cell in self.cells)

    @property
    def twice(self) -> int:
        """For how many seeds two oracles or more have seen it."""
        return sum(len(cell.oracles) >= 2 for cell in self.cells)

    @property
    def oracles(self) -> Counter[str]:
        """By how many seeds each oracle has seen it."""
        return Counter(oracle for cell in self.cells for oracle in sorted(cell.oracles))

    @property
    def scenarios(self) -> Counter[str]:
        """For how many seeds each scenario has killed it."""
        return Counter(
            name for cell in self.cells for name in sorted({kill.scenario for kill in cell.kills})
        )

    @property
    def median_ops(self) -> float:
        """The median of the operations until the first kill; not a number if there was none."""
        first = [min(kill.ops for kill in cell.kills) for cell in self.cells if cell.kills]
        return statistics.median(first) if first else math.nan

    @property
    def median_seconds(self) -> float:
        """The median of the seconds until the first kill; not a number if there was none."""
        first = [min(kill.seconds for kill in cell.kills) for cell in self.cells if cell.kills]
        return statistics.median(first) if first else math.nan

    def missing(self) -> list[str]:
        """Return what is missing, in words; nothing if the mutant is seen as it should be."""
        enough = ENOUGH * len(self.cells)
        found = []
        if self.killed < enough:
            found.append(f"killed on {self.killed} of {len(self.cells)} seeds only")
        if not self.focused:
            return found
        if self.mutant.alone:
            if len(self.oracles) > 1:
                seen = ", ".join(sorted(self.oracles))
                found.append(f"said to be seen by one oracle only, yet {seen} have seen it")
        elif self.twice < enough:
            found.append(f"seen by two oracles on {self.twice} of {len(self.cells)} seeds only")
        return found


class Matrix:
    """All that is known of some mutants and the golden reference."""

    def __init__(
        self,
        mutants: Iterable[Mutant],
        cells: Iterable[Cell],
        *,
        quiet: str = GOLDEN,
        focused: bool = True,
    ) -> None:
        """quiet: the target in which nothing must be found."""
        mutants, every = list(mutants), list(cells)
        self.scores = {
            m.name: Score(m, [cell for cell in every if cell.target == m.name], focused)
            for m in mutants
        }
        self.quiet = quiet
        self.golden = [cell for cell in every if cell.target == quiet]
        mine = [cell for cell in every if cell.target in self.scores]
        self.errors = [
            f"{cell.target}, seed {cell.seed}: {cell.error}"
            for cell in [*mine, *self.golden]
            if cell.error
        ]
        self.harnesses = {cell.harness for cell in [*mine, *self.golden]}
        self.tried = {name for cell in mine for name in cell.tried}
        self.victims: dict[str, set[str]] = {name: set() for name in sorted(self.tried)}
        for cell in mine:
            for kill in cell.kills:
                self.victims[kill.scenario].add(cell.target)

    def idle(self) -> list[str]:
        """Return the scenarios that were tried and have killed no mutant."""
        return [name for name, victims in self.victims.items() if not victims]

    def false_alarms(self) -> list[str]:
        """Return what was found in the golden reference."""
        return [
            f"{self.quiet}, seed {cell.seed}: {kill.scenario}: {kill.oracle}: {kill.message}"
            for cell in self.golden
            for kill in cell.kills
        ]

    def weak(self) -> dict[str, list[str]]:
        """Return the mutants that are not seen as they should be, and what is missing."""
        return {n: missing for n, score in self.scores.items() if (missing := score.missing())}

    def text(self) -> str:
        """Return the tables."""
        rows = [
            [
                name,
                score.mutant.family,
                f"{score.killed}/{len(score.cells)}",
                "(one)" if score.mutant.alone else f"{score.twice}/{len(score.cells)}",
                f"{score.median_ops:,.0f}",
                f"{score.median_seconds:.1f}",
                ", ".join(f"{oracle} {n}" for oracle, n in score.oracles.most_common()),
            ]
            for name, score in self.scores.items()
        ]
        heads = [
            "mutant",
            "family",
            "killed",
            "by two",
            "operations",
            "seconds",
            "oracles, by seeds",
        ]
        parts = [table(heads, rows, left=2), ""]
        rows = [
            [name, str(len(victims)), ", ".join(sorted(victims))[:90]]
            for name, victims in self.victims.items()
        ]
        parts += [table(["scenario", "kills", "whom"], rows), ""]
        parts += [
            f"one oracle only: {name}: {score.mutant.alone}"
            for name, score in self.scores.items()
            if score.mutant.alone
        ]
        return "\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "mutants": {
                name: {
                    "primitive": score.mutant.primitive,
                    "family": score.mutant.family,
                    "seeds": len(score.cells),
                    "killed": score.killed,
                    "killed_by_two": score.twice,
                    "alone": score.mutant.alone,
                    "oracles": dict(score.oracles),
                    "scenarios": dict(score.scenarios),
                    "median_ops": score.median_ops if score.killed else None,
                    "median_seconds": score.median_seconds if score.killed else None,
                    "missing": score.missing(),
                }
                for name, score in self.scores.items()
            },
            "scenarios": {name: sorted(victims) for name, victims in self.victims.items()},
            "golden": {
                "seeds": len(self.golden),
                "ops": sum(cell.ops for cell in self.golden),
                "findings": self.false_alarms(),
            },
            "errors": self.errors,
        }
