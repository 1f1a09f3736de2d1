"""Measures the harness: whether each planted bug is found, by whom, after how many operations.

What users do is measured: for each bug and seed, a `run` on the module that has the bug, without a
hint where it is, until the first finding or the end of the budget; and the same on the golden
reference, which has to stay quiet. README's rates are these.

The focused form asks more of the oracles and less of the plan (cells.py). The golden reference is
run under all scenarios in the same way, and has to stay quiet, too. A scenario that has killed
nobody by then is run on all mutants of its subjects.
"""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import time
from pathlib import Path

from toolkit.address import command
from toolkit.child import INTERRUPTS, Interrupted
from toolkit.exits import Exit
from toolkit.progress import Progress

from ..engine import journal, plan, probe
from ..engine.catalogue import shipped
from ..engine.runner import Runner
from ..targets.mutants.mutant import Mutant
from . import cells
from .matrix import DIRECTED, ENOUGH, GOLDEN, GOOD, Cell, Kill, Matrix, Record, oracle_of
from .planted import HISTORY, QUIET, planted
from .schedule import batches, scenarios

DIRECTED_SECONDS = 12.0
"""Seconds for one mutant under a scenario that has killed nobody."""


class Selftest:
    """One run over some mutants, seeds and the golden reference."""

    def __init__(
        self,
        chosen: list[Mutant],
        seeds: int,
        budget: float,
        golden: float,
        record: Record,
        *,
        focused: bool = False,
        known: tuple[str, ...] = (),
    ) -> None:
        """budget: seconds for a mutant and a seed. golden: seconds of each scenario and seed.

        known: findings of what the bugs are planted into; they kill nobody.
        """
        self.mutants = chosen
        self.seeds = seeds
        self.budget = budget
        self.golden = golden
        self.record = record
        self.focused = focused
        self.known_findings = known
        families = {mutant.family for mutant in chosen}
        self.held_out = HISTORY in families
        self.quiet = QUIET[self.held_out]
        self.whole = len(chosen) == sum(one.family in families for one in planted().values())

    def wanted(self, shard: tuple[int, int] = (1, 1)) -> list[tuple[str, int]]:
        """Return the cells of a shard: target and seed."""
        targets = [mutant.name for mutant in self.mutants] + [self.quiet] * bool(self.golden)
        every = [(target, seed) for seed in range(self.seeds) for target in targets]
        part, parts = shard
        return every[part - 1 :: parts]

    def known(self) -> list[Cell]:
        """Return the cells of this test that are in the record, the last one of each."""
        wanted = set(self.wanted())
        names = {mutant.name for mutant in self.mutants}
        found = {}
        for cell in self.record.cells():
            extra = cell.seed == DIRECTED and cell.target in names
            if not extra and (cell.target, cell.seed) not in wanted:
                continue
            if cell.bug == cells.hash_of_bug(cell.target):
                found[cell.target, cell.seed, *(cell.tried if extra else ())] = cell
        return list(found.values())

    def missing(self, shard: tuple[int, int] = (1, 1)) -> list[tuple[str, int]]:
        """Return the cells of a shard that are not in the record, or only with an error."""
        done = {(cell.target, cell.seed) for cell in self.known() if not cell.error}
        return [pair for pair in self.wanted(shard) if pair not in done]

    def matrix(self) -> Matrix:
        """Return what is known so far."""
        return Matrix(self.mutants, self.known(), quiet=self.quiet, focused=self.focused)

    def go(self, shard: tuple[int, int]) -> None:
        """Run all cells of a shard that are missing."""
        todo = self.missing(shard)
        progress = Progress(len(todo))
        with INTERRUPTS.watched():
            for done, (target, seed) in enumerate(todo):
                progress.show(done, f"{target}, seed {seed}")
                if not self.focused:
                    self.record.add(self.run_cell(target, seed))
                elif target == GOLDEN:
                    self.record.add(cells.golden_cell(seed, self.golden))
                else:
                    self.record.add(cells.cell_of(planted()[target], seed, self.budget))
            if shard == (1, 1) and self.whole and self.focused:
                for name in self.matrix().idle():
                    progress.show(len(todo), f"{name}, which has killed nobody yet")
                    self.use(name)
        progress.clear()

    def run_cell(self, target: str, seed: int) -> Cell:
        """Do what `run` does, on a mutant or on the golden reference."""
        quiet = target == self.quiet
        budget = self.golden * len(scenarios()) if quiet else self.budget
        cell = cells.new_cell(target, seed, budget)
        module = target if quiet else planted()[target].target
        options = plan.Options(
            target=module,
            budget=budget,
            threads=plan.default_threads(),
            seed=seed,
            exit_first=True,
            known=self.known_findings,
        )
        with tempfile.TemporaryDirectory(prefix="stress-selftest-") as folder:
            run = journal.new_run(Path(folder), options, probe.ask(sys.executable, module))
            runner = Runner(run, quiet=True)
            runner.go()
            INTERRUPTS.check()
            totals, found = runner.totals, runner.unknown()
        cell.spent, cell.ops = runner.spent, totals.ops
        cell.tried = {name: total.batches for name, total in totals.by_name.items()}
        cell.error = "\n".join(totals.errors())
        cell.kills = [
            Kill(f.batch.scenario, oracle_of(f), f.message, cell.ops, cell.spent, f.batch.nemeses)
            for f in found
        ]
        return cell

    def use(self, scenario: str) -> None:
        """Run a scenario on the mutants of its subjects, until it kills one."""
        subjects = shipped()[scenario].subjects.split()
        for mutant in self.mutants:
            if mutant.primitive not in subjects:
                continue
            cell = cells.new_cell(mutant.name, DIRECTED, DIRECTED_SECONDS)
            for batch in batches(mutant.name, [scenario], DIRECTED):
                if cell.spent >= cell.budget or cell.kills or cell.error:
                    break
                cells.one(cell, batch)
            self.record.add(cell)
            if cell.kills:
                return

    def report(self, shard: tuple[int, int]) -> tuple[str, Exit]:
        """Return the kill matrix and what follows from it."""
        matrix = self.matrix()
        missing = len(self.missing(shard))
        lines = [matrix.text(), *matrix.false_alarms()]
        lines += [f"the harness failed: {error}" for error in matrix.errors]
        if len(matrix.harnesses) > 1:
            lines.append(f"note: {len(matrix.harnesses)} states of the harness have taken part")
        lines += [
            f"weak: {name} ({matrix.scores[name].mutant.description}): {'; '.join(reasons)};"
            f" to see it: {self.command(name)}"
            for name, reasons in matrix.weak().items()
        ]
        idle = matrix.idle() if self.whole and self.focused else []
        seen = [name for name, score in matrix.scores.items() if score.cells]
        weak = set(seen) & set(matrix.weak())
        too_weak = bool(weak) if self.focused else len(weak) > (1 - GOOD) * len(seen)
        lines += [f"weak: the scenario {name} has killed no mutant" for name in idle]
        if matrix.errors:
            verdict, word = Exit.BROKEN, "THE HARNESS FAILED"
        elif too_weak or matrix.false_alarms() or idle:
            verdict, word = Exit.FOUND, "TOO WEAK OR WRONG"
        elif missing:
            verdict, word = Exit.TOO_LITTLE, f"{missing} CELLS ARE MISSING"
        else:
            verdict, word = Exit.NOTHING_FOUND, "as strong as it should be"
        good = len(seen) - len(weak)
        used = len(matrix.tried) - len(matrix.idle())
        what = "held-out bugs" if self.held_out else "mutants"
        quiet = (
            f"{self.quiet}: {len(matrix.false_alarms())} findings in"
            f" {sum(cell.ops for cell in matrix.golden):,} operations,"
            f" {len(matrix.golden)} seeds"
            if self.golden
            else f"{self.quiet}: not run"
        )
        lines.append(
            f"VERDICT: {word}: {good} of {len(seen)} {what} killed as they should be on"
            f" {ENOUGH:.0%} of {self.seeds} seeds within {self.budget:g} s each; {used} of"
            f" {len(matrix.tried)} scenarios have killed; {quiet}"
        )
        return "\n".join(lines), verdict

    def command(self, name: str) -> str:
        """Return the command that runs the cells of one mutant again."""
        return (
            f"{command('stress')} selftest --only {name} --seeds {self.seeds}"
            f" --budget {self.budget:g} --golden 0{' --focused' * self.focused}"
            f"{' --held-out' * self.held_out}"
        )


