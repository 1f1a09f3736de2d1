"""Barrier: a generation of its own for each crossing."""

from __future__ import annotations

from collections.abc import Callable
from threading import BrokenBarrierError

from .waiting import Primitive, Waiter, deadline_of, sleep


class Generation:
    """Those who cross together."""

    def __init__(self) -> None:
        self.waiters: list[Waiter] = []
        self.over = False
        self.broken = False

    def end(self, broken: bool) -> None:
        """Let all go, unless they have been; under the barrier's lock."""
        if not self.over:
            self.over = True
            self.broken = broken
            for waiter in self.waiters:
                waiter.grant()


class Barrier(Primitive):
    """The last to come runs the action and ends its generation; the next has begun by then."""

    def __init__(
        self,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
    ) -> None:
        if parties < 1:
            raise ValueError("parties must be >= 1")
        super().__init__()
        self.parties = parties
        self._action = action
        self._timeout = timeout
        self._broken = False
        self._now = Generation()
        self._acting: list[Generation] = []

    def wait(self, timeout: float | None = None) -> int:
        deadline = deadline_of(self._timeout if timeout is None else timeout)
        with self._guard:
            if self._broken:
                raise BrokenBarrierError
            mine = self._now
            number = len(mine.waiters)
            waiter = Waiter()
            mine.waiters.append(waiter)
            last = number == self.parties - 1
            if last:
                self._now = Generation()
                if self._action is None:
                    mine.end(broken=False)
                else:
                    self._acting.append(mine)
        if last:
            if self._action is not None:
                self._act(mine, self._action)
        else:
            try:
                sleep(waiter, deadline)
            except BaseException:
                with self._guard:
                    self._break(mine)
                raise
        with self._guard:
            if not mine.over:
                self._break(mine)
            if mine.broken:
                raise BrokenBarrierError
        return number

    def _act(self, mine: Generation, action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException:
            with self._guard:
                self._break(mine)
            raise
        finally:
            with self._guard:
                self._acting.remove(mine)
        with self._guard:
            mine.end(broken=False)

    def _break(self, generation: Generation) -> None:
        """Break one generation, and the barrier with all that wait; under the lock."""
        if not generation.over:
            self._broken = True
            generation.end(broken=True)
            self._now.end(broken=True)

    def abort(self) -> None:
        with self._guard:
            self._broken = True
            for generation in (self._now, *self._acting):
                generation.end(broken=True)

    def reset(self) -> None:
        with self._guard:
            for generation in (self._now, *self._acting):
                generation.end(broken=True)
            self._now = Generation()
            self._broken = False

    @property
    def n_waiting(self) -> int:
        return 0 if self._now.over else len(self._now.waiters)

    @property
    def broken(self) -> bool:
        return self._broken
