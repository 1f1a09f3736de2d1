"""Give our classes the methods of the interpreter's: its own functions, with our C in front.

Programs look at methods: at `__func__` and `__code__`, at signatures, at whether a weak reference
to a bound method holds, at the words of a TypeError. A method made in C answers otherwise, so each
of ours is a copy of the function that the running interpreter's class has, and C answers the calls
that it knows (see core/function.h). For what C does not know the interpreter's code runs. What the
class has besides, such as the private steps of a Barrier, ours inherits: see core/module.c.
"""

from __future__ import annotations

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
    """Make the functions and properties of the interpreter's class those of ours.

    Only those that C has a fast path for, as ours inherits from it.
    """
    copies: dict[object, Any] = {}  # Semaphore has one function under two names
    for name, value in vars(theirs).items():
        function = value.fget if isinstance(value, property) else value
        if not isinstance(function, Function):
            continue
        if function not in copies:
            copies[function] = _copy(function, ours)
        copy = copies[function]
        if _core._adopt(ours, name, copy) and isinstance(value, property):
            setattr(ours, name, property(copy, doc=copy.__doc__))


for _ours in (_core.Condition, _core.Semaphore, _core.BoundedSemaphore, _core.Event, _core.Barrier):
    adopt(_ours, _ours.__bases__[-1])
