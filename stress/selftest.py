"""Measures the harness: whether each planted bug is found, by whom, after how many operations.

Every mutant is run under each scenario of its primitive, once for each seed. A mutant counts as
killed for a seed if any of them found something. The golden reference is run under all scenarios
and has to stay quiet.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from perf.report import Progress, table

from .batch import Batch, seed_of
from .catalogue import shipped
from .findings import Finding
from .mutants import Mutant, mutants
from .runner import Stopped, stoppable
from .supervise import Supervisor
from .totals import Exit

ENOUGH = 0.95
"""The share of seeds on which a mutant has to be killed."""
THREADS = 4


@dataclasses.dataclass
class Kill:
    """What one scenario found in one mutant, for one seed."""

    scenario: str
    oracles: list[str]
    ops: int


@dataclasses.dataclass
class Score:
    """All about one mutant."""

    mutant: Mutant
    kills: dict[int, list[Kill]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    tried: set[str] = dataclasses.field(default_factory=set)

    def killed(self) -> int:
        """Return for how many seeds it was killed."""
        return sum(bool(kills) for kills in self.kills.values())

    def oracles(self) -> set[str]:
        """Return which oracles have seen it, each with its scenario."""
        every = [kill for kills in self.kills.values() for kill in kills]
        return {f"{kill.scenario}: {oracle}" for kill in every for oracle in kill.oracles}

    def median(self) -> float:
        """Return the median over seeds of the operations that the quickest scenario needed."""
        best = [min(kill.ops for kill in kills) for kills in self.kills.values() if kills]
        return statistics.median(best) if best else float("nan")


class Selftest:
    """One run over mutants and the golden reference."""

    def __init__(self, names: list[str], seeds: int, seconds: float, golden: float) -> None:
        """seconds: for one mutant under one scenario. golden: for each scenario on the golden."""
        self.scores = {name: Score(mutants()[name]) for name in names}
        self.seeds = seeds
        self.seconds = seconds
        self.golden_seconds = golden
        self.clean: list[Finding] = []
        self.errors: list[str] = []
        self.scenarios = {
            name: cls for name, cls in shipped().items() if not name.startswith("control_")
        }
        self.golden_ops = 0

    def relevant(self, mutant: Mutant) -> list[str]:
        """Return the scenarios that are about a mutant's primitive."""
        return [n for n, c in self.scenarios.items() if mutant.primitive in c.subjects.split()]

    def steps(self) -> int:
        """Return how many child processes it takes."""
        each = sum(len(self.relevant(score.mutant)) for score in self.scores.values())
        return each * self.seeds + len(self.scenarios) * bool(self.golden_seconds)

    def one(self, target: str, scenario: str, seed: int, seconds: float, *nemeses: str) -> Any:
        """Run one batch; return its result and findings."""
        folder = Path(tempfile.mkdtemp(prefix="stress-selftest-"))
        try:
            batch = Batch(scenario, target, seed, THREADS, nemeses, seconds)
            supervisor = Supervisor(batch, folder)
            result = supervisor.watch(native=False)
            if result.error:
                self.errors.append(f"{target}, {scenario}: {result.error}")
            return result, supervisor.found()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def go(self) -> None:
        """Run everything."""
        progress = Progress(self.steps())
        done = 0
        with stoppable():
            for name, score in self.scores.items():
                for k in range(self.seeds):
                    score.kills[k] = []
                    for scenario in self.relevant(score.mutant):
                        progress.show(done, name, scenario)
                        done += 1
                        score.tried.add(scenario)
                        seed = seed_of("selftest", name, scenario, k)
                        # A bug without chance in it needs threads to meet; one with chance in
                        # it needs many operations.
                        nemeses = ("lines",) if score.mutant.family == "window" else ()
                        result, found = self.one(
                            f"mutant:{name}", scenario, seed, self.seconds, *nemeses
                        )
                        if found:
                            oracles = sorted({finding.oracle for finding in found})
                            ops = max(result.ops, *(finding.ops for finding in found))
                            score.kills[k].append(Kill(scenario, oracles, ops))
            for scenario in self.scenarios if self.golden_seconds else ():
                progress.show(done, "golden", scenario)
                done += 1
                seed = seed_of("selftest", "golden", scenario)
                result, found = self.one(
                    "golden", scenario, seed, self.golden_seconds, "lines", "timeouts", "gc"
                )
                self.golden_ops += result.ops
                self.clean += found
        progress.clear()

    def alive(self) -> list[str]:
        """Return the mutants that were not killed on enough seeds."""
        return [n for n, score in self.scores.items() if score.killed() < ENOUGH * self.seeds]

    def idle(self) -> list[str]:
        """Return the scenarios that were tried on a mutant and have killed none."""
        tried = set().union(*(score.tried for score in self.scores.values()))
        every = [
            kill.scenario for s in self.scores.values() for ks in s.kills.values() for kill in ks
        ]
        return sorted(tried - set(every))

    def report(self) -> str:
        """Return the kill matrix and what follows from it."""
        rows = [
            [
                name,
                score.mutant.family,
                f"{score.killed()}/{self.seeds}",
                f"{score.median():,.0f}",
                str(len(score.oracles())),
                ", ".join(
                    f"{scenario} {n}/{self.seeds}"
                    for scenario, n in self.by_scenario(score).items()
                ),
            ]
            for name, score in self.scores.items()
        ]
        heads = ["mutant", "family", "killed", "operations", "oracles", "by"]
        lines = [table(heads, rows, left=2), ""]
        for finding in self.clean:
            lines.append(f"golden: {finding.batch.scenario}: {finding.oracle}: {finding.says}")
            lines.append(finding.details)
        lines += [f"the harness failed: {error}" for error in self.errors]
        if self.idle():
            lines.append(f"note: these scenarios killed no mutant here: {', '.join(self.idle())}")
        lines += [
            f"not killed: {name} ({self.scores[name].mutant.says}); to see it: python -m stress run"
            f" --target mutant:{name} -k {self.scores[name].mutant.primitive} --mode quick"
            for name in self.alive()
        ]
        return "\n".join([*lines, self.verdict_line()])

    def by_scenario(self, score: Score) -> dict[str, int]:
        """Return on how many seeds each scenario has killed a mutant."""
        counts: dict[str, int] = defaultdict(int)
        for kills in score.kills.values():
            for kill in kills:
                counts[kill.scenario] += 1
        return dict(counts)

    def verdict(self) -> Exit:
        """Judge the harness: FOUND means that its own power is not what it should be."""
        if self.errors:
            return Exit.HARNESS
        return Exit.FOUND if self.alive() or self.clean else Exit.NOTHING_FOUND

    def verdict_line(self) -> str:
        """Return the last line."""
        dead = len(self.scores) - len(self.alive())
        quiet = (
            f"golden: {len(self.clean)} findings in {self.golden_ops:,} operations"
            if self.golden_seconds
            else "golden: not run"
        )
        word = {Exit.NOTHING_FOUND: "as strong as it should be", Exit.FOUND: "TOO WEAK OR WRONG"}
        return (
            f"VERDICT: {word.get(self.verdict(), 'THE HARNESS FAILED')}: {dead} of"
            f" {len(self.scores)} mutants killed on {ENOUGH:.0%} of {self.seeds} seeds; {quiet}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "seeds": self.seeds,
            "golden": {"ops": self.golden_ops, "findings": len(self.clean)},
            "mutants": {
                name: {
                    "primitive": score.mutant.primitive,
                    "family": score.mutant.family,
                    "killed": score.killed(),
                    "median_ops": score.median() if score.killed() else None,
                    "kills": [
                        {"seed": seed, **dataclasses.asdict(kill)}
                        for seed, kills in score.kills.items()
                        for kill in kills
                    ],
                }
                for name, score in self.scores.items()
            },
        }


def selftest(
    names: list[str], seeds: int, seconds: float, golden: float, file: Path | None
) -> Exit:
    """Run it, print the matrix, return the verdict."""
    test = Selftest(names, seeds, seconds, golden)
    print(
        f"{len(names)} mutants, {seeds} seeds, {test.steps()} children of at most {seconds:g} s",
        flush=True,
    )
    begin = time.monotonic()
    try:
        test.go()
    except Stopped as stop:
        print(f"VERDICT: stopped by {stop}: nothing is said", file=sys.stderr)
        return Exit.TOO_LITTLE
    print(test.report())
    print(f"({time.monotonic() - begin:.0f} s)", file=sys.stderr)
    if file is not None:
        file.write_text(json.dumps(test.to_json(), indent=1) + "\n", encoding="utf-8")
    return test.verdict()
