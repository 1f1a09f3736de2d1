"""What a child uses over time, and whether it uses more and more."""

from __future__ import annotations

import time

from .kernel import resources, threads

NAMES = ("MiB", "descriptors", "threads", "switches/s")
WARM_UP = 2.0
"""Seconds until a process has what it needs."""
ENOUGH = 8
"""Samples after the warm-up, without which a slope means nothing."""
STEEP = {"MiB": 2.0, "descriptors": 1.0, "threads": 1.0}
"""Units a second from which a steady rise is called a drift; how often threads are switched is
the load's to decide."""


class Drift:
    """Samples of one child."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._samples: list[tuple[float, ...]] = []
        self._switches: dict[int, int] = {}

    def look(self, pid: int) -> None:
        """Take a sample."""
        if (sample := resources(pid)) is not None:
            now = time.monotonic() - self._begin
            self._samples.append((now, *sample, self._switched(pid, now)))

    def _switched(self, pid: int, now: float) -> float:
        """Return how often a second the threads were switched since the last sample."""
        before = self._switches
        self._switches = {tid: count for tid, (_, count) in threads(pid).items()}
        if not self._samples:
            return 0.0
        new = sum(count - before.get(tid, 0) for tid, count in self._switches.items())
        return new / max(1e-3, now - self._samples[-1][0])

    def summary(self) -> dict[str, object]:
        """Return the samples (at most 60), the greatest values, and what rises steadily."""
        if not self._samples:
            return {}
        step = max(1, len(self._samples) // 60)
        warm = [sample for sample in self._samples if sample[0] > WARM_UP]
        rising = [
            f"{name} +{slope:.1f}/s"
            for k, name in enumerate(NAMES, 1)
            if len(warm) >= ENOUGH
            and (slope := _slope([(s[0], float(s[k])) for s in warm]))
            > STEEP.get(name, float("inf"))
            and float(warm[-1][k]) > float(warm[0][k]) * 1.5
        ]
        return {
            "samples": [[round(value, 2) for value in sample] for sample in self._samples[::step]],
            "most": {name: max(s[k] for s in self._samples) for k, name in enumerate(NAMES, 1)},
            "rising": rising,
        }


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the straight line nearest to the points."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
