"""What the steps of a wait cost on this machine: on these depends how best to wait.

A pause is the instruction for a thread that spins, a yield one that finds nobody to run. A trip is
a cache line's, from one processor to another: half a round of two threads that spin. A sleep is the
way from one thread's post of a POSIX semaphore to another that has slept on it.
"""

import functools
from collections.abc import Callable

from perf import native

TRIALS = 7
PAUSES, YIELDS, TRIPS, SLEEPS = 500, 200, 300, 50


def _least_ns(steps: int, seconds: Callable[[], float]) -> float:
    """Return what one step costs in the shortest of a few trials: the others were interrupted."""
    return min(seconds() for _ in range(TRIALS)) / steps * 1e9


@functools.cache
def measure() -> dict[str, float]:
    """Return the cost of each step in ns: pause, yield, trip, sleep. Takes some milliseconds."""
    return {
        "pause": _least_ns(PAUSES, lambda: native.pauses(PAUSES)),
        "yield": _least_ns(YIELDS, lambda: native.yields(YIELDS)),
        "trip": _least_ns(2 * TRIPS, lambda: native.ping_pong(TRIPS, False)),
        "sleep": _least_ns(2 * SLEEPS, lambda: native.ping_pong(SLEEPS, True)),
    }


def metadata() -> dict[str, float]:
    """Return the same, ready to be stored with a result."""
    return {f"ftt_ns_{what}": round(ns, 1) for what, ns in measure().items()}
