"""What two sides' measurements say together: a regression, none, or nothing for certain.

Never a pass for a slowdown that the values cannot rule out: the interval must lie on one side of
the threshold.
"""

import dataclasses
import enum
from collections.abc import Mapping, Sequence

from perf.analysis.inference import Interval, holm, p_greater, ratio_interval

CHANCE = 0.01
LEAST_VALUES = 6  # of each side; fewer say nothing


class GateVerdict(enum.Enum):
    """What became of a case; the value is how it is shown."""

    SLOWER = "SLOWER"
    WITHIN = "slower, within the threshold"
    SAME = "no change"
    FASTER = "faster"
    UNSURE = "inconclusive"


@dataclasses.dataclass(frozen=True)
class Judged:
    """One case. The ratio is head/base, so above 1 is slower; `chance` is corrected by Holm."""

    case: str
    ratio: Interval | None
    chance: float
    finding: GateVerdict


Sides = tuple[Sequence[float], Sequence[float]]  # base, head: one value a round, lower is better


def judge(found: Mapping[str, Sides], threshold: float) -> list[Judged]:
    """Judge all cases together, for their number is what Holm's correction is about."""
    slower = holm([p_greater(base, head) for base, head in found.values()])
    faster = holm([p_greater(head, base) for base, head in found.values()])
    return [
        _one(case, sides, up, down, threshold)
        for (case, sides), up, down in zip(found.items(), slower, faster, strict=True)
    ]


def _one(case: str, sides: Sides, up: float, down: float, threshold: float) -> Judged:
    if min(map(len, sides)) < LEAST_VALUES:
        return Judged(case, None, 1.0, GateVerdict.UNSURE)
    ratio = ratio_interval(*sides)
    if ratio.low > threshold and up < CHANCE:
        finding = GateVerdict.SLOWER
    elif ratio.high > threshold:
        finding = GateVerdict.UNSURE
    elif ratio.low > 1 and up < CHANCE:
        finding = GateVerdict.WITHIN
    elif ratio.high < 1 and down < CHANCE:
        finding = GateVerdict.FASTER
    else:
        finding = GateVerdict.SAME
    return Judged(case, ratio, min(up, down), finding)


def confirmed(first: Sequence[Judged], again: Sequence[Judged]) -> list[Judged]:
    """Hold what a second, independent measurement of the slower cases says against the first.

    A regression is one that both found. What only one of them found is inconclusive.
    """
    second = {each.case: each.finding for each in again}
    return [
        dataclasses.replace(each, finding=GateVerdict.UNSURE)
        if each.finding is GateVerdict.SLOWER and second.get(each.case) is not GateVerdict.SLOWER
        else each
        for each in first
    ]


def code(judged: Sequence[Judged]) -> int:
    """Return the exit code: 1 a regression, 3 too noisy to tell, 0 neither."""
    findings = {each.finding for each in judged}
    if GateVerdict.SLOWER in findings:
        return 1
    return 3 if GateVerdict.UNSURE in findings or not judged else 0
