"""What a self-test runs in which order: it depends on the seed, and not on what the bug is."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ..api.scenario import Scenario
from ..engine.catalogue import shipped
from ..records.batch import Batch, seed_of
from ..targets.mutants.mutant import Mutant
from .matrix import GOLDEN

FIRST = 0.6
"""Seconds of a scenario's first batch; each later one lasts LONGER times as long."""
LONGER = 1.8
THREADS = (4, 4, 8)
NEMESES = ("timeouts", "yields", "gc", "starve", "signals", "churn", "stop")
"""At most one of these joins `lines` or nothing; none that mostly slows down is among them."""


def scenarios() -> dict[str, type[Scenario]]:
    """Return all scenarios but the controls: those look at the machine, not at the target."""
    return {n: c for n, c in shipped().items() if not n.startswith("control_")}


def relevant(mutant: Mutant) -> list[str]:
    """Return the scenarios that are about a mutant's primitive."""
    return [n for n, c in scenarios().items() if mutant.primitive in c.subjects.split()]


def batches(target: str, names: list[str], seed: int) -> Iterator[Batch]:
    """Yield batches of these scenarios without end, pass after pass."""
    module = GOLDEN if target == GOLDEN else f"mutant:{target}"
    rng = Random(seed_of("selftest", target, seed))
    seconds = FIRST
    while True:
        order = rng.sample(names, len(names))
        for name in sorted(order, key=lambda name: shipped()[name].slow):
            nemeses = {"lines"} if rng.random() < 0.6 else set()
            if rng.random() < 0.4:
                nemeses.add(rng.choice(NEMESES))
            threads = rng.choice(THREADS)
            number = rng.randrange(2**40)
            yield Batch(name, module, number, threads, tuple(sorted(nemeses)), seconds)
        seconds *= LONGER
