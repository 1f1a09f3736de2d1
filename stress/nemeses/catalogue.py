"""All nemeses, by name; each draws from the batch's seed.

A nemesis touches the interpreter and the kernel, never the subject. `stop` is the supervisor's:
a stopped process cannot go on by itself.
"""

from __future__ import annotations

import _thread
from random import Random

from ..records.batch import seed_of
from .interpreter import Churn, Collect, StopTheWorld, Switch
from .kernel import Affinity, Fork, Oversubscribe, Signals, Starve, Stop
from .nemesis import Nemesis, Running
from .pauses import Lines, Timeouts, Yields
from .throwing import KeyboardInterrupts, NoMemory, Throws

NEMESES: dict[str, type[Nemesis]] = {
    "switch": Switch,
    "lines": Lines,
    "yields": Yields,
    "timeouts": Timeouts,
    "oversubscribe": Oversubscribe,
    "affinity": Affinity,
    "starve": Starve,
    "signals": Signals,
    "interrupts": KeyboardInterrupts,
    "throws": Throws,
    "nomemory": NoMemory,
    "gc": Collect,
    "stw": StopTheWorld,
    "churn": Churn,
    "fork": Fork,
    "stop": Stop,
}


class Nemeses:
    """All that a batch asks for."""

    def __init__(self, run: Running) -> None:
        seed = run.batch.seed
        self._all = [NEMESES[name](run, Random(seed_of(seed, name))) for name in run.batch.nemeses]

    def start(self) -> None:
        """Start the threads of those that have one."""
        for nemesis in self._all:
            if nemesis.every:
                _thread.start_new_thread(nemesis.live, ())

    def before_round(self, rng: Random) -> None:
        """Let each do what it does before a round."""
        for nemesis in self._all:
            nemesis.before_round(rng)

    def stop(self) -> None:
        """Let their threads end."""
        for nemesis in self._all:
            nemesis.over = True

    def end(self) -> bool:
        """Put things back, once the threads have ended; return whether all is as it was."""
        for nemesis in self._all:
            nemesis.end()
        return not any(nemesis.leaves for nemesis in self._all)
