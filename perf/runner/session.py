"""A run: rounds of worker processes, checkpoints on disk, a limit of time, and going on later.

In every round each case is measured once under each implementation, one right after the other,
in an order that is turned round from round to round (A B B A).
"""

import dataclasses
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from perf.analysis.rounds import in_turn
from perf.cases import catalogue
from perf.cases.catalogue import TIERS, Tier
from perf.instruments.bench import Axes, Sample
from perf.results import provenance, store
from perf.results.case import Case, Plain
from perf.results.measurement import Measurement, Round, merge
from perf.runner import program_cases, programs
from perf.worker.process import collected
from perf.worker.round import Order
from toolkit import address, child
from toolkit.machine import usable_cpus
from toolkit.progress import Progress

CHECKPOINT_SECONDS = 30.0
DROP_IN = ("queue", "program")
APART = ("thread",)  # ftthreading mends Thread in place: each side in a process of its own
FOREVER = 1e9
MARGIN_SECONDS = 240.0  # that a worker may take longer than it was told: its last job may hang

Job = tuple[Case, str]


class MeasurementFailed(Exception):
    """A primitive did what it must never do, or a worker died; says in which job, if in one."""

    def __init__(self, what: str, job: Job | None = None) -> None:
        super().__init__(what)
        self.job = job


