"""The search for an order: Wing and Gong's, with Lowe's memory of what was tried.

A configuration is how many calls of each thread have taken effect, and the model's state then. A
thread's next call can be the next in the order unless some call that has not taken effect yet
returned before it began. Among threads whose next calls are equal, only the one that returns first
is tried, if the model does not tell threads apart: any order could exchange them.

The search gives up after a number of steps: UNKNOWN is a verdict, and not a good one.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Hashable, Sequence

from .history import Call, by_thread, cut
from .models import Model

STEPS = 30_000


class Verdict(enum.Enum):
    """Whether some order explains a history."""

    LEGAL = "legal"
    ILLEGAL = "illegal"
    UNKNOWN = "unknown"


class Stuck(enum.Enum):
    """What it means that threads wait and none goes on."""

    LOST_WAKEUP = "somebody could go on, in whatever order the calls took effect"
    LEGAL_DEADLOCK = "nobody could go on"
    UNKNOWN = "it depends on the order"
    UNEXPLAINED = "what has returned is explained only if a call took effect that does not return"
    """Or not even then; `check` tells."""


@dataclasses.dataclass
class Answer:
    """A verdict, and the order that explains all of a history, or else as much as can be."""

    verdict: Verdict
    order: list[Call]
    steps: int


Config = tuple[tuple[int, ...], Hashable]


class Search:
    """One history under one model."""

    def __init__(self, model: Model, calls: Sequence[Call], limit: int = STEPS) -> None:
        self.model = model
        self.threads = by_thread(calls)
        self.limit = limit
        self.steps = 0
        self.begin: Config = ((0,) * len(self.threads), model.initial())

    def ready(self, positions: tuple[int, ...], completed_only: bool) -> list[int]:
        """Return the threads whose next call may take effect next."""
        nexts = [
            (k, calls[at])
            for k, (calls, at) in enumerate(zip(self.threads, positions, strict=True))
            if at < len(calls)
        ]
        ends = [call.end for _, call in nexts if call.end is not None]
        first_end = min(ends, default=None)
        found = [
            (k, call)
            for k, call in nexts
            if (first_end is None or call.begin <= first_end)
            and not (completed_only and call.pending)
        ]
        if not self.model.anonymous:
            return [k for k, _ in found]
        best: dict[tuple[str, object, object], tuple[int, Call]] = {}
        for k, call in found:
            key = (call.op, call.argument, str(call.result))
            other = best.get(key)
            if other is None or _end(call) < _end(other[1]):
                best[key] = (k, call)
        return [k for k, _ in best.values()]

    def complete(self, positions: tuple[int, ...]) -> bool:
        """Return whether all calls that have returned have taken effect."""
        return all(
            at == len(calls) or calls[at].pending
            for calls, at in zip(self.threads, positions, strict=True)
        )

    def after(self, config: Config, completed_only: bool) -> list[tuple[Call, Config]]:
        """Return the configurations that can come next, each with the call that leads there."""
        positions, state = config
        found = []
        for k in self.ready(positions, completed_only):
            call = self.threads[k][positions[k]]
            further = (*positions[:k], positions[k] + 1, *positions[k + 1 :])
            found += [(call, (further, s)) for s in self.model.step(state, call)]
        return found

    def run(self) -> Answer:
        """Look for an order that explains the history."""
        seen = {self.begin}
        longest: list[Call] = []
        path: list[Call] = []
        stack = [iter(self.after(self.begin, False))]
        if self.complete(self.begin[0]):
            return Answer(Verdict.LEGAL, [], 0)
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                if path:
                    path.pop()
                continue
            call, config = step
            if config in seen:
                continue
            seen.add(config)
            self.steps += 1
            if self.steps > self.limit:
                return Answer(Verdict.UNKNOWN, longest, self.steps)
            path.append(call)
            if sum(not c.pending for c in path) > sum(not c.pending for c in longest):
                longest = list(path)
            if self.complete(config[0]):
                return Answer(Verdict.LEGAL, list(path), self.steps)
            stack.append(iter(self.after(config, False)))
        return Answer(Verdict.ILLEGAL, longest, self.steps)

    def stuck(self) -> Stuck:
        """Judge calls that do not return: over all orders of those that have."""
        seen = {self.begin}
        todo = [self.begin]
        can = cannot = 0
        while todo:
            positions, state = config = todo.pop()
            if self.complete(positions):
                pending = [
                    calls[at]
                    for calls, at in zip(self.threads, positions, strict=True)
                    if at < len(calls)
                ]
                if any(True for call in pending for _ in self.model.step(state, call)):
                    can += 1
                else:
                    cannot += 1
            for _, further in self.after(config, True):
                if further not in seen:
                    seen.add(further)
                    todo.append(further)
            if len(seen) > self.limit or (can and cannot):
                return Stuck.UNKNOWN
        if can:
            return Stuck.LOST_WAKEUP
        return Stuck.LEGAL_DEADLOCK if cannot else Stuck.UNEXPLAINED


def _end(call: Call) -> float:
    return float("inf") if call.end is None else call.end


def check(model: Model, calls: Sequence[Call], limit: int = STEPS) -> Answer:
    """Return whether some order of the calls explains what they returned."""
    return Search(model, calls, limit).run()


def minimise(model: Model, calls: Sequence[Call], limit: int = STEPS) -> list[Call]:
    """Return the shortest beginning of an illegal history that is illegal, without idle calls.

    A beginning of a legal history is legal, so the moment can be searched by halves. A call that
    has not returned is left out where it explains nothing.
    """
    ends = sorted(call.end for call in calls if call.end is not None)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if check(model, cut(calls, ends[middle]), limit).verdict is Verdict.ILLEGAL:
            high = middle
        else:
            low = middle + 1
    short = cut(calls, ends[high])
    for thread in sorted({call.thread for call in short}):
        rest = [call for call in short if call.thread != thread or not call.pending]
        if check(model, rest, limit).verdict is Verdict.ILLEGAL:
            short = rest
    return short
