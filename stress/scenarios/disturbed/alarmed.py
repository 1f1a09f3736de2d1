"""What scenarios of signal handlers share: a timer whose handler acts once, or raises."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from ...api.scenario import Actor, OracleFailure, Scenario, World
from ...targets.inspection import interruptible


class HandlerRaised(Exception):
    """What a handler raises here."""


def check_left_free(lock: Any) -> None:
    """Raise OracleFailure if it cannot be acquired, though nobody is there who could have it."""
    if not lock.acquire(False):
        raise OracleFailure("left free", "all have released it, yet it cannot be acquired")
    lock.release()


class Alarmed(Scenario):
    """Shared: a timer that strikes once, within or beside a call, and is then wound again."""

    signals = True

    def __init__(self, world: World) -> None:
        self.world = world
        self.handled = 0
        self.armed = False
        super().__init__(world)

    def install(self, act: Callable[[], None]) -> None:
        def handler(number: int, frame: FrameType | None) -> None:
            if not self.armed:
                return
            if not interruptible(self.world.target, frame):
                signal.setitimer(signal.ITIMER_REAL, 0.0002)  # not here: try again
            else:
                self.armed = False
                self.handled += 1
                act()

        signal.signal(signal.SIGALRM, handler)

    def fail(self) -> None:
        """Be a handler that raises."""
        raise HandlerRaised

    def tell_handled(self, me: Actor) -> None:
        """End the handler, and tell how often it has acted."""
        self.armed = False
        for _ in range(self.handled):
            me.saw("handled")

    def wind(self, me: Actor) -> None:
        """Have the handler act once, some 20 us to 1 ms from now; only in the main thread."""
        self.armed = True
        signal.setitimer(signal.ITIMER_REAL, 10 ** me.rng.uniform(-4.7, -3))
