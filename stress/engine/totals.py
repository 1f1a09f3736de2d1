"""What a run amounts to: counts for each scenario, what was not exercised, and the verdict."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

from toolkit.exits import Exit

from ..api.scenario import FORBIDDEN, INTERESTING, Scenario
from ..records.batch import BatchResult
from ..records.findings import Finding


@dataclasses.dataclass
class Total:
    """All batches of one scenario."""

    scenario: type[Scenario]
    batches: int = 0
    rounds: int = 0
    ops: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = dataclasses.field(default_factory=Counter)
    seen: Counter[str] = dataclasses.field(default_factory=Counter)
    unknown: int = 0
    pairs: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    findings: set[str] = dataclasses.field(default_factory=set)
    errors: list[str] = dataclasses.field(default_factory=list)
    rising: set[str] = dataclasses.field(default_factory=set)
    latest: float = 0.0

    def add(self, result: BatchResult) -> bool:
        """Count a batch; return whether it has shown something new."""
        before = len(self.pairs) + len(self.outcomes) + len(self.seen)
        self.batches += 1
        self.rounds += result.rounds
        self.ops += result.ops
        self.seconds += result.seconds
        self.outcomes.update(result.outcomes)
        self.seen.update(result.seen)
        self.unknown += result.unknown
        self.pairs |= set(result.pairs)
        self.findings |= set(result.findings)
        if result.error:
            self.errors.append(result.error)
        self.rising |= set(result.drift.get("rising", ()))
        self.latest = max(self.latest, result.latest)
        return len(self.pairs) + len(self.outcomes) + len(self.seen) > before

    @property
    def missing(self) -> list[str]:
        """What has to be seen and was not."""
        missing = sorted(self.scenario.must_see - set(self.outcomes) - set(self.seen))
        if self.rounds < self.scenario.min_rounds:
            missing.append(f"{self.scenario.min_rounds} rounds")
        return missing

    @property
    def interesting(self) -> int:
        """How many outcomes were INTERESTING."""
        grades = self.scenario.outcomes
        return sum(n for o, n in self.outcomes.items() if grades.get(o) is INTERESTING)

    def grade_of(self, outcome: str) -> str:
        """Return the grade of an outcome, as a word."""
        return self.scenario.outcomes.get(outcome, FORBIDDEN).value


class Totals:
    """All scenarios of a run."""

    def __init__(self, scenarios: dict[str, type[Scenario]]) -> None:
        self.by_name = {name: Total(cls) for name, cls in scenarios.items()}

    def add(self, result: BatchResult) -> bool:
        """Count a batch; return whether it has shown something new."""
        return self.by_name[result.batch.scenario].add(result)

    @property
    def ops(self) -> int:
        return sum(total.ops for total in self.by_name.values())

    @property
    def rounds(self) -> int:
        return sum(total.rounds for total in self.by_name.values())

    def errors(self) -> list[str]:
        """Return what has failed in the harness itself."""
        return [error for total in self.by_name.values() for error in total.errors]

    def missing(self) -> dict[str, list[str]]:
        """Return what was not exercised, by scenario; a scenario with a finding was, enough."""
        return {
            name: missing
            for name, total in self.by_name.items()
            if not total.findings and (missing := total.missing)
        }

    def verdict(self, findings: Iterable[Finding], reservations: list[str]) -> Exit:
        """Judge the run. reservations: why its quiet would mean nothing (the GIL is on ...)."""
        if any(True for _ in findings):
            return Exit.FOUND
        if self.errors():
            return Exit.BROKEN
        if reservations or self.missing():
            return Exit.TOO_LITTLE
        return Exit.NOTHING_FOUND

    def to_json(self) -> dict[str, Any]:
        """Return plain data for reports."""
        return {
            name: {
                "batches": total.batches,
                "rounds": total.rounds,
                "ops": total.ops,
                "seconds": round(total.seconds, 3),
                "outcomes": {
                    outcome: {"count": n, "grade": total.grade_of(outcome)}
                    for outcome, n in sorted(total.outcomes.items())
                },
                "seen": dict(total.seen),
                "unknown": total.unknown,
                "pairs": sorted(map(list, total.pairs)),
                "findings": sorted(total.findings),
                "missing": [] if total.findings else total.missing,
                "rising": sorted(total.rising),
                "latest_timeout": total.latest,
                "errors": total.errors,
            }
            for name, total in self.by_name.items()
        }


def bound(count: int) -> str:
    """Return the bound that `count` trials without a failure give, by the rule of three."""
    return f"below {3 / count:.1e} each (95 %)" if count else "unknown"
