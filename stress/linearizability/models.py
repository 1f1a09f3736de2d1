"""Sequential models: what each call may return, and what state it leaves, if calls came singly.

`step` returns all states that a call with its result may lead to; none means that it cannot take
effect there. A call that has not returned has the result PENDING, and may return anything.

A wait of two halves is two calls of its thread: a Condition's `enter` is noted under the lock, a
Barrier's `arrive` and `leave` share the time of the one call. Timed waits that gave up may have
done so at any moment at which they had not been granted what they waited for.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable
from typing import Any

from .history import PENDING, Call

State = Any


class Model:
    """The base of all models."""

    anonymous = False
    """Whether threads with equal calls can be exchanged."""

    def initial(self) -> Hashable:
        """Return the state of a new primitive."""
        raise NotImplementedError

    def step(self, state: State, call: Call) -> Iterable[State]:
        """Return the states after the call; see above."""
        raise NotImplementedError


UNTIMED = frozenset(("acquire", "wait"))
"""Calls that wait without a limit, and so never give up."""


def may(call: Call, result: object) -> bool:
    """Return whether a call has or may yet get this result."""
    if result is False and call.op in UNTIMED:
        return False
    return call.result is PENDING or call.result == result


class LockModel(Model):
    """State: whether it is locked."""

    anonymous = True

    def initial(self) -> bool:
        return False

    def step(self, state: State, call: Call) -> Iterable[State]:
        match call.op:
            case "release":
                if state:
                    return [False] if may(call, None) else []
                return [state] if may(call, "RuntimeError") else []
            case "locked":
                return [state] if may(call, state) else []
        found = []
        if not state and may(call, True):
            found.append(True)
        # A try fails only while it is locked; so does a timed call, which tries at least once.
        if state and may(call, False):
            found.append(state)
        return found


class RLockModel(Model):
    """State: (owner, count)."""

    def initial(self) -> tuple[int, int]:
        return -1, 0

    def step(self, state: State, call: Call) -> Iterable[State]:
        owner, count = state
        mine = owner == call.thread
        if call.op == "release":
            if mine:
                if not may(call, None):
                    return []
                return [(owner, count - 1) if count > 1 else (-1, 0)]
            return [state] if may(call, "RuntimeError") else []
        found = []
        if mine and may(call, True):
            found.append((owner, count + 1))
        if count == 0 and may(call, True):
            found.append((call.thread, 1))
        if count and not mine and may(call, False):
            found.append(state)
        return found


class SemaphoreModel(Model):
    """State: the permits. bound: as many at most, for a BoundedSemaphore."""

    anonymous = True

    def __init__(self, value: int, bound: int | None = None) -> None:
        self.value = value
        self.bound = bound

    def initial(self) -> int:
        return self.value

    def step(self, state: State, call: Call) -> Iterable[State]:
        if call.op == "release":
            if self.bound is not None and state + call.argument > self.bound:
                return [state] if may(call, "ValueError") else []
            return [state + call.argument] if may(call, None) else []
        found = []
        if state and may(call, True):
            found.append(state - 1)
        if not state and may(call, False):
            found.append(state)
        return found


class EventModel(Model):
    """State: the flag. A wait that returned True did so at a moment at which it was set."""

    anonymous = True

    def initial(self) -> bool:
        return False

    def step(self, state: State, call: Call) -> Iterable[State]:
        match call.op:
            case "set":
                return [True]
            case "clear":
                return [False]
            case "is_set":
                return [state] if may(call, state) else []
        found = []
        if state and may(call, True):
            found.append(state)
        if not state and may(call, False):
            found.append(state)
        return found


class QueueModel(Model):
    """State: (items, the oldest first; whether it was shut down)."""

    anonymous = True

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize

    def initial(self) -> tuple[tuple[int, ...], bool]:
        return (), False

    def step(self, state: State, call: Call) -> Iterable[State]:
        items, closed = state
        if call.op == "shutdown":
            return [(items, True)]
        putting = call.op.startswith("put")
        timed = call.op.endswith("timed")
        if closed and (putting or not items):
            return [state] if may(call, "ShutDown") else []
        if putting:
            if 0 < self.maxsize <= len(items):
                return [state] if timed and may(call, "Full") else []
            return [((*items, call.argument), closed)] if may(call, None) else []
        if not items:
            return [state] if timed and may(call, "Empty") else []
        return [(items[1:], closed)] if may(call, items[0]) else []


class ConditionModel(Model):
    """State: (who waits, who was notified and has not left). Whom notify takes is open."""

    def initial(self) -> tuple[frozenset[int], frozenset[int]]:
        return frozenset(), frozenset()

    def step(self, state: State, call: Call) -> Iterable[State]:
        waiting, notified = state
        me = frozenset((call.thread,))
        match call.op:
            case "stray notify":
                return [state] if may(call, "RuntimeError") else []
            case "enter":
                return [(waiting | me, notified)]
            case "notify":
                n = min(call.argument, len(waiting))
                return [
                    (waiting - set(chosen), notified | set(chosen))
                    for chosen in itertools.combinations(sorted(waiting), n)
                ]
        found = []
        if call.thread in notified and may(call, True):
            found.append((waiting, notified - me))
        # Who was notified does not say that its time was over.
        if call.thread in waiting and call.result is False:
            found.append((waiting - me, notified))
        return found


class BarrierModel(Model):
    """State: (who has come, who may leave with which outcome, numbers given, whether broken)."""

    def __init__(self, parties: int) -> None:
        self.parties = parties

    def initial(self) -> State:
        return frozenset(), frozenset(), frozenset(), False

    def step(self, state: State, call: Call) -> Iterable[State]:
        here, leaving, numbers, broken = state
        me = call.thread
        match call.op:
            case "arrive":
                if broken:
                    return [(here, leaving | {(me, "broken", 0)}, numbers, broken)]
                here = here | {me}
                if len(here) < self.parties:
                    return [(here, leaving, numbers, broken)]
                # The first of this crossing's parties names it.
                crossing = 1 + max((c for _, c in numbers), default=0)
                gone = frozenset((who, "crossed", crossing) for who in here)
                return [(frozenset(), leaving | gone, numbers | {(-crossing, crossing)}, broken)]
            case "abort":
                # "Any active call fails": so may those that have crossed, and not left yet.
                gone = frozenset((who, "broken", 0) for who in here)
                crossed = [entry for entry in leaving if entry[1] == "crossed"]
                return [
                    (
                        frozenset(),
                        (leaving - set(late)) | gone | {(who, "broken", 0) for who, _, _ in late},
                        numbers,
                        True,
                    )
                    for k in range(len(crossed) + 1)
                    for late in itertools.combinations(crossed, k)
                ]
            case "reset":
                gone = frozenset((who, "broken", 0) for who in here)
                return [(frozenset(), leaving | gone, numbers, False)]
            case "leave":
                return self._leave(state, call)
        raise ValueError(call.op)

    def _leave(self, state: State, call: Call) -> Iterable[State]:
        here, leaving, numbers, broken = state
        me = call.thread
        mine = [entry for entry in leaving if entry[0] == me]
        if not mine:
            # Its time is over: it breaks the barrier for all who wait.
            if call.result == "broken" and call.argument is not None and me in here:
                gone = frozenset((who, "broken", 0) for who in here if who != me)
                return [(frozenset(), leaving | gone, numbers, True)]
            return []
        _, outcome, crossing = entry = mine[0]
        rest = leaving - {entry}
        if outcome == "broken":
            return [(here, rest, numbers, broken)] if may(call, "broken") else []
        if call.result is PENDING:
            return [(here, rest, numbers, broken)]
        if call.result == "broken" or (call.result, crossing) in numbers:
            return []
        return [(here, rest, numbers | {(call.result, crossing)}, broken)]
