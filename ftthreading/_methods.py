"""Give our classes the methods of the interpreter's: its own functions, with our C in front.

Programs look at methods: at `__func__` and `__code__`, at signatures, at whether a weak reference
to a bound method holds, at the words of a TypeError. A method made in C answers otherwise, so each
of ours is a copy of the function that the running interpreter's class has, and C answers the calls
that it knows (see core/function.h). For what C does not know the interpreter's code runs. What the
class has besides, such as the private steps of a Barrier, comes along.
"""

from __future__ import annotations

import threading

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _function() -> None: ...


Function: Any = type(_function)


def _copy(function: Any, ours: type) -> Any:
    """A function with the same code, whose ``super()`` is that of our class."""
    names = function.__code__.co_freevars
    closure = function.__closure__ and tuple(
        _cell(ours) if name == "__class__" else cell
        for name, cell in zip(names, function.__closure__, strict=True)
    )
    copy = Function(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        closure,
    )
    for name in ("__kwdefaults__", "__annotations__", "__doc__", "__qualname__", "__module__"):
        setattr(copy, name, getattr(function, name))
    return copy


def _cell(content: object) -> Any:
    return (lambda: content).__closure__[0]  # type: ignore[index]


def adopt(ours: Any, theirs: type) -> None:
    """Make the functions and properties of the interpreter's class those of ours."""
    copies: dict[object, Any] = {}  # Semaphore has one function under two names
    for name, value in vars(theirs).items():
        if isinstance(value, Function):
            if value not in copies:
                copies[value] = _copy(value, ours)
            if name == "__repr__":
                ours.__repr__ = copies[value]
            else:
                _core._adopt(ours, name, copies[value])
        elif isinstance(value, property):
            getter = _copy(value.fget, ours)
            _core._adopt(ours, name, getter)
            setattr(ours, name, property(getter, doc=getter.__doc__))


for _name in ("Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier"):
    adopt(getattr(_core, _name), getattr(threading, _name))
