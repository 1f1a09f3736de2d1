"""What is run in which order: a plan that is the same for the same seed, on any machine.

The first pass runs each scenario once, undisturbed but for breaks between lines. Each later pass
runs all again in another order, with other numbers of threads and other nemeses. Batches are short,
for a bug is met by another choice sooner than by more of the same; they grow a little from pass to
pass. Batch number i depends on the seed and i alone; so a plan can be resumed at any number, and
shared among machines by numbers. Only how long a batch lasts is decided on the way (longer where
hand-overs are still new), and which ones are left out (see `Runner.wanted`).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Sequence
from random import Random
from typing import Any

from ..api.scenario import Scenario
from ..nemeses.catalogue import NEMESES
from ..records.batch import Batch, seed_of
from .catalogue import NoScenario, all_scenarios

MODES = {"sanity": 10.0, "quick": 120.0, "default": 900.0, "tough": 8 * 3600.0}
"""Names for budgets, in seconds."""
OVERHEAD = 0.05
"""Seconds that a batch takes beside its rounds, about."""
SHORT, LONG, GROWTH = 0.3, 10.0, 1.1
"""Seconds of a scenario's first batch, of its longest, and how much each pass's are longer."""
LINES = "lines"
"""The nemesis that shows most in a target written in Python: in half of the batches."""
HARDLY_ANY = 25.0
"""Seconds of budget below which only the core scenarios are planned."""


@dataclasses.dataclass(frozen=True)
class Options:
    """All that decides a plan; kept in the run's folder, so that it can be resumed."""

    target: str = "ftthreading"
    budget: float = MODES["default"]
    threads: tuple[int, ...] = ()
    seed: int = 0
    nemeses: tuple[str, ...] = tuple(NEMESES)
    only: str = ""
    shard: tuple[int, int] = (1, 1)
    until_failure: bool = False
    exit_first: bool = False
    known: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    python: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Options:
        """Read what `to_json` has made."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**plain)


def thread_counts(text: str) -> tuple[int, ...]:
    """Read ``1,2,cores,4x``: numbers, the processors, and multiples of them.

    Raises ValueError.
    """
    cpus = len(os.sched_getaffinity(0))
    found = []
    for word in text.split(","):
        if word == "cores":
            count = cpus
        elif word.endswith("x"):
            count = cpus * int(word[:-1])
        else:
            count = int(word)
        if not 1 <= count <= 512:
            raise ValueError(f"{count} threads: from 1 to 512 can be had")
        found.append(count)
    return tuple(dict.fromkeys(found))


def default_threads() -> tuple[int, ...]:
    """Return a few more than there are processors, twice, and four times as many."""
    return thread_counts("4,cores,2x,4x")


def chosen(only: str, files: Sequence[str]) -> dict[str, type[Scenario]]:
    """Return the scenarios whose names or subjects have one of the words of `only`, by commas.

    A word after ``=`` is a whole name. Raises NoScenario if there is none.
    """
    every = all_scenarios(files)
    words = [word.strip() for word in only.split(",") if word.strip()]
    found = {
        name: cls
        for name, cls in every.items()
        if not words
        or any(word == f"={name}" or word in name or word in cls.subjects.split() for word in words)
    }
    if not found:
        raise NoScenario(f"no scenario's name or subject has {only!r} in it")
    return found


class Plan:
    """The endless sequence of batches that the options stand for."""

    def __init__(
        self,
        options: Options,
        unfit: Collection[str] = (),
        names: Collection[str] | None = None,
    ) -> None:
        """unfit: nemeses that mean nothing for the target and interpreter. names: the target's."""
        self.options = options
        fit = [name for name in options.nemeses if name not in unfit]
        self.nemeses = tuple(name for name in fit if not NEMESES[name].throws)
        self._throwing = [name for name in fit if NEMESES[name].throws]
        every = chosen(options.only, options.files)
        hardly = options.budget < HARDLY_ANY and not options.only
        self.scenarios = {
            name: cls
            for name, cls in every.items()
            if (cls.core or not hardly)
            and (not cls.tolerates or self.throwing(cls))
            and (names is None or cls.requires.issubset(names))
        }
        if not self.scenarios:
            raise NoScenario(
                f"{', '.join(every)}: no nemesis that can be had is tolerated, or the target has"
                " not what is needed"
            )
        self.dropped = [name for name in every if name not in self.scenarios]
        # In the first pass what takes seconds comes last.
        self.scenarios = dict(sorted(self.scenarios.items(), key=lambda item: item[1].slow))
        self._fresh: dict[str, float] = {}

    def throwing(self, cls: type[Scenario]) -> list[str]:
        """Return the nemeses that may throw into a scenario's actors."""
        return [name for name in self._throwing if name in cls.tolerates]

    @property
    def first_pass(self) -> int:
        """How many batches it takes to have run each scenario once."""
        return len(self.scenarios)

    def mine(self, number: int) -> bool:
        """Return whether a batch belongs to this shard."""
        part, parts = self.options.shard
        return number % parts == part - 1

    def batch(self, number: int) -> Batch:
        """Return the batch of this number."""
        turn, place = divmod(number, len(self.scenarios))
        names = list(self.scenarios)
        if turn:
            Random(seed_of(self.options.seed, turn)).shuffle(names)
        name = names[place]
        seed = seed_of(self.options.seed, number, name)
        rng = Random(seed)
        threads = rng.choice(self.options.threads) if turn else self.options.threads[0]
        count = rng.choices((0, 1, 2, 3), (2, 4, 3, 1))[0] if turn else 0
        nemeses = rng.sample(self.nemeses, min(count, len(self.nemeses)))
        measures = not turn and self.scenarios[name].measures
        if LINES in self.nemeses and LINES not in nemeses and rng.random() < 0.5 and not measures:
            nemeses.append(LINES)
        if throwing := self.throwing(self.scenarios[name]):
            chosen = rng.sample(throwing, rng.randint(1, len(throwing)))
            # What allocates beside the actor would fail in its stead.
            nemeses = ["nomemory"] if "nomemory" in chosen else nemeses + chosen
        return Batch(
            scenario=name,
            target=self.options.target,
            seed=seed,
            threads=threads,
            nemeses=tuple(sorted(nemeses)),
            seconds=self._seconds(name, turn),
            files=self.options.files,
        )

    def learn(self, scenario: str, new: bool) -> None:
        """Take note of whether a batch has shown a new hand-over or outcome."""
        before = self._fresh.get(scenario, 1.0)
        self._fresh[scenario] = min(2.0, before * 1.4) if new else max(0.5, before * 0.8)

    def _seconds(self, name: str, turn: int) -> float:
        """Return how long a batch of this scenario should last now."""
        whole = self.options.budget / len(self.scenarios) - OVERHEAD
        short = min(SHORT, max(0.1, whole / 2))  # hardly any time: two passes if possible
        return min(LONG, short * GROWTH ** min(turn, 99)) * self._fresh.get(name, 1.0)
