"""Who waits for what, since when, and who has it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from types import FrameType

from .. import _core
from . import _stacks
from ._names import Threads, said_of
from ._places import Place
from ._stacks import Stack

_NS = 1e-9

type _Call = tuple[int, int, object, int, int | None, bool, bool]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a lock.

    Attributes:
        name: the thread's name.
        ident: its ident; None if it no longer exists.
        thread: its object, where `threading` knows one.
        number: the core's number of it, for comparing; of a Lock, its lower 31 bits.
        sure: nobody else will release the lock: an RLock, or a Lock that a ``with`` statement
            took. A Lock taken by ``acquire()`` may be released by any thread.
    """

    name: str
    ident: int | None
    thread: threading.Thread | None
    number: int
    sure: bool

    @property
    def exists(self) -> bool:
        """Whether the thread still exists: it has not ended, and no fork has left it behind."""
        return self.ident is not None


@dataclass(frozen=True, slots=True)
class Wait:
    """A thread that waits in a blocking call.

    Attributes:
        name: the thread's name.
        ident: its ident.
        thread: its object, where `threading` knows one.
        primitive: what it waits on: a Lock, RLock, Condition, Semaphore, Event, Barrier, or the
            Thread that it joins; None if that belongs to another interpreter.
        kind: ``"acquire"``, ``"wait"``, ``"join"``, or ``"reacquire"``: a Condition's wait is over
            but for the lock that it has to come back with.
        called: what the program called, as ``"Queue.get()"``.
        callee: on what it called that, as the Queue; the primitive, if it called that itself.
        since: when the wait began, in seconds of `time.monotonic`.
        deadline: when it will end by itself, in seconds of `time.monotonic`; None: never.
        owner: who has what it waits for; None where nobody has, or nobody is known to.
        stack: where it waits, innermost first; empty if it has not been read.
        taken: where the owner took the lock, as far as its stack tells.
        number: the core's number of the thread, for comparing.
        began: the same as `since`, in ns, for comparing.
    """

    name: str
    ident: int
    thread: threading.Thread | None
    primitive: object
    kind: str
    called: str
    callee: object
    since: float
    deadline: float | None
    owner: Owner | None
    stack: tuple[Place, ...]
    taken: Place | None
    number: int
    began: int

    @property
    def seconds(self) -> float:
        """For how long it has waited."""
        return max(0.0, time.monotonic() - self.since)

    @property
    def place(self) -> Place | None:
        """The line of the program that waits: the innermost that is not threading's or ours."""
        return self.stack[0] if self.stack else None


def owner_of(lock: object) -> Owner | None:
    """Say who holds a Lock, an RLock, or the lock of a Condition; None if nobody does.

    Of a Lock it is who took it last: it is not owned, and any thread may release it. None, too,
    if the thread that took it is not known. Raises TypeError for anything else. Never waits.
    """
    if not _has_owner(lock):
        raise TypeError(f"a {kind_of(lock)} has no owner that ftthreading could know")
    return _owner(lock, Threads())


def waits() -> list[Wait]:
    """Return one record for each thread that waits at this moment, the longest wait first.

    Threads go on while they are looked at, so two records need not have been true at the same
    time. Never waits for what it looks at.
    """
    threads = Threads()
    found = [_wait(call, threads) for call in _core._calls()]
    frames = _stacks.frames()
    found = [_with_stack(wait, frames.get(wait.ident)) for wait in found]
    by_ident = {wait.ident: wait for wait in found}
    found = [_with_place_of_owner(wait, by_ident, frames) for wait in found]
    return sorted(found, key=lambda wait: wait.began)


def stuck(threads: Threads) -> list[Wait]:
    """Those that nobody has ended yet, without stacks: some microseconds for each.

    A thread that has been told of its wait's end is not among them, though it may not run yet. Of
    several calls of one thread, as a signal handler inside a wait may wait again, it is in the
    youngest.
    """
    youngest: dict[int, _Call] = {}
    for call in _core._calls():
        other = youngest.get(call[0])
        if other is None or other[3] < call[3]:
            youngest[call[0]] = call
    return [
        _wait(call, threads)
        for call in youngest.values()
        if call[-1] or issubclass(type(call[2]), threading.Thread)
    ]


