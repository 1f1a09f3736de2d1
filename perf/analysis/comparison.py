"""One case on two sides: the ratio, its interval, and what that allows to say.

Command line, page and picture all take it from here, so that they cannot disagree.
"""

import dataclasses
import enum
from collections.abc import Sequence

from perf.analysis.inference import Interval, ratio_interval
from perf.analysis.rounds import ENOUGH_ROUNDS


class Judgement(enum.Enum):
    """What an interval says; the value is how it is shown."""

    WORSE = "WORSE"
    BETTER = "better"
    UNCLEAR = "no clear difference"
    FEW = "too few rounds"


@dataclasses.dataclass(frozen=True)
class CaseComparison:
    """How many times as good the second side is: above 1 is better."""

    interval: Interval
    rounds: int
    verdict: Judgement


def compare(base: Sequence[float], own: Sequence[float], *, exact: bool = False) -> CaseComparison:
    """Compare values of which there is one a round, and less is better.

    A verdict needs the whole interval on one side of 1, and enough rounds unless the values are
    exact: bytes and instructions are counted.
    """
    interval = ratio_interval(own, base)
    rounds = min(len(base), len(own))
    if rounds < ENOUGH_ROUNDS and not exact:
        verdict = Judgement.FEW
    elif interval.low > 1:
        verdict = Judgement.BETTER
    else:
        verdict = Judgement.WORSE if interval.high < 1 else Judgement.UNCLEAR
    return CaseComparison(interval, rounds, verdict)
