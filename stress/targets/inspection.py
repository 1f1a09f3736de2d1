"""What a target is made of: its queue, its code, and where handlers may disturb it."""

from __future__ import annotations

import importlib.util
import queue
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

_queues: dict[str, Any] = {}


def queue_of(target: ModuleType) -> Any:
    """Return the target's Queue, or else the interpreter's, built upon the target's locks."""
    if hasattr(target, "Queue"):
        return target.Queue
    if target.__name__ not in _queues:
        spec = importlib.util.spec_from_file_location("stress_queue", queue.__file__)
        assert spec is not None
        assert spec.loader is not None
        copy = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(copy)
        copy.threading = target  # type: ignore[attr-defined]
        # Callers catch the names that everybody knows.
        copy.Empty, copy.Full = queue.Empty, queue.Full  # type: ignore[attr-defined]
        if hasattr(queue, "ShutDown"):
            copy.ShutDown = queue.ShutDown  # type: ignore[attr-defined]
        _queues[target.__name__] = copy
    return _queues[target.__name__].Queue


def interruptible(target: ModuleType, frame: FrameType | None) -> bool:
    """Return whether a signal handler may act upon the target in the midst of this frame.

    Always, but for a target that has an opinion. The golden one is pure Python and cannot
    guard each of its lines: it says that handlers may act while its thread sleeps.
    """
    opinion = getattr(target, "interruptible", None)
    return opinion is None or bool(opinion(frame))


def indivisible(target: ModuleType) -> bool:
    """Return whether the primitives' calls are C, so that no exception comes in their midst.

    That a method is a Python function does not tell: what is asked is whether its code runs.
    """
    semaphore, event, barrier = target.Semaphore(), target.Event(), target.Barrier(1)
    lock, rlock, condition = target.Lock(), target.RLock(), target.Condition()
    calls: list[Callable[[], object]] = [
        lambda: lock.acquire(False),
        lambda: rlock.acquire(False),
        lambda: condition.acquire(False),
        lambda: semaphore.acquire(False),
        lambda: event.wait(0),
        lambda: barrier.wait(0),
    ]
    frames: list[str] = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, what, _: frames.append(what) if what == "call" else None)
    try:
        for call in calls:
            call()
    finally:
        sys.setprofile(before)
    return len(frames) == len(calls)  # those of the calls themselves


def code_of(target: ModuleType) -> list[CodeType]:
    """Return the code of all functions that a pure-Python target defines; none of a C one."""
    found: dict[int, CodeType] = {}
    names = {target.__name__, *getattr(target, "PARTS", ())}

    def add(thing: object) -> None:
        thing = getattr(thing, "__func__", thing)
        if isinstance(thing, property):
            add(thing.fget)
        elif isinstance(thing, FunctionType) and thing.__module__ in names:
            found[id(thing.__code__)] = thing.__code__

    for value in list(vars(target).values()):
        add(value)
        if isinstance(value, type) and value.__module__ in names:
            for item in list(vars(value).values()):
                add(item)
    copy = _queues.get(target.__name__)
    if copy is not None:
        for item in list(vars(copy.Queue).values()):
            if isinstance(item, FunctionType):
                found[id(item.__code__)] = item.__code__
    return list(found.values())