def kind_of(primitive: object) -> str:
    """The name of the primitive's class: of our locks, whatever they say while installed."""
    for kind, name in ((_core.Lock, "Lock"), (_core.RLock, "RLock")):
        if type(primitive) is kind:
            return name
    return type(primitive).__name__


def _lock_in(primitive: object) -> object:
    """The lock that is awaited: a Condition's is that it was made with."""
    if isinstance(primitive, _core.Condition):
        return getattr(primitive, "_lock", None)
    return primitive


def _has_owner(primitive: object) -> bool:
    # By type(): an RLock of ours says that it is the interpreter's.
    return issubclass(type(_lock_in(primitive)), (_core.Lock, _core.RLock))


def _owner(primitive: object, threads: Threads) -> Owner | None:
    held = _core._holder(_lock_in(primitive))
    if held is None or held[0] == 0:
        return None
    number, sure = held
    ident = threads.ident(number)
    return Owner(threads.name(ident, number), ident, threads.thread(ident), number, sure)


def _owner_of_thread(thread: threading.Thread, threads: Threads) -> Owner | None:
    ident = said_of(thread, "ident")
    number = threads.number_of(ident if isinstance(ident, int) else None)
    if number is None or not threading.Thread.is_alive(thread):
        return None
    return Owner(str(said_of(thread, "name")), threads.idents[number], thread, number, True)


def _wait(call: _Call, threads: Threads) -> Wait:
    number, ident, primitive, began, until, reacquires, _ = call
    owner: Owner | None = None
    if isinstance(primitive, threading.Thread):
        kind, called = "join", "Thread.join()"
        owner = _owner_of_thread(primitive, threads)
    else:
        takes = _has_owner(primitive) or issubclass(type(primitive), _core.Semaphore)
        kind = "acquire" if takes else "wait"
        if issubclass(type(primitive), _core.Condition):
            kind, takes = "wait", False
        called = f"{kind_of(primitive)}.{'acquire' if takes else 'wait'}()"
        kind = "reacquire" if reacquires else kind
        if kind != "wait" and _has_owner(primitive):
            owner = _owner(primitive, threads)
    return Wait(
        name=threads.name(ident),
        ident=ident,
        thread=threads.thread(ident),
        primitive=primitive,
        kind=kind,
        called=called,
        callee=primitive,
        since=began * _NS,
        deadline=None if until is None else until * _NS,
        owner=owner,
        stack=(),
        taken=None,
        number=number,
        began=began,
    )


def _stack(wait: Wait, frame: FrameType | None, held: object = None) -> Stack | None:
    """What that thread's frame leads to; None if it is no longer in that wait."""
    if frame is None:
        return None
    frames = _core._stack(wait.number, wait.began, frame, _stacks.MOST_FRAMES)
    return None if frames is None else _stacks.read(frames, held)


def _with_stack(wait: Wait, frame: FrameType | None) -> Wait:
    stack = _stack(wait, frame)
    if stack is None:
        return wait
    called, callee = wait.called, wait.callee
    if stack.called is not None:
        called, callee = f"{stack.called}()", stack.callee if stack.callee is not None else callee
    return replace(wait, called=called, callee=callee, stack=stack.lines)


def _with_place_of_owner(
    wait: Wait, by_ident: dict[int, Wait], frames: dict[int, FrameType]
) -> Wait:
    owner = wait.owner
    other = None if owner is None or owner.ident is None else by_ident.get(owner.ident)
    if other is None or wait.kind == "join":
        return wait
    stack = _stack(other, frames.get(other.ident), _lock_in(wait.primitive))
    return wait if stack is None or stack.taken is None else replace(wait, taken=stack.taken)
