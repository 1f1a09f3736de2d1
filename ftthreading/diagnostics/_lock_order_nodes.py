"""What is known of a lock, and of what a thread holds, while the order of locks is watched."""

from __future__ import annotations

import weakref

from .._core import Lock, RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._lock_order_stacks import Stack


class Ref(weakref.ref):  # type: ignore[type-arg]
    """A weak reference that knows where in the table it stands."""

    __slots__ = ("address",)
    address: int


class Node:
    """What is known of one lock.

    Attributes:
        made: where; None if it was made before anybody looked.
        kind: "Lock", "RLock", or the name of the subclass.
        holder: who took it last and has not released it; None for nobody.
        signal: it was released by another thread than took it.
    """

    __slots__ = ("holder", "kind", "made", "number", "reentrant", "ref", "signal")

    def __init__(self, number: int, ref: Ref, lock: Any, made: Stack | None) -> None:
        self.number = number
        self.ref = ref
        self.made = made
        self.reentrant = isinstance(lock, RLock)
        kind = type(lock)
        self.kind = {Lock: "Lock", RLock: "RLock"}.get(kind, kind.__name__)
        self.holder: Hold | None = None
        self.signal = False


class Hold:
    """That a thread holds a lock. `gone` is set by whoever finds that it does not any more."""

    __slots__ = ("gone", "node", "stack", "thread", "with_")

    def __init__(self, node: Node, thread: Holder, stack: Stack, with_: bool) -> None:
        self.node = node
        self.thread = thread
        self.stack = stack
        self.with_ = with_
        self.gone = False

    def is_true(self) -> bool:
        """Whether it may still be so, as far as the lock tells."""
        if self.gone or self.node.signal:
            return False
        lock: Any = self.node.ref()
        if lock is None:
            return False
        taken: bool = RLock._is_owned(lock) if self.node.reentrant else Lock.locked(lock)
        return taken


class Holder:
    """A thread, and what it holds, in the order in which it was taken."""

    __slots__ = ("holds", "known", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.holds: list[Hold] = []
        self.known: set[tuple[int, ...]] = set()

    def held(self) -> list[Hold]:
        """What it holds now: not what another thread has released meanwhile, nor signals."""
        for hold in self.holds:
            if not hold.is_true():
                self.holds = [hold for hold in self.holds if hold.is_true()]
                break
        return self.holds
