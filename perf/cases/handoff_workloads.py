"""What perf/cases/handoff.py measures: how threads hand over through each primitive.

A setup makes the jobs of all threads for so many rounds, and a check of the end state. What the
threads share is kept as the shape says: perf/instruments/shapes.py.
"""

import _thread
import dataclasses
import functools
import itertools
import time
from collections.abc import Callable
from typing import Any

from perf import native
from perf.instruments.implementations import Implementation
from perf.instruments.shapes import Home
from perf.instruments.team import Job, Running
from perf.results.case import ATTRIBUTE, SHARED, Case

Times = tuple[float, float]  # when a job began and ended
Check = Callable[[], bool]
Setup = Callable[[Implementation, int, str], tuple[list[Job], Check]]


def timed(body: Callable[[], None]) -> Job:
    """Make a job of a function: returns when it began and ended."""

    def job(_running: Running) -> Times:
        begin = time.perf_counter()
        body()
        return begin, time.perf_counter()

    return job


def there_and_back(home: Home, loop: Callable[[Any, Any, int], None], rounds: int) -> list[Job]:
    """Return the jobs of two threads, each of which waits for one and lets the other's go."""
    ways = ({"mine": "one", "other": "two"}, {"mine": "two", "other": "one"})
    return [timed(home.job(loop, way, rounds=rounds)) for way in ways]


def pass_on(mine: Any, other: Any, rounds: int) -> None:
    for _ in itertools.repeat(None, rounds):
        mine.acquire()
        other.release()


def lock(implementation: Implementation, rounds: int, shape: str) -> tuple[list[Job], Check]:
    """Each acquires the lock that the other releases."""
    one, two = implementation.make("Lock"), implementation.make("Lock")
    two.acquire()
    jobs = there_and_back(Home(shape, {"one": one, "two": two}), pass_on, rounds)
    return jobs, lambda: two.locked() and not one.locked()


def semaphore(implementation: Implementation, rounds: int, shape: str) -> tuple[list[Job], Check]:
    """The same with two semaphores and one permit."""
    one, two = implementation.make("Semaphore", 1), implementation.make("Semaphore", 0)
    jobs = there_and_back(Home(shape, {"one": one, "two": two}), pass_on, rounds)
    return jobs, lambda: one.acquire(False) and not two.acquire(False)


def pass_event(mine: Any, other: Any, rounds: int) -> None:
    for _ in itertools.repeat(None, rounds):
        mine.wait()
        mine.clear()
        other.set()


def event(implementation: Implementation, rounds: int, shape: str) -> tuple[list[Job], Check]:
    """Each waits for its event, clears it and sets the other's."""
    one, two = implementation.make("Event"), implementation.make("Event")
    one.set()
    jobs = there_and_back(Home(shape, {"one": one, "two": two}), pass_event, rounds)
    return jobs, lambda: one.is_set() and not two.is_set()


def pass_turn(cond: Any, turn: list[int], me: int, rounds: int) -> None:
    for _ in itertools.repeat(None, rounds):
        with cond:
            while turn[0] != me:
                cond.wait()
            turn[0] = 1 - me
            cond.notify()


def condition(implementation: Implementation, rounds: int, shape: str) -> tuple[list[Job], Check]:
    """One condition and whose turn it is; each waits for its own and notifies the other."""
    cond = implementation.make("Condition")
    turn = [0]
    home, names = Home(shape, {"cond": cond, "turn": turn}), {"cond": "cond", "turn": "turn"}
    jobs = [timed(home.job(pass_turn, names, me=me, rounds=rounds)) for me in (0, 1)]
    return jobs, lambda: turn == [0]


def meet(barrier: Any, rounds: int, indexes: list[int]) -> None:
    total = 0
    for _ in itertools.repeat(None, rounds):
        total += barrier.wait()
    indexes.append(total)


