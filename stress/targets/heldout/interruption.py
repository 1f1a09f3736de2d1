"""Bugs that exceptions show which come from outside, in the midst of a call."""

from __future__ import annotations

from typing import Any

from .bug import Bug, Edit
from .locks import Wrapper


def _with_a_gap(namespace: dict[str, Any]) -> None:
    namespace["Lock"] = Wrapper  # whose code goes on for a moment when the lock is taken


BUGS = (
    Bug(
        "lock_kept_by_interrupted_with",
        "interruption",
        "bpo-29988",
        "an exception that comes when `with` has just taken a lock leaves it locked (rare)",
        "threading",
        _with_a_gap,
    ),
    Bug(
        "condition_interrupted_waiter_stays",
        "interruption",
        "bpo-22185",
        "a waiter that an exception ends stays in the queue, and notify() wakes it, who is gone",
        "threading",
        (Edit("        gotit = False\n        try:", "        gotit = True\n        try:"),),
    ),
)