@dataclasses.dataclass(frozen=True)
class MeasurementPlan:
    """What a run is to measure. It is kept with the result, so that a run can go on."""

    tier: str
    impls: tuple[str, ...]
    rounds: int
    only: tuple[str, ...] = ()
    pin: bool = True

    @property
    def times(self) -> Tier:
        """How long everything lasts."""
        return TIERS[self.tier]

    def cases(self) -> list[Case]:
        """Return the cases on this machine. Raises LookupError where `only` names none."""
        axes = Axes.of(usable_cpus())
        if self.only:
            return catalogue.named(self.only, catalogue.every(axes))
        return catalogue.of_tier(self.tier, axes)

    def sides(self, case: Case) -> tuple[str, ...]:
        """Return what a case is measured under: the implementations, and what bounds it."""
        if case.kind in DROP_IN:
            return tuple(impl for impl in self.impls if impl in program_cases.SIDES)
        return (*self.impls, *catalogue.references(case))

    def jobs(self, number: int) -> Iterator[Job]:
        """Yield the jobs of a round in their order."""
        for case in self.cases():
            for side in in_turn(self.sides(case), number):
                yield case, side

    def total(self) -> int:
        """Return how many measurements all rounds are."""
        return self.rounds * sum(1 for _ in self.jobs(0))

    def text(self) -> str:
        """Return the plan as a line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, text: str) -> "MeasurementPlan":
        """Read a plan. Raises ValueError or TypeError."""
        parts = json.loads(text)
        for name in ("impls", "only"):
            parts[name] = tuple(parts[name])
        return cls(**parts)

    def estimate(self) -> float:
        """Return about how many seconds all rounds take."""
        times = self.times
        costs = {
            "uncontended": 8 * times.short,
            "thread": 5 * times.short,
            "memory": 0.03,
            "queue": 3 * times.scale + 0.3,
            "program": 4 * times.scale + 0.5,
        }
        jobs = (costs.get(case.kind, 1.2 * times.window + 0.06) for case, _ in self.jobs(0))
        return self.rounds * (sum(jobs) + 1.0)


def together(jobs: Iterable[Job]) -> list[list[Job]]:
    """Return the jobs by the process in which they are done, in their order."""
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job[1] if job[0].kind in APART else "", []).append(job)
    return list(found.values())


class Session:
    """Measures a plan into a folder. Used by the main thread alone."""

    def __init__(
        self, plan: MeasurementPlan, path: pathlib.Path, budget: float, interrupts: child.Interrupts
    ) -> None:
        """Begin, or go on where the folder holds a part of the plan's rounds already.

        budget: seconds after which no case is begun. Raises store.BadResult.
        """
        self.plan = plan
        self.path = path
        self.rejected: dict[Job, list[str]] = {}
        self.parts: list[Measurement] = []
        self._interrupts = interrupts
        self._end = time.monotonic() + budget
        self._saved = time.monotonic()
        if any(path.glob(f"*{store.SUFFIX}")):
            for cases in store.read(path).measurements.values():
                self.parts += cases.values()
        self._done = {
            (part.impl, part.case.id, each.number) for part in self.parts for each in part.rounds
        }
        self.total = plan.total()
        self.progress = Progress(self.total)
        commit, dirty = provenance.checkout()
        self._common: dict[str, Plain] = {
            "ftt_commit": commit,
            "ftt_dirty": int(dirty),
            "ftt_tier": plan.tier,
            "ftt_plan": plan.text(),
        }

    @property
    def done(self) -> int:
        """How many jobs have a value."""
        return len(self._done)

    def over(self) -> bool:
        """Say whether the time is over."""
        return time.monotonic() > self._end

    def run(self) -> bool:
        """Measure what is not measured yet; return whether all was tried before time was over.

        Raises MeasurementFailed or child.Interrupted. What was found until then is on disk in any
        case.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="perf-") as folder:
                for number in range(self.plan.rounds):
                    jobs = [job for job in self.plan.jobs(number) if not self._has(job, number)]
                    for here in together(job for job in jobs if job[0].kind not in DROP_IN):
                        if not self.over():
                            self._worker(pathlib.Path(folder), number, here)
                    self._programs(number, [job for job in jobs if job[0].kind in DROP_IN])
                    if self.over():
                        return False
        finally:
            self.progress.clear()
            self.save()
        return True

    def save(self) -> None:
        """Write what is known to disk."""
        if self.parts:
            self.parts = merge(self.parts)
            store.write(self.path, self.parts)
        self._saved = time.monotonic()

    def _has(self, job: Job, number: int) -> bool:
        return (job[1], job[0].id, number) in self._done

    def _keep(self, job: Job, number: int, sample: Sample, found: Mapping[str, Any]) -> None:
        case, impl = job
        notes: dict[str, Plain] = {
            **found,
            **self._common,
            **sample.notes,
            "ftt_oversubscribed": int(case.threads > usable_cpus()),
        }
        one = Round(number, tuple(sample.values), sample.metrics, notes)
        self.parts.append(Measurement(case, impl, (one,), sample.unit))
        self._done.add((impl, case.id, number))
        if time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self.save()

    def _show(self, number: int, job: Job) -> None:
        topic = f"round {number + 1} of {self.plan.rounds}: {job[0].kind}"
        self.progress.show(self.done, topic, f"{job[0].id}, {job[1]}")

    def _worker(self, folder: pathlib.Path, number: int, jobs: Sequence[Job]) -> None:
        out, paper = folder / f"{number}.out", folder / f"{number}.order"
        out.write_text("")
        left = min(FOREVER, self._end - time.monotonic())
        order = Order(
            str(out),
            [(case.metadata(), impl) for case, impl in jobs],
            self.plan.times.window,
            self.plan.times.short,
            self.plan.pin,
            left,
        )
        paper.write_text(json.dumps(dataclasses.asdict(order)), encoding="utf-8")
        with out.open(encoding="utf-8") as lines:
            reader = Reader(self, number, jobs)

            def look() -> None:
                reader.take(lines.read())
                self.progress.tick()

            outcome = child.run(
                [sys.executable, "-m", "perf.worker.round", str(paper)],
                cwd=str(address.ROOT),
                env=programs.environment(str(folder), os.getcwd()),
                limit=left + MARGIN_SECONDS,
                interrupts=self._interrupts,
                tick=look,
            )
            look()
        if reader.broken:
            raise MeasurementFailed(reader.broken, reader.job)
        if outcome.fault:
            tail = "\n".join(outcome.stderr.splitlines()[-100:])
            raise MeasurementFailed(f"the worker process: {outcome.fault}\n{tail}", reader.job)

    def _programs(self, number: int, jobs: Sequence[Job]) -> None:
        if not jobs or self.over():
            return
        found = collected()
        with program_cases.Programs(self.plan.times.scale, self._interrupts, self.progress) as runs:
            for job in jobs:
                if self.over():
                    return
                self._interrupts.check()
                self._show(number, job)
                try:
                    sample = runs.measure(*job)
                except programs.ProgramFailed as failure:
                    raise MeasurementFailed(str(failure), job) from None
                self._keep(job, number, sample, found)


class Reader:
    """Takes what a worker writes, in whatever pieces it comes."""

    def __init__(self, session: Session, number: int, jobs: Sequence[Job]) -> None:
        self._session = session
        self._number = number
        self._jobs = jobs
        self._rest = ""
        self._found: dict[str, Any] = {}
        self.broken = ""
        self.job: Job | None = None  # the one that was begun last

    def take(self, text: str) -> None:
        """Take the next piece."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(json.loads(line))

    def _line(self, line: dict[str, Any]) -> None:
        session = self._session
        if "metadata" in line:
            self._found = line["metadata"]
        elif "begin" in line:
            self.job = self._jobs[line["begin"]]
            session._show(self._number, self.job)
        elif "broken" in line:
            self.broken = line["broken"]
        elif "rejected" in line:
            session.rejected.setdefault(self._jobs[line["index"]], []).append(line["rejected"])
        elif "values" in line:
            sample = Sample(line["values"], line["metrics"], line["notes"], line["unit"])
            session._keep(self._jobs[line["index"]], self._number, sample, self._found)
