"""What a scenario is: a subject, actors (a thread each), an arbiter, graded outcomes, oracles.

A round makes a fresh instance, lets all actors go at once, and when the last has ended asks
`arbiter()` for the outcome. Whatever breaks on the way is told by raising `OracleFailure` with the
name of the oracle that saw it. An actor that never ends is a finding, too: a scenario has no legal
deadlock, unless it says so.
"""

from __future__ import annotations

import enum
import inspect
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from random import Random
from types import ModuleType
from typing import Any, ClassVar

from .exposure import Exposure


class Grade(enum.Enum):
    """How an outcome is judged."""

    ACCEPTABLE = "acceptable"
    INTERESTING = "interesting"
    FORBIDDEN = "forbidden"


ACCEPTABLE = Grade.ACCEPTABLE
INTERESTING = Grade.INTERESTING
FORBIDDEN = Grade.FORBIDDEN

MANY = 0
"""As many actors as the run has threads to give."""

CLOCK_SLACK = 1e-6
"""Seconds that a wait may seem to end early for the clock's sake alone."""


class OracleFailure(Exception):
    """An oracle saw what must never be."""

    def __init__(self, oracle: str, message: str, drawing: str = "") -> None:
        super().__init__(f"{oracle}: {message}")
        self.oracle = oracle
        self.message = message
        self.drawing = drawing


