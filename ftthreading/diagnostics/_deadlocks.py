"""Waits that cannot end.

A wait without a deadline for what one thread has to give (a lock that it holds, its own end) leads
on to what that thread waits for. Each thread leads to one other at most, so whoever follows the
leads and comes to where it has been has found a cycle.

Certain is a cycle only if nobody outside it can end it: RLocks are released by their owners only,
and Locks that a ``with`` statement took will be by the same statement; a Lock that was taken by
``acquire()`` may be released by any thread, as programs do that use one as a signal. A wait for a
notification, an Event or a permit can be ended by any thread that still runs. If none does, all
threads wait for ever, whatever for.

No lead is followed that was not there twice: the calls and owners are read, and read again, and
what is not the same call of the same thread for the same owner both times is dropped. All that is
left has overlapped. Which threads exist is asked in between: an owner that is not among them either
has ended before or was not there the first time. A thread that has been told of its wait's end, and
does not run yet, is in no queue any more, and is left out; a lock that it was handed has no owner
until it runs (core/primitives/lock.h). Whoever takes a Lock writes that down a moment later;
until then its owner of before stands there. So what is found is looked for once more after a pause.

A signal handler can end a wait of the main thread: it may raise, or do what the wait is for. And
threads that Python does not know, as libraries start them, may call into it at any time. Where one
of both is there, a verdict that it could undo is only possible.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from .. import _core
from . import _stacks, _waits
from ._circles import circles
from ._names import Threads, said_of
from ._waits import Wait

_PAUSE = 0.05
"""Seconds between two looks: who has just got a Lock may not have written down yet that it has."""


@dataclass(frozen=True, slots=True)
class Deadlock:
    """Waits that cannot end.

    Attributes:
        kind: ``"cycle"``: each waits for the next, and the last for the first. ``"orphan"``: the
            thread that took the lock no longer exists. ``"all"``: all threads of the process wait
            without a deadline.
        certain: nobody can end them; else `doubt` says who might.
        doubt: one sentence; empty if it is certain.
        sentence: what has happened, in words.
        waits: of a cycle in its order.
    """

    kind: str
    certain: bool
    doubt: str
    sentence: str
    waits: tuple[Wait, ...]

    @property
    def key(self) -> tuple[str, bool, frozenset[tuple[int, int]]]:
        """The same for the same calls of the same threads, and the same verdict."""
        waits = frozenset((wait.number, wait.began) for wait in self.waits)
        return self.kind, self.certain, waits


def deadlocks() -> list[Deadlock]:
    """Return the waits that cannot end: cycles, waits for threads that are gone, a standstill.

    Never waits for what it looks at. A deadlock that forms at this moment may not be seen yet; what
    is returned has been so for 50 ms at least.
    """
    found = find_lasting()
    if not found:
        return []
    records = {(wait.number, wait.began): wait for wait in _waits.waits()}
    return [with_stacks(each, records) for each in found]


def find_lasting() -> list[Deadlock]:
    """What is found, and is still there a moment later."""
    found = find()
    if not found:
        return []
    time.sleep(_PAUSE)
    still = {each.key for each in find()}
    return [each for each in found if each.key in still]


def find() -> list[Deadlock]:
    """The same at one moment and without stacks, for who looks often."""
    before = {_key(wait): wait.owner for wait in _waits.stuck(Threads())}
    threads = Threads()
    lasting = {
        wait.number: wait
        for wait in _waits.stuck(threads)
        if wait.deadline is None and before.get(_key(wait), wait) == wait.owner
    }
    found = [*_cycles(lasting, threads), *_orphans(lasting, threads)]
    standstill = _standstill(lasting, threads)
    if standstill is not None and standstill.certain:
        found = [_made_certain(each) for each in found]
    if standstill is not None and not found:  # else that is why they all wait
        found.append(standstill)
    return found


def with_stacks(found: Deadlock, records: dict[tuple[int, int], Wait]) -> Deadlock:
    """The same deadlock with the records that have stacks."""
    waits = tuple(records.get(_key(wait), wait) for wait in found.waits)
    return Deadlock(found.kind, found.certain, found.doubt, found.sentence, waits)


def _key(wait: Wait) -> tuple[int, int]:
    return wait.number, wait.began


def _cycles(lasting: dict[int, Wait], threads: Threads) -> list[Deadlock]:
    leads = {}
    for number, wait in lasting.items():
        owner = None if wait.owner is None else threads.number(wait.owner.number)
        if owner is not None:
            leads[number] = owner
    return [_cycle([lasting[number] for number in circle]) for circle in circles(leads)]


def _cycle(waits: list[Wait]) -> Deadlock:
    # The one that began last closed it: tell it from there.
    last = max(range(len(waits)), key=lambda i: waits[i].began)
    waits = waits[last:] + waits[:last]
    unsure = [wait for wait in waits if wait.owner is not None and not wait.owner.sure]
    doubt = _by_handler(waits)
    if unsure:
        owner = unsure[0].owner
        assert owner is not None
        doubt = (
            f'"{owner.name}" took {describe(unsure[0].primitive)} by acquire(), not by a `with` '
            "statement, and any other thread may release it"
        )
    return Deadlock("cycle", not doubt, doubt, _in_words(waits), tuple(waits))


def _in_words(waits: list[Wait]) -> str:
    if len(waits) == 1:
        wait = waits[0]
        if wait.kind == "join":
            return f'Thread "{wait.name}" waits for its own end.'
        return f'Thread "{wait.name}" waits for {describe(wait.primitive)}, which it holds itself.'
    parts = [
        f'"{wait.name}" waits for '
        + ("the end of" if wait.kind == "join" else f"{describe(wait.primitive)}, which is held by")
        + f' "{wait.owner.name if wait.owner else "?"}"'
        for wait in waits
    ]
    return f"{len(waits)} threads wait for each other: {'; '.join(parts)}."


def _orphans(lasting: dict[int, Wait], threads: Threads) -> Iterable[Deadlock]:
    forked = _core._forks() > 0
    for wait in lasting.values():
        owner = wait.owner
        # (One that waits exists: where it is not listed, no thread may be. See thread.c.)
        if owner is None or owner.exists or wait.number not in threads.idents:
            continue
        gone = (
            "does not exist in this process: it ended, or a fork has left it behind"
            if forked
            else "has ended without releasing it"
        )
        doubt = "another thread may still release a Lock"
        if owner.sure:
            doubt = _by_handler([wait])
        yield Deadlock(
            "orphan",
            not doubt,
            doubt,
            f'Thread "{wait.name}" waits for {describe(wait.primitive)}, but the thread that took '
            f"it ({owner.name}) {gone}.",
            (wait,),
        )


def _standstill(lasting: dict[int, Wait], threads: Threads) -> Deadlock | None:
    """All threads wait without a deadline, or the main thread for their end at its own."""
    waiting = {wait.ident for wait in lasting.values()}
    if not waiting:
        return None
    frames = _stacks.frames()
    for ident, frame in frames.items():
        if ident in waiting or ident in own:
            continue
        shutdown = getattr(threading, "_shutdown", None)
        if frame.f_code is not getattr(shutdown, "__code__", None):
            return None
    if any(ident not in frames for ident in waiting):
        return None
    waits = tuple(sorted(lasting.values(), key=lambda wait: wait.began))
    doubt = _by_any_handler() or _by_strangers(len(frames))
    names = ", ".join(f'"{wait.name}"' for wait in waits[:5])
    more = f" and {len(waits) - 5} more" if len(waits) > 5 else ""
    return Deadlock(
        "all",
        not doubt,
        doubt,
        f"All threads are waiting, and none of the waits has a deadline: {names}{more}.",
        waits,
    )


own: set[int] = set()
"""Idents of threads of ours, which look on and do not count."""


def _by_handler(waits: Iterable[Wait]) -> str:
    """The doubt that comes of signal handlers, if the main thread is among those who wait."""
    main = threading.main_thread().ident
    return _by_any_handler() if any(wait.ident == main for wait in waits) else ""


def _by_any_handler() -> str:
    handlers = _handlers()
    return f"a signal handler ({handlers[0]}) may end the main thread's wait" if handlers else ""


def _by_strangers(known: int) -> str:
    """The doubt that comes of threads that have no frame of Python's."""
    try:
        count = len(os.listdir("/proc/self/task"))
    except OSError:
        return "threads of C cannot be seen on this system, and one may end one of the waits"
    strangers = count - known
    if strangers <= 0:
        return ""
    which = "a thread that runs" if strangers == 1 else f"{strangers} threads that run"
    return f"{which} no Python code, as libraries start them, may end one of the waits"


def _handlers() -> list[str]:
    """Signals for which the program has a handler of its own, written in Python."""
    found = []
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            found.append(
                signal.Signals(number).name if number in list(signal.Signals) else str(number)
            )
    return found


def _made_certain(found: Deadlock) -> Deadlock:
    """Nobody is left who could release anything."""
    return Deadlock(found.kind, True, "", found.sentence, found.waits)


def describe(primitive: object) -> str:
    """An object for people, briefly; nothing of the program's runs for it."""
    if isinstance(primitive, threading.Thread):
        return f'Thread "{said_of(primitive, "name")}"'
    if primitive is None:
        return "a primitive of another interpreter"
    return f"{_waits.kind_of(primitive)} at {id(primitive):#x}"