def selftest(test: Selftest, shard: tuple[int, int], resume: bool, file: Path | None) -> Exit:
    """Run it, print the matrix, return the verdict.

    resume: keep the cells that are in the record; else it is begun anew, and the old one renamed.
    """
    record = test.record.path
    record.parent.mkdir(parents=True, exist_ok=True)
    if record.exists() and not resume:
        record.replace(record.with_name(f"{record.name}.old"))
    wanted, missing = len(test.wanted(shard)), len(test.missing(shard))
    what = "held-out bugs" if test.held_out else "mutants"
    print(
        f"{len(test.mutants)} {what}, {test.seeds} seeds: {missing} of {wanted} cells to run, each"
        f" for {test.budget:g} s at most; kept in {record}",
        flush=True,
    )
    begin = time.monotonic()
    stopped = ""
    try:
        test.go(shard)
    except Interrupted as stop:
        stopped = str(stop)
    text, verdict = test.report(shard)
    print(text)
    if stopped:
        again = [word for word in sys.argv[1:] if word != "--resume"]
        call = f"{command('stress')} {shlex.join(again)} --resume"
        print(f"stopped by {stopped}; to go on: {call}")
    print(f"({time.monotonic() - begin:.0f} s)", file=sys.stderr)
    if file is not None:
        file.write_text(json.dumps(test.matrix().to_json(), indent=1) + "\n", encoding="utf-8")
    return verdict
