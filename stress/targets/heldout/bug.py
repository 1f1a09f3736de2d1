"""One bug of a thread library's history, and how the interpreter's own source gets it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

type Plant = Callable[[dict[str, Any]], None]
"""Puts something into the namespace of the module that was built."""


@dataclass(frozen=True)
class Edit:
    """A piece of the source, which must be there so many times, and what takes its place."""

    old: str
    new: str
    times: int = 1


@dataclass(frozen=True)
class Bug:
    """A bug that once was in CPython, in a patch to it, or in another library of its kind.

    issue: where it is told: ``bpo-N`` or ``gh-N`` is CPython's, any other says whose it is.
    module: the one whose source or namespace is changed.
    repair: what all other builds get, the control also, if the interpreter still has this bug.
    """

    name: str
    area: str
    issue: str
    title: str
    module: str
    change: tuple[Edit, ...] | Plant
    repair: tuple[Edit, ...] = ()
