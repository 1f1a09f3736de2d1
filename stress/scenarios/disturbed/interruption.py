"""A handler that raises within calls, and the judgement of what it leaves: whole, or torn.

An exception that comes while a thread sleeps must do no harm in any module. One that comes between
two lines of a call that is Python code may: such a module cannot keep it out. So what is torn is
only INTERESTING there, and FORBIDDEN where calls are C.
"""

from __future__ import annotations

import _thread
import signal
import time
from collections.abc import Callable
from types import FrameType

from ...api.scenario import ACCEPTABLE, INTERESTING, Actor, OracleFailure, Scenario, World
from ...targets.inspection import indivisible, interruptible
from .alarmed import HandlerRaised

PATIENCE = 0.4
"""Seconds after which somebody is given up whom a torn primitive has left waiting."""
TICK = 0.0003
"""Seconds between two looks at whether the main thread sleeps."""

_whole: dict[str, bool] = {}


class Helper:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.results: list[object] = []
        self.error: BaseException | None = None
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        _thread.start_new_thread(self._live, (call,))

    def _live(self, call: Callable[[], object]) -> None:
        try:
            self.results.append(call())
        except BaseException as error:
            self.error = error
        self._ended.release()

    def ended(self, patience: float = -1) -> bool:
        """Wait for its end, without a limit if none is given."""
        if not self._ended.acquire(timeout=patience):
            return False
        self._ended.release()
        return True


class Storm(Scenario):
    """Shared: a handler that raises once in the main thread, whenever, or only where it sleeps."""

    core = False
    signals = True
    must_see = frozenset({"struck"})
    outcomes = {"whole": ACCEPTABLE, "torn": INTERESTING}

    def __init__(self, world: World) -> None:
        name = world.target.__name__
        if name not in _whole:
            _whole[name] = indivisible(world.target)
        self.whole = _whole[name]
        self.outcome = "whole"
        self.armed = self.asleep = False
        self.last: tuple[FrameType | None, int] = None, 0
        self.spent = 0.0
        super().__init__(world)
        signal.signal(signal.SIGALRM, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        if not self.armed:
            return
        if interruptible(self.target, frame) and (not self.asleep or self.slept(frame)):
            self.armed = False
            raise HandlerRaised

    def slept(self, frame: FrameType | None) -> bool:
        """Return whether it has stood at one instruction, hardly running, since the last tick."""
        here = frame, frame.f_lasti if frame else 0
        spent = time.thread_time()
        same = here == self.last and spent - self.spent < TICK / 3
        self.last, self.spent = here, spent
        return same

    def strike(self, me: Actor, work: Callable[[], object], delay: float, asleep: bool) -> bool:
        """Call `work()`; return whether the handler has raised in it, which it does once at most.

        delay: seconds from now. asleep: only where the thread sleeps, and for certain.
        """
        struck = False
        self.asleep, self.last = asleep, (None, 0)
        try:
            try:
                self.armed = True
                # Again and again: one that comes just before a call sleeps does not wake it.
                signal.setitimer(signal.ITIMER_REAL, delay, TICK)
                work()
            finally:
                self.armed = False
        except HandlerRaised:
            struck = True
        except RuntimeError as error:
            # A pure-Python primitive's `with` released what was never taken again.
            if not isinstance(error.__context__, HandlerRaised):
                raise
            struck = True
            self.torn("owner", str(error))
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.last = None, 0
        me.did("call")
        if struck:
            me.saw("struck")
        return struck

    def torn(self, oracle: str, message: str, always: bool = False) -> None:
        """Tell what has been found.

        always: no module may do this.
        """
        if self.whole or always:
            raise OracleFailure(oracle, message)
        self.outcome = "torn"

    def judge(self, check: Callable[[], object], always: bool = False) -> None:
        """Let another thread look, which a torn primitive may stop."""
        helper = Helper(check)
        if not helper.ended(-1 if self.whole or always else PATIENCE):
            self.torn("progress", "who came next waits for ever")
        elif isinstance(helper.error, OracleFailure):
            self.torn(helper.error.oracle, helper.error.message, always)
        elif helper.error is not None:
            self.torn("error", f"who came next got {helper.error!r}", always)

    def arbiter(self) -> str:
        return self.outcome


def expect(truth: object, oracle: str, message: str) -> None:
    if not truth:
        raise OracleFailure(oracle, message)