class Actor:
    """One thread's half of the referee: its random numbers, its counts, what it saw.

    Only the actor's own thread writes here, so that counting does not order threads.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.rng: Random = Random(index)
        self.ops: int = 0
        self.seen: Counter[str] = Counter()
        self.pairs: set[tuple[str, str]] = set()
        self.latest: float = 0.0
        self.scale: float = 0.0
        """Seconds that tiny timeouts last on average; 0 for the usual mixture."""
        self.exposure: Exposure = Exposure()
        self._board: list[tuple[int, str]] | None = None

    def begin(self, seed: int, board: list[tuple[int, str]] | None) -> None:
        """Start a round; `board` is where hand-overs are noted, in rounds that note them."""
        self.rng.seed(seed)
        self._board = board

    def did(self, operation: str) -> None:
        """Count an operation; now and then, note whose operation came before it."""
        self.ops += 1
        if (board := self._board) is not None:
            who, before = board[0]
            board[0] = (self.index, operation)
            if who != self.index:
                self.pairs.add((before, operation))

    def saw(self, label: str) -> None:
        """Count that something happened that a scenario wants to have happened."""
        self.seen[label] += 1

    def tiny(self) -> float:
        """Return a timeout in seconds about as long as a hand-over takes, or none at all."""
        kind = self.rng.random()
        if kind < 0.1:
            return 0.0
        if self.scale:
            return self.rng.expovariate(1 / self.scale)
        return self.rng.expovariate(1 / (0.0001 if kind < 0.7 else 0.002))

    def pause(self) -> None:
        """Let some time pass, mostly none: burn it, give the processor away, or sleep."""
        kind = self.rng.random()
        if kind < 0.5:
            return
        if kind < 0.8:
            for _ in range(int(self.rng.expovariate(1 / 40))):
                pass
        elif kind < 0.95:
            time.sleep(0)
        else:
            time.sleep(self.rng.expovariate(1 / 0.0003))

    def expose(self, work: Callable[[], object]) -> bool:
        """Call `work()`, into which nemeses may throw once; return whether one has.

        Only for scenarios that say in `tolerates` which nemeses may. An exception may come after
        any instruction of Python code. What must not be divided (a call, and the record that it
        has returned) is made one instruction: ``taken.extend(starmap(lock.acquire, [()]))``.
        """
        struck = self.exposure.run(work, self.rng)
        if struck:
            self.saw("thrown")
        return struck

    def timed(self, wait: Callable[[float], Any], timeout: float) -> Any:
        """Return `wait(timeout)`; if it gave up (false), it must not have done so early."""
        begin = time.monotonic()
        result = wait(timeout)
        elapsed = time.monotonic() - begin
        if not result:
            self.saw("timed out")
            if elapsed < timeout - CLOCK_SLACK:
                raise OracleFailure(
                    "timeout", f"gave up after {elapsed:.6f} s, though it had {timeout:.6f} s"
                )
            self.latest = max(self.latest, elapsed - timeout)
        return result


class World:
    """What a scenario is made in: the module under test, random numbers, how many threads."""

    def __init__(
        self,
        target: ModuleType,
        rng: Random,
        threads: int,
        name: str = "threading",
        *,
        has_nemeses: bool = False,
    ) -> None:
        """has_nemeses: some disturb it."""
        self.target: Any = target
        self.name = name
        self.rng = rng
        self.threads = threads
        self.has_nemeses = has_nemeses


class Marked:
    """What `@actor` leaves on a method."""

    def __init__(self, count: int, main: bool) -> None:
        self.count = count
        self.main = main


def actor[F: Callable[..., None]](count: int = 1, *, main: bool = False) -> Callable[[F], F]:
    """Mark a method as an actor; it gets its `Actor` as the only argument.

    count: how many threads run it, or `MANY`. main: it runs in the interpreter's main thread,
    where signal handlers run; a scenario can have one such.
    """

    def mark(method: F) -> F:
        method.actor = Marked(count, main)  # type: ignore[attr-defined]
        return method

    return mark


class Scenario:
    """The base of all scenarios; the docstring's first line is what `list` shows."""

    subjects: ClassVar[str] = ""
    """The primitives that it exercises, in words separated by blanks."""
    outcomes: ClassVar[Mapping[str, Grade]] = {"done": ACCEPTABLE}
    """Every outcome that may be, and its grade; any other is FORBIDDEN."""
    must_see: ClassVar[frozenset[str]] = frozenset()
    """Outcomes and labels without each of which a run has not exercised this."""
    min_rounds: ClassVar[int] = 5
    """Rounds without which a run has not exercised this."""
    max_threads: ClassVar[int] = 64
    """More actors than this prove nothing more."""
    expects_hang: ClassVar[bool] = False
    """A deadlock is what has to be seen: not being stuck is the finding."""
    signals: ClassVar[bool] = False
    """It uses the process's signal handlers and timer itself."""
    tolerates: ClassVar[frozenset[str]] = frozenset()
    """Nemeses that throw into actors, and that its actors stand where they `expose` themselves.

    It is run only with one or more of them.
    """
    requires: ClassVar[frozenset[str]] = frozenset()
    """Names, beside the primitives, that the target must have: it is not run on others."""
    known_without: ClassVar[str] = ""
    """A name: on a target that has it not, the interpreter's is tried, whose faults are known."""
    forks: ClassVar[bool] = False
    """Its forked children go on as Python programs."""
    slow: ClassVar[bool] = False
    """It takes seconds to see what goes wrong: a self-test asks the quick ones first."""
    measures: ClassVar[bool] = False
    """It judges times or amounts: its first batch has no nemeses at all."""
    core: ClassVar[bool] = True
    """It is run even when there is hardly any time."""
    quiet: ClassVar[float] = 1.5
    """Seconds that all its threads may sleep without being stuck."""

    def __init__(self, world: World) -> None:
        self.target: Any = world.target
        self.rng: Random = world.rng
        self.threads: int = world.threads
        self.target_name: str = world.name
        self.has_nemeses: bool = world.has_nemeses
        self.setup()

    def setup(self) -> None:
        """Make the subject; runs in the main thread, before the actors."""

    def arbiter(self) -> str:
        """Look at what is left, in the main thread; return the outcome or raise OracleFailure."""
        return "done"

    @classmethod
    def name(cls) -> str:
        """Return the name by which the command line knows it: lock_torture for LockTorture."""
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__)
        return words.strip("_")

    @classmethod
    def summary(cls) -> str:
        """Return the docstring's first line."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]

    @classmethod
    def cast(cls, threads: int) -> list[tuple[str, bool]]:
        """Return (method, in the main thread) for each actor, at about this many threads.

        A fixed cast is returned as it is, whatever `threads` is.
        """
        # Not inspect.getmembers(): it walks over dictionaries that other threads may add to.
        members = {n: m for base in reversed(cls.__mro__) for n, m in vars(base).copy().items()}
        marked = [
            (name, method.actor)
            for name, method in sorted(members.items())
            if inspect.isfunction(method) and hasattr(method, "actor")
        ]
        fixed = sum(mark.count for _, mark in marked if mark.count != MANY)
        scaled = sum(mark.count == MANY for _, mark in marked)
        threads = min(threads, cls.max_threads)
        share = max(1, (threads - fixed) // scaled) if scaled else 0
        return [
            (name, mark.main)
            for name, mark in marked
            for _ in range(share if mark.count == MANY else mark.count)
        ]

    @classmethod
    def scales(cls) -> bool:
        """Return whether more threads mean more actors in one instance."""
        return len(cls.cast(1)) != len(cls.cast(cls.max_threads))


def grade(scenario: type[Scenario], outcome: Hashable) -> Grade:
    """Return the grade of what an arbiter returned."""
    return scenario.outcomes.get(str(outcome), FORBIDDEN)
