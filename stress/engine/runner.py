"""Runs a plan: batch after batch until the budget is spent, all of it kept as it comes."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any

from toolkit.child import INTERRUPTS, Interrupted
from toolkit.exits import Exit
from toolkit.progress import Progress

from ..processes.crashes import SEMAPHORE
from ..records.findings import Finding
from .children import Children
from .journal import Run
from .plan import HARDLY_ANY, OVERHEAD, Plan
from .probe import unfit
from .totals import Totals

GRACE = 6.0
"""Seconds over the budget that a hang may take to be recognised as one."""
SELDOM = 7
"""A scenario that has failed is run again at every how many-th of its turns."""
CONTROLS = 0.02
"""The share of the time that controls may have."""
GREEDY = 2.0
"""A scenario that has had so many times the mean share is left out for a pass."""


def reservations(python: dict[str, Any]) -> list[str]:
    """Return why this interpreter or machine proves little, whatever is run."""
    found = []
    if python["gil"]:
        found.append("the global interpreter lock is on")
    if python["cpus"] < 2:
        found.append("there is one processor only")
    return found


class Runner:
    """One run, from where it stands to its end."""

    def __init__(self, run: Run, *, quiet: bool = False) -> None:
        """quiet: show no progress."""
        self.run = run
        self.options = run.options
        python = run.info["python"]
        self.plan = Plan(run.options, unfit(python), python.get("names"))
        self.totals = Totals(self.plan.scenarios)
        self.number = 0
        self.spent = 0.0
        self.cost = dict.fromkeys(self.plan.scenarios, 0.0)
        self.stopped = ""
        for result in run.results():
            if result.batch.scenario in self.totals.by_name:
                self.plan.learn(result.batch.scenario, self.totals.add(result))
                self.cost[result.batch.scenario] += result.seconds + OVERHEAD
            self.number = max(self.number, result.number + 1)
            self.spent += result.seconds + OVERHEAD
        self.progress = None if quiet else Progress(int(self.options.budget), None)

    def go(self) -> Exit:
        """Run until the budget is spent, or something is found and that was wanted."""
        self.run.begin()
        begin = time.monotonic() - self.spent
        with (
            INTERRUPTS.watched(),
            Children(self.run.children, self.options.python or sys.executable) as children,
        ):
            try:
                while True:
                    INTERRUPTS.check()
                    spent = time.monotonic() - begin
                    if self.over(spent):
                        break
                    if self.plan.mine(self.number):
                        self.one(children, spent)
                    self.number += 1
                self.stopped = ""
            except Interrupted as stop:
                self.stopped = str(stop)
        if self.progress is not None:
            self.progress.clear()
        self.run.take_over()
        self.spent = time.monotonic() - begin
        return self.conclude()

    def conclude(self) -> Exit:
        """Judge what was done so far, and keep that."""
        verdict = self.verdict()
        self.run.finish(self.summary(verdict))
        return verdict

    def over(self, spent: float) -> bool:
        """Return whether nothing more is to be run."""
        if self.options.until_failure:
            return bool(self.unknown())
        if self.options.exit_first and self.unknown():
            return True
        return spent >= self.options.budget - 0.2

    def left(self, spent: float) -> float:
        """Return the seconds after which even a batch that hangs is not waited for."""
        return float("inf") if self.options.until_failure else self.options.budget - spent + GRACE

    def unknown(self) -> list[Finding]:
        """Return the findings that count: not those declared to be known; see SEMAPHORE, too."""
        found = self.run.findings()
        return [one for one in found if not self.run.knows(one) and one.blame != SEMAPHORE]

    def wanted(self, scenario: str, spent: float) -> bool:
        """Return whether a scenario's turn is worth its time; in the first pass, each is."""
        if self.number < self.plan.first_pass or len(self.plan.scenarios) == 1:
            return True
        total, cost = self.totals.by_name[scenario], self.cost[scenario]
        if total.findings & {finding.fingerprint for finding in self.unknown()}:
            return self.number % SELDOM == 0  # what fails, fails again: leave the time to others
        if scenario.startswith("control_"):
            return cost < CONTROLS * spent / 2 or bool(total.missing)
        return cost <= GREEDY * spent / len(self.plan.scenarios) or bool(total.missing)

    def one(self, children: Children, spent: float) -> None:
        """Run the batch that comes next."""
        batch = self.plan.batch(self.number)
        if not self.wanted(batch.scenario, spent):
            return
        total = self.totals.by_name[batch.scenario]
        if self.progress is not None:
            found = len(self.run.findings())
            detail = f"{self.totals.ops:,} operations, {found} findings"
            self.progress.show(int(spent), batch.scenario, detail)
        if not self.options.until_failure:  # a pass may be cut short, a budget not be overdrawn
            left = max(0.1, self.options.budget - spent)
            batch = dataclasses.replace(batch, seconds=min(batch.seconds, left))
        native = self.options.budget >= HARDLY_ANY and not total.findings
        begin = time.monotonic()
        result = children.run(
            batch, self.run.work(self.number), native=native, limit=self.left(spent)
        )
        self.cost[batch.scenario] += time.monotonic() - begin
        result.number = self.number
        self.plan.learn(batch.scenario, self.totals.add(result))
        self.run.ended(result)

    def verdict(self) -> Exit:
        """Judge what was done so far."""
        return self.totals.verdict(self.unknown(), self.reservations())

    def reservations(self) -> list[str]:
        """Return why quiet would mean nothing."""
        found = reservations(self.run.info["python"])
        if self.stopped:
            found.append(f"it was stopped by {self.stopped}")
        return found

    def summary(self, verdict: Exit) -> dict[str, Any]:
        """Return the whole run as plain data."""
        return {
            "verdict": verdict.name,
            "stopped": self.stopped,
            "exit": int(verdict),
            "seconds": round(self.spent, 1),
            "batches": self.number,
            "rounds": self.totals.rounds,
            "ops": self.totals.ops,
            "dropped": self.plan.dropped,
            "reservations": self.reservations(),
            "missing": self.totals.missing(),
            "scenarios": self.totals.to_json(),
            "findings": [
                {
                    "fingerprint": finding.fingerprint,
                    "known": self.run.knows(finding),
                    "kind": finding.kind,
                    "oracle": finding.oracle,
                    "message": finding.message,
                    "blame": finding.blame,
                    "ops": finding.ops,
                    "seconds": round(finding.seconds, 3),
                    "batch": finding.batch.key(),
                }
                for finding in self.run.findings()
            ],
        }
