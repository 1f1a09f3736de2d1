"""What a nemesis is: a thread that acts again and again, or something done before each round."""

from __future__ import annotations

import _thread
import time
from random import Random
from types import ModuleType
from typing import ClassVar, Protocol

from ..api.scenario import Actor, Scenario
from ..processes.heartbeat import Heartbeat
from ..records.batch import Batch

PATIENCE = 1.0
"""Seconds without a round's end after which nemeses hold still."""


class Patience:
    """Nobody is disturbed who does not get on anyway: so that a hang becomes quiet, and slow ends.

    One for each thread that disturbs.
    """

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat
        self._progress, self._since = heartbeat.progress(), time.monotonic()

    def lasts(self) -> bool:
        """Return whether a round has begun or ended lately."""
        now, progress = time.monotonic(), self._heartbeat.progress()
        if progress != self._progress:
            self._progress, self._since = progress, now
        return now - self._since < PATIENCE


class Running(Protocol):
    """What a nemesis sees of the batch that runs beside it."""

    batch: Batch
    heartbeat: Heartbeat
    target: ModuleType
    scenario: type[Scenario]
    actors: list[Actor]
    plain: list[str]
    """The methods of the actors that have threads of their own."""
    main: str | None
    """The method of the actor in the main thread, if there is one."""

    @property
    def idents(self) -> list[int]:
        """The threads of the actors but the main one."""


class Nemesis:
    """Either a thread that acts again and again, or something that is done before each round."""

    doc: ClassVar[str]
    every: ClassVar[float] = 0.0
    """Seconds between two acts of the thread, about; 0 for none."""
    throws: ClassVar[bool] = False
    """It raises in actors: only for scenarios that tolerate it."""
    leaves: ClassVar[bool] = False
    """It leaves something behind: the process is not used again."""

    def __init__(self, run: Running, rng: Random) -> None:
        self.run = run
        self.rng = rng
        self.over = False
        self.prepare()

    def prepare(self) -> None:
        """Set up, before the first round."""

    def before_round(self, rng: Random) -> None:
        """Do what comes before each round, in the main thread."""

    def act(self) -> None:
        """Do what the thread does each time."""

    def end(self) -> None:
        """Put things back, after the last round."""

    def live(self) -> None:
        self.run.heartbeat.add_extra(_thread.get_native_id())
        patience = Patience(self.run.heartbeat)
        while not self.over:
            if patience.lasts():
                self.act()
            time.sleep(self.rng.expovariate(1 / self.every))