def barrier(
    implementation: Implementation, rounds: int, shape: str, parties: int
) -> tuple[list[Job], Check]:
    """All wait at one barrier again and again."""
    home = Home(shape, {"barrier": implementation.make("Barrier", parties)})
    indexes: list[int] = []
    names = {"barrier": "barrier"}
    jobs = [timed(home.job(meet, names, rounds=rounds, indexes=indexes)) for _ in range(parties)]
    # In each round every party gets a number of its own.
    return jobs, lambda: sum(indexes) == rounds * parties * (parties - 1) // 2


def listen(
    cond: Any, state: list[int], ready: Any, rounds: int, waiters: int, work: Callable[[], Any]
) -> None:
    with cond:
        for number in range(rounds):
            state[1] += 1
            if state[1] == waiters * (number + 1):
                ready.release()
            while state[0] <= number:
                cond.wait()
            work()


def call_all(cond: Any, state: list[int], ready: Any, rounds: int) -> None:
    for _ in itertools.repeat(None, rounds):
        ready.acquire()  # all have run since the last call
        with cond:
            state[0] += 1
            cond.notify_all()


def notify_all(
    implementation: Implementation, rounds: int, shape: str, waiters: int, section_ns: int
) -> tuple[list[Job], Check]:
    """One notifies all waiters, and again once the last of them has run and waits again.

    Each works for as long as the section says, while it has the lock.
    """
    cond = implementation.make("Condition")
    section = native.Section(section_ns)
    state = [0, 0]  # calls, arrivals; both only changed under the condition
    ready = _thread.allocate_lock()  # the interpreter's own for all: not what is measured
    ready.acquire()
    home, names = Home(shape, {"cond": cond, "state": state}), {"cond": "cond", "state": "state"}
    some: dict[str, Any] = {"ready": ready, "rounds": rounds}
    job = functools.partial(home.job, listen, names, waiters=waiters, work=section.run, **some)
    jobs = [timed(job()) for _ in range(waiters)]
    jobs.append(timed(home.job(call_all, names, **some)))
    return jobs, lambda: state == [rounds, rounds * waiters] and section.count == rounds * waiters


@dataclasses.dataclass(frozen=True)
class Handoff:
    """One way to hand over: how many threads, and how many operations a round makes."""

    primitive: str
    operation: str
    threads: int
    operations: int
    setup: Setup
    shape: str = ATTRIBUTE
    section_ns: int | None = None

    @property
    def case(self) -> Case:
        """The case that this is measured as."""
        return Case(
            self.primitive, self.operation, "handoff", self.threads, self.section_ns, self.shape
        )


def of_notify_all(waiters: int, section_ns: int | None) -> Handoff:
    setup = functools.partial(notify_all, waiters=waiters, section_ns=section_ns or 0)
    return Handoff("condition", "notify_all", waiters + 1, 1, setup, section_ns=section_ns)


_USUAL = (
    Handoff("lock", "handoff", 2, 2, lock),
    Handoff("semaphore", "handoff", 2, 2, semaphore),
    Handoff("event", "handoff", 2, 2, event),
    Handoff("condition", "handoff", 2, 2, condition),
    Handoff("barrier", "rounds", 2, 1, functools.partial(barrier, parties=2)),
    Handoff("barrier", "rounds", 8, 1, functools.partial(barrier, parties=8)),
    of_notify_all(16, None),
)
# How the time grows with the waiters, and with what each does under the lock.
_CURVE = tuple(
    of_notify_all(waiters, section)
    for waiters in (2, 4, 8, 16, 32, 64, 256)
    for section in (0, 10_000, 100_000)
)
_SHAPES = tuple(
    dataclasses.replace(each, shape=shape)
    for each in _USUAL
    if each.operation == "handoff" and each.primitive != "condition"
    for shape in SHARED
    if shape != ATTRIBUTE
)
HANDOFFS = _USUAL + _SHAPES + _CURVE
