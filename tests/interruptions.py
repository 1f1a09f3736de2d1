"""Raise an exception at every place where a signal handler could, one place after another.

CPython runs signal handlers where it checks for them: when a Python function begins, after a
call of a C function, and at a jump backwards. `sys.monitoring` reports just these places, and
what its callback raises is raised there. So a scenario can be run once for each of them, which
no amount of real signals would guarantee. (What happens when a handler runs inside a C function
that waits is for real signals to show.)
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from _thread import get_ident
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType

import ftthreading

MONITORING = sys.monitoring
EVENTS = MONITORING.events
TOOL = 4


class Interruption(BaseException):
    """What the imagined signal handler raises."""


def codes_of(module: ModuleType) -> set[CodeType]:
    """All code of a module's functions and methods, nested ones included."""
    found: set[CodeType] = set()

    def add(code: CodeType) -> None:
        found.add(code)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                add(constant)

    namespaces: list[Mapping[str, object]] = [vars(module)]
    namespaces += [vars(c) for c in vars(module).values() if isinstance(c, type)]
    for namespace in namespaces:
        for value in namespace.values():
            functions = (value.fget, value.fset) if isinstance(value, property) else (value,)
            for function in functions:
                if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                    add(function.__code__)
    return found


PRIMITIVES = ["_steps", "_latch", "_condition", "_semaphore", "_event", "_barrier"]


def primitive_codes() -> set[CodeType]:
    """The code of those primitives that are written in Python."""
    there = {info.name for info in pkgutil.iter_modules(ftthreading.__path__)}
    found: set[CodeType] = set()
    for name in PRIMITIVES:
        if name in there:
            found |= codes_of(importlib.import_module(f"ftthreading.{name}"))
    return found


class Interrupter:
    """Raises Interruption at the `place`-th place that one thread passes."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.passed = 0
        self.where: str | None = None  # the place where it was raised
        self._thread: int | None = None

    @contextmanager
    def here(self) -> Iterator[None]:
        """Count, and strike, in this thread while the body runs."""
        self._thread = get_ident()
        try:
            yield
        finally:
            self._thread = None

    def pass_by(self, code: CodeType, offset: int) -> None:
        if get_ident() != self._thread:
            return
        self.passed += 1
        if self.passed == self.place:
            line = next((n for a, b, n in code.co_lines() if a <= offset < b), None)
            self.where = f"{code.co_qualname}, line {line}, place {self.place}"
            raise Interruption(self.where)


@contextmanager
def _watching(interrupter: Interrupter) -> Iterator[None]:
    def start(code: CodeType, offset: int) -> None:
        interrupter.pass_by(code, offset)

    def c_return(code: CodeType, offset: int, function: object, first: object) -> None:
        interrupter.pass_by(code, offset)

    def jump(code: CodeType, offset: int, target: int) -> None:
        if target <= offset:
            interrupter.pass_by(code, offset)

    codes = primitive_codes()
    MONITORING.use_tool_id(TOOL, "interruptions")
    try:
        MONITORING.register_callback(TOOL, EVENTS.PY_START, start)
        MONITORING.register_callback(TOOL, EVENTS.C_RETURN, c_return)
        MONITORING.register_callback(TOOL, EVENTS.JUMP, jump)
        for code in codes:
            MONITORING.set_local_events(TOOL, code, EVENTS.PY_START | EVENTS.CALL | EVENTS.JUMP)
        yield
    finally:
        for code in codes:
            MONITORING.set_local_events(TOOL, code, 0)
        for event in (EVENTS.PY_START, EVENTS.C_RETURN, EVENTS.JUMP):
            MONITORING.register_callback(TOOL, event, None)
        MONITORING.free_tool_id(TOOL)


def at_every_place(scenario: Callable[[Interrupter], object], at_least: int) -> int:
    """Run ``scenario(interrupter)`` with an interruption at the first place, the second, ...

    The scenario runs what is to be interrupted in ``with interrupter.here():``. Ends with the
    run that was not interrupted. Returns how many places there were; raises AssertionError if
    there were fewer than `at_least` (nothing was tested then), and names the place where a
    scenario failed.
    """
    place = 0
    while True:
        place += 1
        interrupter = Interrupter(place)
        try:
            with _watching(interrupter):
                scenario(interrupter)
        except BaseException as exception:
            exception.add_note(f"interrupted at: {interrupter.where}")
            raise
        if interrupter.where is None:
            break
    assert place - 1 >= at_least, f"only {place - 1} places found"
    return place - 1
