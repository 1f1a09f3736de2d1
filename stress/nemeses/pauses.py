"""Nemeses of time: breaks between lines and calls, timeouts as long as a hand-over takes."""

from __future__ import annotations

import _thread
import os
import sys
import time
from random import Random
from types import CodeType

from ..records.batch import seed_of
from ..targets.inspection import code_of, futures_of, queues_of
from .nemesis import Nemesis

TOOL = 4  # sys.monitoring's: neither a debugger's nor a profiler's


class Timeouts(Nemesis):
    doc = "timeouts of about the time that a hand-over takes here, from 1 us to 3 ms"

    def before_round(self, rng: Random) -> None:
        scale = 10 ** rng.uniform(-6, -2.5)
        for actor in self.run.actors:
            actor.scale = scale


class Injection(Nemesis):
    """Calls back before each line of some code, and now and then takes a break there."""

    def codes(self) -> list[CodeType]:
        raise NotImplementedError

    def prepare(self) -> None:
        self.chance = self.rng.choice((0.02, 0.1, 0.3))
        self.rngs: dict[int, Random] = {}
        monitoring = sys.monitoring
        if monitoring.get_tool(TOOL) is None:
            monitoring.use_tool_id(TOOL, "stress")
        monitoring.register_callback(TOOL, monitoring.events.LINE, self.line)
        self.disturbed = self.codes()
        for code in self.disturbed:
            monitoring.set_local_events(TOOL, code, monitoring.events.LINE)

    def end(self) -> None:
        for code in self.disturbed:
            sys.monitoring.set_local_events(TOOL, code, 0)

    def line(self, code: CodeType, number: int) -> None:
        ident = _thread.get_ident()
        rng = self.rngs.get(ident)
        if rng is None:
            rng = self.rngs[ident] = Random(seed_of(self.run.batch.seed, len(self.rngs)))
        if rng.random() < self.chance:
            if rng.random() < 0.7:
                os.sched_yield()
            else:
                time.sleep(rng.random() * 0.0003)


class Lines(Injection):
    doc = "breaks between the lines of a target written in Python (nothing for one in C)"

    def codes(self) -> list[CodeType]:
        subjects = self.run.scenario.subjects.split()
        if "Queue" in subjects:
            queues_of(self.run.target)
        if "ThreadPoolExecutor" in subjects:
            futures_of(self.run.target)
        return code_of(self.run.target)


class Yields(Injection):
    doc = "breaks between the calls that the scenario's actors make"

    def codes(self) -> list[CodeType]:
        cls = self.run.scenario
        names = [*self.run.plain, *([self.run.main] if self.run.main else [])]
        return [getattr(cls, name).__code__ for name in names]
