"""What threads did: calls with the times between which each took effect, and how to draw them."""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Callable, Sequence
from typing import Any


class Pending(enum.Enum):
    """The result of a call that has not returned."""

    PENDING = "?"


PENDING = Pending.PENDING


@dataclasses.dataclass(frozen=True)
class Call:
    """One operation by one thread; times in nanoseconds, `end` None while it has not returned."""

    thread: int
    op: str
    argument: Any
    begin: int
    end: int | None
    result: Any

    @property
    def pending(self) -> bool:
        return self.end is None

    def __str__(self) -> str:
        argument = "" if self.argument is None else repr(self.argument)
        result = "?" if self.pending else self.result
        return f"{self.op}({argument})" + ("" if result is None else f" -> {result}")


class Recorder:
    """One thread's calls; only that thread writes, anybody may look."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.native_id = 0
        self.done: list[Call] = []
        self.open: Call | None = None
        self.finished = False

    def call(self, op: str, argument: Any, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what `function(*arguments)` returns, or the name of the error that it raises."""
        begin = time.perf_counter_ns()
        self.open = Call(self.thread, op, argument, begin, None, PENDING)
        try:
            result = function(*arguments)
        except (RuntimeError, ValueError) as error:
            result = type(error).__name__
        self.done.append(Call(self.thread, op, argument, begin, time.perf_counter_ns(), result))
        self.open = None
        return result

    def look(self) -> list[Call]:
        """Return the calls so far, the open one last."""
        last = self.open
        done = list(self.done)
        if last is not None and (not done or done[-1].begin < last.begin):
            done.append(last)
        return done


def by_thread(calls: Sequence[Call]) -> list[list[Call]]:
    """Return each thread's calls in its order."""
    threads: dict[int, list[Call]] = {}
    for call in calls:
        threads.setdefault(call.thread, []).append(call)
    return list(threads.values())


def cut(calls: Sequence[Call], time: int) -> list[Call]:
    """Return the history up to a moment: what ends later has not returned yet."""
    return [
        dataclasses.replace(call, end=None, result=PENDING)
        if call.end is None or call.end > time
        else call
        for call in calls
        if call.begin <= time
    ]


def draw(calls: Sequence[Call], order: Sequence[Call], width: int = 44) -> str:
    """Draw calls as bars over time, a line each.

    order: an order that explains as many as possible; each gets its number in it. What has
    returned and has no number cannot be placed.
    """
    times = sorted({t for call in calls for t in (call.begin, call.end) if t is not None})
    place = {time: k for k, time in enumerate(times)}
    scale = (width - 1) / max(1, len(times) - 1)
    numbers = {id(call): n for n, call in enumerate(order, 1)}
    lines = []
    for call in sorted(calls, key=lambda call: (call.thread, call.begin)):
        left = round(place[call.begin] * scale)
        right = width - 1 if call.end is None else round(place[call.end] * scale)
        bar = " " * left + "[" + "-" * max(0, right - left - 1)
        bar += ">" if call.end is None else "]"
        number = numbers.get(id(call))
        mark = f"#{number}" if number else ("" if call.pending else "<- has no place")
        lines.append(f"thread {call.thread:<2} {bar:<{width + 1}} {call!s:<28} {mark}".rstrip())
    return "\n".join(lines)
