"""What runs on ftthreading: this process, and the interpreters that it starts."""

from __future__ import annotations

import threading

from ._core import Event

__all__ = ["Status", "status"]


class Status:
    """Which interpreters run on ftthreading. Immutable.

    Attributes:
        here: `threading` is ftthreading's in this process, and in those that it forks.
        children: so it is in those that it starts anew from this environment: multiprocessing's
            spawn and forkserver, subprocess, the workers of a server. That takes the files of
            ``python -m ftthreading --enable-at-startup``, whatever `here` says. Only the files
            are looked at; ``--status`` tries an interpreter.
    """

    __slots__ = ("children", "here")
    __match_args__ = ("here", "children")

    here: bool
    children: bool

    def __init__(self, here: bool, children: bool) -> None:
        object.__setattr__(self, "here", here)
        object.__setattr__(self, "children", children)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to field {name!r}: a Status is a record")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}: a Status is a record")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Status):
            return NotImplemented
        return (self.here, self.children) == (other.here, other.children)

    def __hash__(self) -> int:
        return hash((self.here, self.children))

    def __repr__(self) -> str:
        return f"Status(here={self.here}, children={self.children})"


def status() -> Status:
    """Say whether this process runs on ftthreading, and whether those do that it starts.

    It looks at what `threading` has now and at two files, and changes nothing. Raises nothing.
    """
    from ._startup.files import will_reach_children

    return Status(vars(threading).get("Event") is Event, will_reach_children())
