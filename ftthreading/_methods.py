"""Give our classes the methods of the interpreter's: its own functions, with our C in front.

Programs look at methods: at `__func__` and `__code__`, at signatures, at whether a weak reference
to a bound method holds, at the words of a TypeError. A method made in C answers otherwise, so each
of ours is a copy of the function that the running interpreter's class has, and C answers the calls
that it knows (see core/python/function.h). For what C does not know the interpreter's code runs.
What the class has besides, such as the private steps of a Barrier, ours inherits: see
core/module.c.
"""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _function() -> None: ...


Function: Any = type(_function)


class _Property(property):
    """A property whose function is called.

    For one of exactly the type `property` the specializing interpreter runs the function's code
    itself, and never calls our C.
    """


def _copy(function: Any) -> Any:
    """A function with the same code.

    Its ``super()``, too, is the interpreter's: it is called only by an instance of a class that was
    derived before ours took the place of its base.
    """
    copy = Function(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    for name in ("__kwdefaults__", "__annotations__", "__doc__", "__qualname__", "__module__"):
        setattr(copy, name, getattr(function, name))
    return copy


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
            copies[function] = _copy(function)
        copy = copies[function]
        if _core._adopt(ours, name, copy) and isinstance(value, property):
            setattr(ours, name, _Property(copy, doc=copy.__doc__))


for _ours in (_core.Condition, _core.Semaphore, _core.BoundedSemaphore, _core.Event, _core.Barrier):
    adopt(_ours, _ours.__bases__[-1])
