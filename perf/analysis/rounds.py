"""Fair rounds and their summary: who is measured when, and how far the ratios spread."""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median and the lowest and highest value beside it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarize at least one value; `nan` marks a round without a value and spoils all."""
        if any(math.isnan(value) for value in values):
            return cls(math.nan, math.nan, math.nan)
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def in_turn[T](sides: Sequence[T], number: int) -> Sequence[T]:
    """Return the sides in the order of a round: from the first to the last, or back."""
    return sides if number % 2 == 0 else sides[::-1]


def alternate[T](sides: Sequence[T], rounds: int) -> Iterator[tuple[int, T]]:
    """Yield (round, side): A B, B A, A B ..., so that a slow drift falls on both sides alike."""
    for number in range(rounds):
        for side in in_turn(sides, number):
            yield number, side


def ratios(left: Sequence[float], right: Sequence[float]) -> Spread:
    """Summarize left/right round by round; both sides of a round ran one after the other."""
    pairs = zip(left, right, strict=True)
    return Spread.of([a / b if b else math.nan for a, b in pairs])


ENOUGH_ROUNDS = 5  # that all agree by chance alone: 1 in 16


def judge(speedup: Spread, rounds: int) -> str:
    """Say what all rounds agree on: a speed-up is threading's time over ftthreading's."""
    if rounds < ENOUGH_ROUNDS:
        return "too few rounds"
    if speedup.low > 1:
        return "faster"
    if speedup.high < 1:
        return "SLOWER"
    return "no clear difference"


def jain(counts: Sequence[int]) -> float:
    """Return Jain's fairness index: 1 when all counts are equal, 1/n when one has everything."""
    squares = sum(count * count for count in counts)
    return sum(counts) ** 2 / (len(counts) * squares) if squares else math.nan
