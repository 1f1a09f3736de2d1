"""What a mutant is: the golden reference with one bug, by which the harness itself is tested.

Two families. A *rate* bug strikes with a probability, whatever threads do; it tells how many
operations are needed. A *window* bug has no chance in it: it takes threads that meet at a bad
moment; it tells whether they do. Each is a piece of the golden source and what stands there
instead; the piece must be there exactly once.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A planted bug."""

    name: str
    primitive: str
    family: str
    description: str
    part: str
    old: str
    new: str
    alone: str = ""
    """Why one oracle only can see it; empty where two have to."""

    @property
    def target(self) -> str:
        """By which name the module with the bug is loaded."""
        return f"mutant:{self.name}"
