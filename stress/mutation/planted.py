"""What the self-test measures by: mutants of the golden reference, and the held-out bugs."""

from __future__ import annotations

import dataclasses
import functools

from ..targets.heldout.building import CONTROL, bugs
from ..targets.mutants.mutant import Mutant
from ..targets.mutants.planting import mutants

HELD_OUT = "heldout:"
"""How names of held-out bugs begin."""
HISTORY = "history"
"""The family of the held-out bugs."""
QUIET = ("golden", f"{HELD_OUT}{CONTROL}")
"""What must stay quiet: without mutants, and without held-out bugs."""


@dataclasses.dataclass(frozen=True)
class HeldOut(Mutant):
    """A bug of history in the interpreter's own modules."""

    @property
    def target(self) -> str:
        return self.name


@functools.cache
def planted() -> dict[str, Mutant]:
    """Return all of both by name."""
    held_out = {
        f"{HELD_OUT}{bug.name}": HeldOut(
            name=f"{HELD_OUT}{bug.name}",
            primitive=bug.area,
            family=HISTORY,
            description=f"{bug.issue}: {bug.title}",
            part=bug.module,
            old="",
            new=repr(bug.change) if isinstance(bug.change, tuple) else bug.change.__name__,
        )
        for bug in bugs().values()
    }
    return {**mutants(), **held_out}
