"""The cost of a primitive that nobody else wants, beside that of a method that does nothing.

Values are CPU time, not wall time: one thread that never waits, on a machine that others use too.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from perf.instruments.bench import Axes, Bench, Family, Sample
from perf.instruments.implementations import Implementation
from perf.results.case import FLOOR, Case

UNROLLED = 10
WINDOWS = 5

Loop = Callable[[Any, int], None]


def leave(_primitive: Any) -> None:
    """Measure the primitive as it is when it is new."""


def set_event(event: Any) -> None:
    event.set()


def hold(lock: Any) -> None:
    lock.acquire()


@dataclasses.dataclass(frozen=True)
class Statement:
    """A statement on the new primitive `p`; one operation is one of it."""

    type: str
    primitive: str
    operation: str
    statement: str
    prepare: Callable[[Any], None] = leave
    around: str = ""  # a `with` that the whole loop runs in

    @property
    def case(self) -> Case:
        """The case that this is measured as."""
        return Case(self.primitive, self.operation, "uncontended")

    def loop(self) -> Loop:
        """Compile a function that runs the statement UNROLLED times a loop."""
        lines = ["for _ in repeat(None, loops):", *[f"    {self.statement}"] * UNROLLED]
        if self.around:
            lines = [f"{self.around}:", *(f"    {line}" for line in lines)]
        body = "\n".join(f"    {line}" for line in lines)
        names: dict[str, Any] = {}
        exec(f"from itertools import repeat\ndef loop(p, loops):\n{body}\n", names)
        found: Loop = names["loop"]
        return found


WITH, CALLS = "with p: pass", "p.acquire(); p.release()"
STATEMENTS = (
    Statement("Lock", "lock", "with", WITH),
    Statement("Lock", "lock", "acquire_release", CALLS),
    Statement("Lock", "lock", "try_held", "p.acquire(False)", prepare=hold),
    Statement("Lock", "lock", "timeout", "p.acquire(timeout=1); p.release()"),
    Statement("RLock", "rlock", "with", WITH),
    Statement("RLock", "rlock", "acquire_release", CALLS),
    Statement("RLock", "rlock", "with_nested", WITH, around="with p"),
    Statement("Semaphore", "semaphore", "with", WITH),
    Statement("BoundedSemaphore", "bounded_semaphore", "with", WITH),
    Statement("Event", "event", "set_clear", "p.set(); p.clear()"),
    Statement("Event", "event", "wait_set", "p.wait()", prepare=set_event),
    Statement("Event", "event", "is_set", "p.is_set()", prepare=set_event),
    Statement("Condition", "condition", "with", WITH),
    Statement("Condition", "condition", "notify_nobody", "with p: p.notify()"),
)
BY_ID = {each.case.id: each for each in STATEMENTS}


def timed(statement: Statement, side: Implementation, loop: Loop, loops: int) -> float:
    """Return the CPU seconds of so many loops on a new primitive."""
    primitive = side.make(statement.type)
    statement.prepare(primitive)
    loop(primitive, 10)
    begin = time.thread_time()
    loop(primitive, loops)
    return time.thread_time() - begin


def calibrate(statement: Statement, side: Implementation, loop: Loop, window: float) -> int:
    """Return how many loops take about `window` seconds."""
    loops = 100
    while (took := timed(statement, side, loop, loops)) < window / 4:
        loops *= 2
    return max(1, round(loops * window / took))


def measure(bench: Bench, case: Case, side: Implementation) -> Sample:
    """Measure one statement in some windows."""
    statement = BY_ID[case.id]
    # A loop of its own for each: what the interpreter learns about one must not slow the next.
    loop = statement.loop()
    loops = calibrate(statement, side, loop, bench.short)
    values = [timed(statement, side, loop, loops) / loops / UNROLLED for _ in range(WINDOWS)]
    return Sample(values)


def cases(_axes: Axes) -> list[Case]:
    return [each.case for each in STATEMENTS]


FAMILY = Family("uncontended", cases, measure, lambda _case: (FLOOR,))
