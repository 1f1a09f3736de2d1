"""The module under test, found by its name."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

NEEDED = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")


class NoTarget(Exception):
    """There is no such module, or it is not shaped like `threading`."""


@functools.cache
def load(name: str) -> ModuleType:
    """Return the module under test: a module's name, ``golden``, ``mutant:`` or ``heldout:NAME``.

    Raises NoTarget.
    """
    if name.startswith("mutant:"):
        from .mutants.planting import NoMutant, build

        try:
            return build(name.partition(":")[2])
        except NoMutant as error:
            raise NoTarget(str(error)) from None
    if name.startswith("heldout:"):
        from .heldout.building import NoBug
        from .heldout.building import build as build_held_out

        try:
            return build_held_out(name.partition(":")[2])
        except NoBug as error:
            raise NoTarget(str(error)) from None
    try:
        module = importlib.import_module("stress.targets.golden" if name == "golden" else name)
    except ImportError as error:
        raise NoTarget(f"cannot import {name}: {error}") from None
    if missing := [word for word in (*NEEDED, "Thread") if not hasattr(module, word)]:
        raise NoTarget(f"{name} has no {', '.join(missing)}")
    return module
