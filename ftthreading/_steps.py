"""Steps that a signal handler cannot tear apart, for the primitives written in Python.

A Python signal handler runs, and may raise, between two bytecodes: after a call has done its
work and before its result is stored, or after a ``with`` statement has taken a lock and before
its body has begun (so it is from CPython 3.14 on). It does not run inside a C function
("a long-running calculation implemented purely in C may run uninterrupted": documentation of
`signal`). So whatever must happen wholly or not at all is put into one C call here: an
iterator of C functions, run by the C method that consumes it.

The same holds for finalizers and for exceptions sent by `PyThreadState_SetAsyncExc`. It holds
only as far as the functions called are themselves C: what a lock written in Python has done
before it was interrupted cannot be known from outside.
"""

from __future__ import annotations

from collections import deque
from itertools import repeat, starmap

from ._core import Lock, RLock

TYPE_CHECKING = False  # `typing` itself is too dear to import for every program
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


type Waiters = deque[Lock]
"""Threads that wait, oldest first: each is a held Lock that its thread tries to acquire.

To take a waiter off the queue is to decide about it. Waking removes and releases in one step;
a thread that gives up removes itself. The queue's own methods are atomic, so exactly one of
the two finds the waiter there, and no other lock is needed.
"""

_release = Lock.release


def in_one_step(results: list[Any], function: Callable[..., Any], *arguments: object) -> None:
    """Append ``function(*arguments)`` to `results`; after an exception, `results` tells.

    If `function` is a C function, then `results` has grown if and only if the call succeeded,
    even when a signal handler raised right after it.
    """
    results.extend(starmap(function, (arguments,)))


def wake(waiters: Waiters, limit: int | None = None) -> None:
    """Wake the `limit` oldest waiters, or as many as there are; all of them without a limit.

    Nothing is torn apart: no handler runs between taking a waiter off the queue and waking it,
    nor between two waiters.
    """
    turns = repeat(()) if limit is None else repeat((), limit)
    try:
        deque(map(_release, starmap(waiters.popleft, turns)), maxlen=0)
    except IndexError:  # from popleft: nobody is left
        pass


def holding[T](lock: RLock, function: Callable[..., T], *arguments: object) -> T:
    """Return ``function(*arguments)``, called while this thread holds `lock`.

    Like ``with lock:``, but an exception from a signal handler never leaves the lock held.
    """
    depth = lock._recursion_count()
    try:
        lock.acquire()
        result = function(*arguments)
    except BaseException:
        if lock._recursion_count() > depth:
            lock.release()
        raise
    lock.release()
    return result
