"""What a target is made of: its queue, its code, and where handlers may disturb it."""

from __future__ import annotations

import concurrent.futures.thread
import importlib.util
import queue
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

_copies: dict[tuple[str, str], ModuleType] = {}


def copy_of(target: ModuleType, name: str, **names: object) -> ModuleType:
    """Return a module of the interpreter's that uses the target's primitives; made once.

    names: what else it shall find under other names than its imports gave it.
    """
    key = target.__name__, name
    if key not in _copies:
        file = sys.modules[name].__file__
        spec = importlib.util.spec_from_file_location(f"stress_{name.replace('.', '_')}", file)
        assert spec is not None
        assert spec.loader is not None
        copy = importlib.util.module_from_spec(spec)
        copy.__package__ = name.rpartition(".")[0]
        spec.loader.exec_module(copy)
        vars(copy).update(names, threading=target)
        _copies[key] = copy
    return _copies[key]


def queues_of(target: ModuleType) -> Any:
    """Return a namespace as the module `queue`, with the target's Queue and its like.

    What the target does not have is the interpreter's, built upon the target's locks. All raise
    the interpreter's own Empty, Full and ShutDown, the names that everybody knows.
    """
    known = {n: getattr(queue, n) for n in ("Empty", "Full", "ShutDown") if hasattr(queue, n)}
    copy = copy_of(target, "queue", **known)
    kinds = ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")
    own = {name: getattr(target, name, None) or getattr(copy, name) for name in kinds}
    return SimpleNamespace(**own, **known)


def futures_of(target: ModuleType) -> Any:
    """Return a namespace with ThreadPoolExecutor, Future, wait and as_completed.

    The target's own, if it has them (`wait` as wait_futures, or so), or else the interpreter's,
    built upon the target's threads, locks and queues. What they raise is concurrent.futures' own.
    """
    if hasattr(target, "ThreadPoolExecutor"):
        pool = base = target
        wait = getattr(target, "wait_futures", None) or target.wait
    else:
        known = ("CancelledError", "InvalidStateError", "BrokenExecutor")
        names = {name: getattr(concurrent.futures, name) for name in known}
        base = copy_of(target, "concurrent.futures._base", **names)
        queues = queues_of(target)
        pool = copy_of(target, "concurrent.futures.thread", _base=base, queue=queues)
        wait = base.wait
    return SimpleNamespace(
        ThreadPoolExecutor=pool.ThreadPoolExecutor,
        Future=base.Future,
        wait=wait,
        as_completed=base.as_completed,
    )


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
    copies = [copy for (name, _), copy in list(_copies.items()) if name == target.__name__]
    names.update(copy.__name__ for copy in copies)

    def add(thing: object) -> None:
        thing = getattr(thing, "__func__", thing)
        if isinstance(thing, property):
            add(thing.fget)
        elif isinstance(thing, FunctionType) and thing.__module__ in names:
            found[id(thing.__code__)] = thing.__code__

    for value in [value for module in (target, *copies) for value in list(vars(module).values())]:
        add(value)
        if isinstance(value, type) and value.__module__ in names:
            for item in list(vars(value).values()):
                add(item)
    return list(found.values())
