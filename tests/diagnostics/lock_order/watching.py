"""Programs that take locks in some order, and ways to watch them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ftthreading import Lock, RLock
from ftthreading.diagnostics import Inversion, lock_order
from ftthreading.diagnostics import _lock_order_recorder as recorder


def nest(*locks: Any) -> object:
    """Take the locks one in the other, and release them all."""
    for lock in locks:
        lock.acquire()
    for lock in reversed(locks):
        lock.release()
    return None


def in_threads(*programs: Callable[[], object]) -> None:
    """Run each in a thread of its own, one after the other."""
    for i, program in enumerate(programs):
        thread = threading.Thread(target=program, name=f"number {i}")
        thread.start()
        thread.join()


def watching() -> recorder.Watch:
    assert recorder._watch is not None
    return recorder._watch


def watch(*programs: Callable[[], object], **options: Any) -> tuple[Inversion, ...]:
    with lock_order(quiet=True, **options) as order:
        in_threads(*programs)
    return order.inversions


def the_one(*programs: Callable[[], object], **options: Any) -> Inversion:
    (found,) = watch(*programs, **options)
    return found


class Derived(RLock):
    pass


class Own:
    """A lock of the program's own that a Condition asks through its methods."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.acquire = self.lock.acquire
        self.release = self.lock.release
