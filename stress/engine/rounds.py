"""The rounds of a batch, run in the child process: instances, actors, judgement, findings."""

from __future__ import annotations

import functools
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

from toolkit.machine import gil_enabled

from ..api.scenario import FORBIDDEN, Actor, OracleFailure, Scenario, World, grade
from ..nemeses.catalogue import Nemeses
from ..processes.heartbeat import Heartbeat
from ..records.batch import Batch, BatchResult, seed_of, write_atomically
from ..records.findings import Finding
from ..targets.loading import load
from . import catalogue
from .team import ActorThreads

SETTLE_SECONDS = 0.3
"""After a batch, for its threads to end."""
NOTED = 4
"""Hand-overs are noted in every how many-th round; noting takes time, and hides bugs."""


class Rounds:
    """The rounds of a batch."""

    def __init__(self, batch: Batch, folder: Path, heartbeat: Heartbeat) -> None:
        self.batch = batch
        self.folder = folder
        self.heartbeat = heartbeat
        self.threads_before = thread_count()
        self.result = BatchResult(batch, gil=gil_enabled())
        self.found: list[Finding] = []
        self.target = load(batch.target)
        self.scenario = catalogue.find(batch.scenario, batch.files)
        cast = self.scenario.cast(batch.threads)
        self.plain = [name for name, main in cast if not main]
        self.main = next((name for name, main in cast if main), None)
        alone = self.main is not None or self.scenario.scales()
        self.copies = 1 if alone else max(1, batch.threads // len(cast))
        size = self.copies * len(self.plain)
        self.actors = [Actor(i) for i in range(size + 1)]
        self.team = ActorThreads(size, lambda tid: None)
        self.stages: list[Scenario] = []
        self.begin = 0.0
        self.round = batch.first

    @property
    def idents(self) -> list[int]:
        """The threads of the actors but the main one."""
        return self.team.idents

    def go(self) -> bool:
        """Run rounds until the time is over or something is found.

        Return whether the process is as it was before.
        """
        nemeses = Nemeses(self)
        nemeses.start()
        (self.folder / "begun").touch()
        self.begin = saved = time.monotonic()
        while not self.found and time.monotonic() - self.begin < self.batch.seconds:
            self.heartbeat.current = self.round
            nemeses.before_round(Random(seed_of(self.batch.seed, self.round, "nemeses")))
            self.one_round()
            self.round += 1
            self.result.rounds += 1
            self.heartbeat.ops = sum(actor.ops for actor in self.actors)
            self.heartbeat.done += 1
            if time.monotonic() - saved >= 1:
                self.save()
                saved = time.monotonic()
        self.result.finished = True
        self.save()
        return self.leave(nemeses) and not self.found

    def leave(self, nemeses: Nemeses) -> bool:
        """End all that the batch has begun; return whether nothing of it is left.

        The nemeses first: they send signals to the actors' threads.
        """
        nemeses.stop()
        if not self.settles(len(self.team.idents)):
            return False
        self.team.end()
        self.stages.clear()
        return self.settles(0) and nemeses.end()

    def settles(self, more: int) -> bool:
        """Wait until there are so many threads more than before; return whether that comes."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while thread_count() > self.threads_before + more:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def one_round(self) -> None:
        """Let a fresh instance's actors go, and judge what they leave; copies run side by side."""
        seed = self.batch.seed
        note = self.round % NOTED == 0
        try:
            self.stages = stages = [
                self.scenario(
                    World(
                        self.target,
                        Random(seed_of(seed, self.round, copy)),
                        len(self.plain),
                        self.batch.target,
                        has_nemeses=bool(self.batch.nemeses),
                    )
                )
                for copy in range(self.copies)
            ]
        except Exception as error:
            self.failed(error)
            return
        tasks: list[Callable[[], None]] = []
        board: list[tuple[int, str]] = [(-1, "beginning")]
        for k in range(len(self.plain) * self.copies):
            copy, part = divmod(k, len(self.plain))
            if part == 0:
                board = [(k, "beginning")]
            me = self.actors[k]
            me.begin(seed_of(seed, self.round, "actor", k), board if note else None)
            tasks.append(functools.partial(self.act, stages[copy], self.plain[part], me))
        main = None
        if self.main is not None:
            me = self.actors[-1]
            me.begin(seed_of(seed, self.round, "main"), board if note else None)
            main = functools.partial(self.act, stages[0], self.main, me)
        self.team.run(tasks, main)
        if not self.found:
            for stage in stages:
                self.judge(stage)

    def act(self, stage: Scenario, method: str, me: Actor) -> None:
        """Run one actor; whatever it raises is a finding."""
        try:
            getattr(stage, method)(me)
        except BaseException as error:
            self.failed(error)

    def judge(self, stage: Scenario) -> None:
        """Ask the arbiter."""
        try:
            outcome = stage.arbiter()
        except Exception as error:
            self.failed(error)
            return
        self.result.outcomes[outcome] += 1
        if grade(type(stage), outcome) is FORBIDDEN:
            self.keep("outcome", outcome, f"the outcome “{outcome}” is forbidden")

    def failed(self, error: BaseException) -> None:
        """Keep what an actor or arbiter has raised."""
        if isinstance(error, OracleFailure):
            self.keep("breach", error.oracle, error.message, error.drawing)
        else:
            text = "".join(traceback.format_exception(error))
            self.keep("exception", type(error).__name__, f"{type(error).__name__}: {error}", text)

    def keep(self, kind: str, oracle: str, message: str, details: str = "") -> None:
        """Write a finding at once, in the thread that has it."""
        finding = Finding(
            batch=self.batch,
            kind=kind,
            oracle=oracle,
            message=message,
            round=self.round,
            ops=sum(actor.ops for actor in self.actors),
            seconds=time.monotonic() - self.begin,
            details=details,
            python=sys.version.partition("\n")[0],
        )
        finding.write(self.folder / "found")
        self.found.append(finding)

    def save(self) -> None:
        """Write what has been done so far."""
        result = self.result
        result.ops = sum(actor.ops for actor in self.actors)
        result.seconds = time.monotonic() - self.begin
        result.latest = max(actor.latest for actor in self.actors)
        result.seen.clear()
        for actor in self.actors:
            result.seen.update(actor.seen)
        result.unknown = result.seen["unknown"]
        pairs = set().union(*(actor.pairs for actor in self.actors))
        result.pairs = sorted(pairs)
        result.gil = gil_enabled()
        result.findings = [finding.fingerprint for finding in self.found]
        write_atomically(self.folder / "result.json", result.to_json())


def thread_count() -> int:
    return len(os.listdir("/proc/self/task"))
