"""What measured values allow to say: intervals, rank tests, noise, and steps in a history.

Values are times or counts, above zero, lower is better; a ratio is own/base, so above 1 is slower.
They are few (one a round), far from a normal distribution and with outliers on one side, so
everything here goes by medians and ranks. SciPy has neither Holm's correction nor a search for
steps. Processes that measure do not import this module: NumPy is none of what is measured.
"""

import dataclasses
import functools
import heapq
import itertools
import math
import statistics
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 2000
BOUNDS = 0.025, 0.975  # of the draws, the interval's
SEEDS = 1, 2  # of the two sides' samples, which must not go together
STEP_PRICE = 4.0  # of one more step, in units of noise times log(number of values)
LEAST_STAY = 5  # values that a level must have: two that stand out are none
LEAST_NOISE = 1e-3  # relative: below it no step is looked for


@dataclasses.dataclass(frozen=True)
class Interval:
    """A ratio's estimate, and the bounds that it lies between with 95 % confidence."""

    low: float
    estimate: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.3f} ({self.low:.3f}-{self.high:.3f})"


def ratio_interval(base: Sequence[float], own: Sequence[float]) -> Interval:
    """Return median(own)/median(base) with its bootstrap percentile interval.

    The same values give the same interval. Raises StatisticsError without values.
    """
    estimate = statistics.median(own) / statistics.median(base)
    found = _resampled(tuple(own), SEEDS[0]) / _resampled(tuple(base), SEEDS[1])
    low, high = np.quantile(found, BOUNDS)
    return Interval(float(low), estimate, float(high))


@functools.lru_cache(maxsize=1024)
def _resampled(values: tuple[float, ...], seed: int) -> Floats:
    """Return the medians of samples; kept, since a measurement is compared with many others."""
    samples = np.random.default_rng(seed).choice(values, (DRAWS, len(values)))
    medians: Floats = np.median(samples, axis=1)
    return medians


def p_greater(base: Sequence[float], own: Sequence[float]) -> float:
    """Return by how great a chance `own` is so much greater: Mann and Whitney's one-sided p.

    Exact; with ties by the normal approximation with correction for ties and continuity.
    """
    if len({*base, *own}) < 2 or not base or not own:
        return 1.0
    from scipy import stats  # takes a second, and not every command needs it

    ties = len({*base, *own}) < len(base) + len(own)
    method = "asymptotic" if ties else "exact"
    return float(stats.mannwhitneyu(own, base, alternative="greater", method=method).pvalue)


def holm(chances: Sequence[float]) -> list[float]:
    """Correct p-values for their number by Holm's procedure; the order stays."""
    corrected = [0.0] * len(chances)
    highest = 0.0
    for done, index in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        highest = max(highest, min(1.0, chances[index] * (len(chances) - done)))
        corrected[index] = highest
    return corrected


def spread(values: Sequence[float]) -> float:
    """Return the relative spread, a standard deviation by the median of deviations."""
    middle = statistics.median(values)
    return 1.4826 * statistics.median(abs(value - middle) for value in values) / middle


def steady(values: Sequence[float], limit: float) -> list[bool]:
    """Tell which values lie within `limit` (relative) of the median of all."""
    middle = statistics.median(values)
    return [abs(value / middle - 1) <= limit for value in values]


@dataclasses.dataclass(frozen=True)
class Step:
    """From value number `index` on, the level is `after` instead of `before`."""

    index: int
    before: float
    after: float


def steps(values: Sequence[float]) -> list[Step]:
    """Find where a history's level changed for good.

    The piecewise constant line with the least sum of absolute deviations of logarithms, where
    each step has a price that grows with the noise, and each level at least LEAST_STAY values.
    """
    logs = [math.log(value) for value in values]
    if len(logs) < 2 * LEAST_STAY:
        return []
    moves = [abs(b - a) for a, b in itertools.pairwise(logs)]
    noise = max(LEAST_NOISE, statistics.median(moves))
    price = STEP_PRICE * noise * max(1.0, math.log(len(logs)))
    best = [-price, *[math.inf] * len(logs)]
    begins = [0] * (len(logs) + 1)
    for begin in range(len(logs)):
        for end, cost in enumerate(_costs(logs[begin:]), begin + 1):
            total = best[begin] + cost + price
            if end - begin >= LEAST_STAY and total < best[end]:
                best[end], begins[end] = total, begin
    bounds = [len(logs)]
    while bounds[-1]:
        bounds.append(begins[bounds[-1]])
    bounds.reverse()
    levels = [statistics.median(values[begin:end]) for begin, end in itertools.pairwise(bounds)]
    return [
        Step(index, before, after)
        for index, before, after in zip(bounds[1:-1], levels, levels[1:], strict=False)
    ]


def _costs(values: Sequence[float]) -> list[float]:
    """Return, for each first part of the values, its sum of distances from its own median."""
    low: list[float] = []  # the lower half, negated: a heap gives its greatest
    high: list[float] = []
    low_sum = high_sum = 0.0
    found = []
    for value in values:
        moved = -heapq.heappushpop(low, -value)
        low_sum += value - moved
        heapq.heappush(high, moved)
        high_sum += moved
        if len(high) > len(low):
            moved = heapq.heappop(high)
            high_sum -= moved
            heapq.heappush(low, -moved)
            low_sum += moved
        found.append(high_sum - low_sum + (len(low) - len(high)) * -low[0])
    return found
