"""A module shaped like `threading`, built from the interpreter's own source with one bug in it.

Each build is a copy of its own of `threading`, and upon that of `queue` and `concurrent.futures`;
what they share with the interpreter's is in C, and the exceptions that callers catch by name. The
copies are made of the source text as it is installed, so that what is not replaced is not ours.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import os
import queue
import threading
import weakref
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

from . import (
    barriers,
    conditions,
    events,
    forks,
    hooks,
    interruption,
    leaks,
    local,
    locks,
    pools,
    promises,
    queues,
    registry,
    semaphores,
    timers,
)
from .bug import Bug, Edit

CONTROL = "none"
"""The name of the build without a bug."""

AREAS = (
    locks, conditions, semaphores, events, barriers, registry, hooks, timers, local,
    interruption, forks, queues, promises, pools, leaks,
)  # fmt: skip
QUEUE = "Queue LifoQueue PriorityQueue SimpleQueue Empty Full ShutDown"
FUTURES = "Future as_completed ALL_COMPLETED FIRST_COMPLETED FIRST_EXCEPTION CancelledError"

OWN = "Empty Full ShutDown CancelledError BrokenExecutor InvalidStateError"


class NoBug(Exception):
    """There is no such bug, or the interpreter's source has not what it replaces."""


def bugs() -> dict[str, Bug]:
    """Return all bugs by their names."""
    return {bug.name: bug for area in AREAS for bug in area.BUGS}


def build(name: str) -> ModuleType:
    """Return a fresh copy of `threading` with this bug in it, or with none.

    It also has the names of `queue` and of `concurrent.futures`, the latter's ``wait`` as
    ``wait_futures``. Raises NoBug.
    """
    bug = bugs().get(name)
    if bug is None and name != CONTROL:
        raise NoBug(f"there is no bug {name!r} in stress.targets.heldout")
    parts: dict[str, Any] = {"os": _System()}

    def made(module: str) -> ModuleType:
        parts[module] = copy = _copy(f"heldout:{name}", module, parts, bug)
        return copy

    target = made("threading")
    if bug is not None and bug.module == "_threading_local":
        vars(target)["local"] = made("_threading_local").local
    queues_, base = made("queue"), made("concurrent.futures._base")
    # Callers catch the names that everybody knows.
    for copy, own in ((queues_, queue), (base, futures)):
        for word in (
            "Empty",
            "Full",
            "ShutDown",
            "CancelledError",
            "BrokenExecutor",
            "InvalidStateError",
        ):
            if hasattr(own, word):
                vars(copy)[word] = getattr(own, word)
    parts["concurrent.futures"] = SimpleNamespace(_base=base)
    workers = made("concurrent.futures.thread")
    vars(target).update(
        {word: getattr(queues_, word) for word in QUEUE.split()},
        **{word: getattr(base, word) for word in FUTURES.split()},
        ThreadPoolExecutor=workers.ThreadPoolExecutor,
        TimeoutError=TimeoutError,
        wait_futures=base.wait,
        PARTS=(
            *(part.__name__ for part in parts.values() if isinstance(part, ModuleType)),
            *(area.__name__ for area in AREAS if bug in area.BUGS),
        ),
    )
    _end_with_the_interpreter(target)
    return target


def _copy(name: str, module: str, parts: dict[str, Any], bug: Bug | None) -> ModuleType:
    """Execute a module's source, with the bug if it is in that; imports find `parts` first."""
    file = importlib.import_module(module).__file__
    assert file is not None
    text, where = Path(file).read_text(encoding="utf-8"), f"heldout:{module}"
    for other in bugs().values():
        if other.module == module and other is not bug:
            text = _edited(text, other.repair, other.name)
    planted = bug if bug is not None and bug.module == module else None
    if planted is not None and isinstance(planted.change, tuple):
        text, where = _edited(text, planted.change, name), f"{name}:{module}"
    copy = ModuleType(name if module == "threading" else f"{name}.{module}")
    space = vars(copy)
    space["__builtins__"] = {**vars(builtins), "__import__": _importing(parts)}
    exec(_compiled(text, where), space)
    if planted is not None and not isinstance(planted.change, tuple):
        planted.change(space)
    return copy


@functools.cache
def _compiled(text: str, where: str) -> CodeType:
    return compile(text, f"<{where}>", "exec", dont_inherit=True)


def _edited(text: str, edits: tuple[Edit, ...], name: str) -> str:
    for edit in edits:
        found = text.count(edit.old)
        if found != edit.times:
            raise NoBug(f"{name}: {edit.old!r} is there {found} times, not {edit.times}")
        text = text.replace(edit.old, edit.new)
    return text


def _importing(parts: dict[str, Any]) -> Callable[..., Any]:
    """Return an ``__import__`` for copies, which are to see one another."""

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        return parts[name] if name in parts else builtins.__import__(name, *args, **kwargs)

    return importing


class _System:
    """`os` for copies, whose hooks at a fork live no longer than they do."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def register_at_fork(self, **hooks: Callable[[], object]) -> None:
        os.register_at_fork(**{when: _weak(hook) for when, hook in hooks.items()})


def _weak(function: Callable[[], object]) -> Callable[[], object]:
    """Return a function that calls this one while its module is there."""
    if not isinstance(function, FunctionType):
        return function  # a method of a lock or of a dictionary: as good as nothing
    reference = weakref.ref(function)

    def call() -> None:
        if (alive := reference()) is not None:
            alive()

    return call


def _end_with_the_interpreter(target: ModuleType) -> None:
    """Have the copy's executors end their threads where the interpreter's own do."""
    reference = weakref.ref(target._shutdown)

    def call() -> None:
        if (alive := reference()) is not None:
            for function in reversed(alive.__globals__["_threading_atexits"]):
                function()

    threading._register_atexit(call)  # type: ignore[attr-defined]
