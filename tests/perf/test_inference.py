"""perf/analysis/inference.py: known values, false alarms and power on made-up data."""

import itertools
import math
import random
import subprocess
import sys

import pytest

from perf.analysis.inference import (
    Step,
    holm,
    p_greater,
    ratio_interval,
    spread,
    steady,
    steps,
)
from tests.support import CHECKOUT

pytestmark = pytest.mark.once


def noisy(draw: random.Random, count: int, level: float = 1.0, noise: float = 0.05) -> list[float]:
    return [level * math.exp(draw.gauss(0, noise)) for _ in range(count)]


def p_by_hand(base: list[float], own: list[float]) -> float:
    """Count in how many ways to share all values out the one side's ranks are as great."""
    ordered = sorted([*own, *base])
    ranks = [ordered.index(value) + (ordered.count(value) + 1) / 2 for value in [*own, *base]]
    found = [sum(choice) for choice in itertools.combinations(ranks, len(own))]
    return sum(total >= sum(ranks[: len(own)]) for total in found) / len(found)


def test_the_rank_test_agrees_with_counts_by_hand() -> None:
    # Of 252 choices of 5 out of 10, one has the five greatest, and one more all but one of them.
    assert p_greater([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(1 / 252)
    assert p_greater([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]) == pytest.approx(2 / 252)
    assert p_greater([6, 7, 8, 9, 10], [1, 2, 3, 4, 5]) == 1
    assert p_greater([1, 1], [1, 1]) == p_greater([], [1]) == p_greater([1], []) == 1
    draw = random.Random(1)
    for _ in range(30):
        base, own = noisy(draw, 4), noisy(draw, 5)
        assert p_greater(base, own) == pytest.approx(p_by_hand(base, own))


def test_the_rank_test_with_ties_is_near_to_counts_by_hand() -> None:
    draw = random.Random(1)
    for _ in range(30):
        base = [float(draw.randrange(6)) for _ in range(8)]
        own = [float(draw.randrange(7)) for _ in range(8)]
        assert p_greater(base, own) == pytest.approx(p_by_hand(base, own), abs=0.05)
    # Where it matters, it errs on the side of no alarm.
    base, own = [1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [8.0, 8.0, *map(float, range(9, 15))]
    assert p_by_hand(base, own) < p_greater(base, own) < 0.001


def test_holm_agrees_with_a_hand_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == [1, 1]
    assert holm([]) == []


def test_an_interval_is_repeatable_and_holds_its_estimate() -> None:
    base, own = [1.0, 1.1, 0.9, 1.0, 1.2], [2.0, 2.1, 1.9, 2.2, 2.0]
    found = ratio_interval(base, own)
    assert found == ratio_interval(base, own)
    assert found.estimate == 2
    assert found.low < 2 < found.high
    alone = ratio_interval([2.0], [3.0])
    assert (alone.low, alone.high) == (1.5, 1.5)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(150):
        draw = random.Random(seed)
        found = ratio_interval(noisy(draw, 8), noisy(draw, 8, 1.5))
        hits += found.low <= 1.5 <= found.high
    assert 135 <= hits < 150  # 95 % of 150 are 142


def test_the_rank_test_has_the_rate_of_false_alarms_that_it_says() -> None:
    alarms = power = 0
    for seed in range(400):
        draw = random.Random(seed)
        alarms += p_greater(noisy(draw, 8), noisy(draw, 8)) < 0.05
        power += p_greater(noisy(draw, 8), noisy(draw, 8, 1.2)) < 0.01
    assert 8 <= alarms <= 35  # 5 % of 400 are 20
    assert power > 390


def test_spread_and_steady_are_not_moved_by_one_outlier() -> None:
    values = [1.0, 1.01, 0.99, 1.02, 0.98, 9.0]
    assert spread(values) < 0.05
    assert steady(values, 0.15) == [True] * 5 + [False]


def test_a_step_is_found_where_it_is() -> None:
    draw = random.Random(3)
    values = noisy(draw, 20) + noisy(draw, 15, 1.5) + noisy(draw, 15, 0.8)
    found = steps(values)
    assert [step.index for step in found] == [20, 35]
    assert found[0].before == pytest.approx(1, rel=0.05)
    assert found[1].after == pytest.approx(0.8, rel=0.05)


def test_counts_without_noise_show_small_steps() -> None:
    assert steps([1800] * 6 + [1850] * 6) == [Step(6, 1800, 1850)]
    assert steps([1800] * 12) == []


def test_outliers_and_short_histories_have_no_steps() -> None:
    draw = random.Random(4)
    values = noisy(draw, 30, noise=0.02)
    values[10] = values[11] = values[29] = 2.0
    assert steps(values) == []
    assert steps([]) == steps([1.0]) == steps([1, 1, 1, 9, 9]) == []


def test_histories_without_a_change_seldom_show_one() -> None:
    alarms = sum(bool(steps(noisy(random.Random(seed), 40))) for seed in range(100))
    found = sum(
        [step.index for step in steps(noisy(draw, 20) + noisy(draw, 20, 1.3))] == [20]
        for draw in map(random.Random, range(100))
    )
    assert alarms <= 3
    assert found >= 95


def test_processes_that_measure_stay_without_numpy() -> None:
    program = "import sys, perf.cases.catalogue, perf.worker.round; print('numpy' in sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
