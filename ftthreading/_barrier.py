"""Barrier, in Python: every crossing is a generation of its own, with one final verdict.

A generation collects arrivals until it is full, and the next begins at once: nobody has to
wait until the last has left. The one who fills it runs the action, with nothing locked, and
then gives the verdict: passed. `abort`, `reset`, a timeout or a failing action give another:
broken. The first verdict counts and never changes, so nobody who was let through sees a
failure that came later, and `abort` and `reset` may be called in the action.
"""

from __future__ import annotations

from threading import BrokenBarrierError

from ._core import RLock
from ._latch import Latch
from ._steps import holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class _Generation(Latch):
    """One crossing: open once there is a verdict. Changed only with the barrier's mutex held."""

    __slots__ = ("broken", "present", "vacated")

    def __init__(self) -> None:
        super().__init__()
        self.broken = False  # the verdict, once it is there
        self.present = 0  # how many have arrived and not left
        self.vacated: list[int] = []  # the numbers of those who left

    def decide(self, broken: bool) -> None:
        """Give the verdict, if there is none yet."""
        if not self.is_open:
            self.broken = broken
        self.open()


class _Arrival:
    """One call of wait(): what has been done so far, for the case that it is interrupted."""

    __slots__ = ("generation", "index", "is_last", "predecessors")

    generation: _Generation

    def __init__(self) -> None:
        self.index = -1  # not yet counted
        self.is_last = False
        self.predecessors: list[_Generation] = []


class Barrier:
    """Lets a fixed number of threads wait for each other, again and again.

    parties: how many threads make a crossing. Raises ValueError if it is less than one.
    action: called by one of them once all have arrived, before any goes on.
    timeout: the default for `wait`, in seconds; None waits for ever.

    `abort`, `reset` and the properties may be called from any thread, from the action, and
    from a signal handler or a finalizer, even from one that interrupted a call of the same
    barrier.
    """

    __module__ = "ftthreading"  # where it is public; shown by repr() and used by pickle

    def __init__(
        self,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
    ) -> None:
        if parties < 1:
            raise ValueError("parties must be >= 1")
        self._parties = parties
        self._action = action
        self._timeout = timeout
        # Reentrant, for calls by a signal handler that interrupted another call.
        self._mutex = RLock()
        self._broken = False
        self._filling = _Generation()
        self._full: list[_Generation] = []  # full and without verdict, oldest first

    def __repr__(self) -> str:
        cls = type(self)
        state = "broken" if self.broken else f"waiters={self.n_waiting}/{self.parties}"
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: {state}>"

    def wait(self, timeout: float | None = None) -> int:
        """Wait until all parties have arrived. Return a number from 0 to parties - 1.

        timeout: seconds, or None for the barrier's own. When it runs out before all have
        arrived, the barrier is broken for everyone.

        Every thread of one crossing gets another number.

        Raises BrokenBarrierError if the barrier is broken, breaks while waiting, or is reset.
        The thread that runs the action raises what the action raises, and the barrier is
        broken. After any other exception, such as KeyboardInterrupt from a signal handler, this
        thread is no longer counted, and the others go on waiting.
        """
        if timeout is None:
            timeout = self._timeout
        arrival = _Arrival()
        try:
            holding(self._mutex, self._arrive, arrival, _Generation())
            generation = arrival.generation
            if arrival.is_last:
                self._cross(arrival)
            elif not generation.wait(timeout):
                holding(self._mutex, self._time_out, generation)
                generation.wait()
        except BaseException:
            if arrival.index >= 0:
                holding(self._mutex, self._leave, arrival)
            raise
        if generation.broken:
            raise BrokenBarrierError
        return arrival.index

    def _arrive(self, arrival: _Arrival, successor: _Generation) -> None:
        if self._broken:
            raise BrokenBarrierError
        generation = arrival.generation = self._filling
        arrival.predecessors = self._full.copy()
        # From here to the end no handler can run, except after append(): then all is done.
        if generation.vacated:
            arrival.index = generation.vacated[-1]
            del generation.vacated[-1]
        else:
            arrival.index = generation.present
        generation.present += 1
        if generation.present == self._parties:
            arrival.is_last = True
            self._filling = successor
            self._full.append(generation)

    def _cross(self, arrival: _Arrival) -> None:
        """Run the action and let everybody go."""
        for predecessor in arrival.predecessors:  # one action at a time
            predecessor.wait()
        if self._action is not None and not arrival.generation.is_open:
            self._action()
        holding(self._mutex, self._decide, arrival.generation, False)

    def _decide(self, generation: _Generation, broken: bool) -> None:
        generation.decide(broken)
        if generation in self._full:
            self._full.remove(generation)

    def _time_out(self, generation: _Generation) -> None:
        # A full generation only waits for its action: the verdict is on its way.
        if not generation.is_open and generation not in self._full:
            self._break()

    def _leave(self, arrival: _Arrival) -> None:
        """Undo an arrival, as far as it still matters."""
        generation = arrival.generation
        if generation.is_open:
            return
        if arrival.is_last:
            self._break()
        elif generation not in self._full:
            generation.present -= 1
            generation.vacated.append(arrival.index)

    def _break(self) -> None:
        self._broken = True
        try:
            self._fail_all()
        except BaseException:  # interrupted by a handler: nobody may be left behind
            self._fail_all()
            raise

    def _fail_all(self) -> None:
        # The newest first: a full one goes on to its action when its predecessor is done.
        for generation in [self._filling, *self._full[::-1]]:
            self._decide(generation, True)
        self._filling = _Generation()

    def reset(self) -> None:
        """Make the barrier empty and whole. Who waits at it gets BrokenBarrierError.

        In the action: the crossing fails for everyone, with BrokenBarrierError.
        """
        holding(self._mutex, self._reset)

    def _reset(self) -> None:
        try:
            self._fail_all()
        except BaseException:
            self._fail_all()
            raise
        finally:
            self._broken = False

    def abort(self) -> None:
        """Break the barrier: who waits at it, now or later, gets BrokenBarrierError.

        It stays broken until `reset`. In the action: the crossing fails for everyone.
        """
        holding(self._mutex, self._break)

    @property
    def parties(self) -> int:
        """How many threads make a crossing."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many threads have arrived and wait for the rest, or for the action to end."""
        if not self._broken:
            for generation in [*self._full, self._filling]:
                if not generation.is_open:
                    return generation.present
        return 0

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken."""
        return self._broken
