"""Runs a plan: batch after batch until the budget is spent, all of it kept as it comes."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from perf.report import Progress

from .journal import Run
from .plan import HARDLY_ANY, OVERHEAD, Plan
from .probe import unfit
from .supervise import Supervisor
from .totals import Exit, Totals

GRACE = 6.0
"""Seconds over the budget that a hang may take to be recognised as one."""
SELDOM = 7
"""A scenario that has failed is run again at every how many-th of its turns."""


class Stopped(Exception):
    """Somebody wants the harness to end now."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Have SIGTERM and SIGINT raise Stopped in the body, so that no child is left behind."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(signal.Signals(number).name)

    before = {n: signal.signal(n, stop) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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

    def __init__(self, run: Run) -> None:
        self.run = run
        self.options = run.options
        self.plan = Plan(run.options, unfit(run.info["python"]))
        self.totals = Totals(self.plan.scenarios)
        self.number = 0
        self.spent = 0.0
        self.stopped = ""
        for result in run.results():
            if result.batch.scenario in self.totals.by_name:
                self.plan.learn(result.batch.scenario, self.totals.add(result))
            self.number = max(self.number, result.number + 1)
            self.spent += result.seconds + OVERHEAD
        self.progress = Progress(int(self.options.budget), None)

    def go(self) -> Exit:
        """Run until the budget is spent, or something is found and that was wanted."""
        self.run.begin()
        begin = time.monotonic() - self.spent
        with stoppable():
            try:
                while True:
                    spent = time.monotonic() - begin
                    if self.over(spent):
                        break
                    if self.plan.mine(self.number):
                        self.one(spent)
                    self.number += 1
                self.stopped = ""
            except Stopped as stop:
                self.stopped = str(stop)
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
            return bool(self.run.findings())
        # The first pass is worth overdrawing a little: without it nothing is said of the rest.
        return spent >= self.options.budget - 0.2

    def left(self, spent: float) -> float:
        """Return the seconds after which even a batch that hangs is not waited for."""
        return float("inf") if self.options.until_failure else self.options.budget - spent + GRACE

    def one(self, spent: float) -> None:
        """Run the batch that comes next."""
        batch = self.plan.batch(self.number)
        total = self.totals.by_name[batch.scenario]
        # What fails, fails again: leave the time to those that have not failed yet.
        later = self.number >= self.plan.first_pass and len(self.plan.scenarios) > 1
        if total.findings and later and self.number % SELDOM:
            return
        found = len(self.run.findings())
        self.progress.show(
            int(spent),
            batch.scenario,
            f"{self.totals.ops:,} operations, {found} findings",
        )
        native = self.options.budget >= HARDLY_ANY and not total.findings
        result = Supervisor(
            batch, self.run.work(self.number), self.options.python or sys.executable
        ).watch(native, self.left(spent))
        result.number = self.number
        self.plan.learn(batch.scenario, self.totals.add(result))
        self.run.ended(result)

    def verdict(self) -> Exit:
        """Judge what was done so far."""
        return self.totals.verdict(self.run.findings(), self.reservations())

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
