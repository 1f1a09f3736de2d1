"""What threading's Barrier keeps in its instances, on ours.

A program may read `_parties`, `_action`, `_timeout`, `_state` and `_count`, and gets the answer of
the moment. If it sets one of them, or asks for `_cond`, which whoever holds expects to keep others
out, it has taken the barrier over: from then on all six are plain attributes, and the interpreter's
algorithm runs on them. A subclass that sets them and leaves ``Barrier.__init__`` out, as that of
multiprocessing does, has it from the start.
"""

from __future__ import annotations

from . import _core
from ._core import Barrier, Condition, Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BROKEN = -2  # as _state says it


class _Inside:
    """One of the six: the instance's, if the barrier has been taken over."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, barrier: Barrier | None, kind: type | None = None) -> Any:
        if barrier is None:
            return self
        if self.name == "_cond":
            _take_over(barrier)
        try:
            return vars(barrier)[self.name]
        except KeyError:
            parts = _core._barrier_parts(barrier)
        if parts is not None:
            return _computed(parts)[self.name]
        if self.name in vars(barrier):  # another thread has just taken it over
            return vars(barrier)[self.name]
        kind_name = type(barrier).__name__
        raise AttributeError(
            f"{kind_name!r} object has no attribute {self.name!r}", name=self.name, obj=barrier
        )

    def __set__(self, barrier: Barrier, value: object) -> None:
        _take_over(barrier)
        vars(barrier)[self.name] = value

    def __delete__(self, barrier: Barrier) -> None:
        _take_over(barrier)
        try:
            del vars(barrier)[self.name]
        except KeyError:
            raise AttributeError(self.name) from None


def _computed(parts: tuple[Any, ...]) -> dict[str, Any]:
    # All from C, as the interpreter's functions ask for what is made here.
    parties, action, timeout, broken, waiting = parts
    return {
        "_parties": parties,
        "_action": action,
        "_timeout": timeout,
        "_state": BROKEN if broken else 0,
        "_count": waiting,
    }


def _take_over(barrier: Barrier) -> None:
    """Make the six attributes of the instance, and end the barrier's own way.

    Who waits in it goes on in the interpreter's, which takes `_cond` first; that is held until
    all is in place. Of several threads one does it, and the others find `_cond` there.
    """
    parts = _core._barrier_parts(barrier)
    if parts is None:
        return
    namespace = vars(barrier)
    cond = Condition(Lock())
    with cond:
        if namespace.setdefault("_cond", cond) is not cond:
            return
        for name, value in _computed(parts).items():
            namespace.setdefault(name, value)
        namespace["_count"] = namespace["_state"] = 0
        if _core._give_up_barrier(barrier):
            namespace["_state"] = BROKEN


for _name in ("_cond", "_parties", "_action", "_timeout", "_state", "_count"):
    setattr(Barrier, _name, _Inside(_name))
