"""The short form for a simple case: operations, each in a thread of its own, and what must hold.

    stress.check(
        setup=lambda m: m.Lock(),
        ops=[lambda lock: lock.acquire(False)] * 2,
        invariant=lambda lock: lock.locked(),
    )

It runs in this process, so it cannot survive a crash, and the threads of a hang stay. A class of
`stress.Scenario` run by ``python -m stress`` or the plugin for pytest can do both, and has nemeses.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from .team import ActorThreads


class Found(AssertionError):
    """What `check` has found."""


def check[S](
    setup: Callable[[Any], S],
    ops: Sequence[Callable[[S], object]],
    invariant: Callable[[S], object] | None = None,
    *,
    target: ModuleType = threading,
    seconds: float = 1.0,
    patience: float = 10.0,
) -> int:
    """Run rounds for so many seconds, and return how many there were. Raises Found.

    setup: makes a round's subject of the target's primitives. ops: what is done to it, each in a
    thread of its own, all at once. invariant: called with the subject when all have ended; what it
    returns must be true. patience: seconds after which operations that have not ended hang.
    """
    team = ActorThreads(len(ops), lambda tid: None)
    errors: list[BaseException] = []

    def run(op: Callable[[S], object], subject: S) -> None:
        try:
            op(subject)
        except BaseException as error:
            errors.append(error)

    rounds, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        subject = setup(target)
        rounds += 1
        if not team.run([functools.partial(run, op, subject) for op in ops], None, patience):
            raise Found(f"round {rounds} has not ended after {patience:g} s:\n{_stacks(team)}")
        if errors:
            raise Found(f"round {rounds}: an operation raised {errors[0]!r}") from errors[0]
        if invariant is not None and not invariant(subject):
            raise Found(f"round {rounds}: the invariant does not hold of {subject!r}")
    team.end()
    return rounds


def _stacks(team: ActorThreads) -> str:
    """Return where the operations are that have not ended."""
    frames = sys._current_frames()
    stacks = [traceback.format_stack(frames[ident]) for ident in team.idents if ident in frames]
    return "\n".join("".join(stack[-6:]) for stack in stacks if "self._gates" not in stack[-1])
