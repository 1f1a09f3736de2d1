"""Take the place of `threading` in a running program, and give it back.

`install` changes the live `threading` module in place and keeps the module object, so that
code which imported `threading` earlier, and looks its names up when it uses them, follows too.
Only code that copied a name (``from threading import Lock``) keeps the old object; it goes on
working, because old and new primitives depend on no common state, and it is named in the
record that `install` returns.

Which private names follow, and which do not:

- A name bound to the very object that a public name is bound to (in CPython 3.13 `_LockType`
  is `Lock`) follows it, so that ``isinstance(threading.Lock(), threading._LockType)`` stays true.
- `_CRLock` becomes our RLock. The interpreter's own RLock factory looks it up at each call, so
  even code that holds the old factory makes our reentrant locks from then on.
- `_allocate_lock` stays `_thread.allocate_lock`. Debuggers and event loops take it to reach the
  interpreter's raw lock, whatever `threading` is, and conditions of the old class, which live
  on, are written for it.
- `_RLock` and `_PyRLock` stay: they ask for the implementation in Python by name.
- `_MainThread` and `_DummyThread` become ours, so that what the interpreter makes of them is a
  Thread of ours too.
- `_active_limbo_lock` stays: another thread may hold it at this moment.

The functions and classes of the interpreter's threading.py look up Lock, RLock, Condition and
Event as globals, so what they make afterwards has ours in it: that is intended.

While installed, our classes and functions name `threading` as their module (``__module__``), as
programs, documentation tools and CPython's tests expect of what they find there. What is pickled
by reference is then found in the `threading` of whoever reads it, be that ours or not: a manager
of multiprocessing hands `threading.Lock` to its process so. Where the old ones name `_thread`, ours
must not: what is found there is the interpreter's.
"""

from __future__ import annotations

import os
import sys
import threading
from _thread import RLock as _RawRLock  # must be no lock that installing replaces
from types import MappingProxyType

from ._core import _set_module

TYPE_CHECKING = False  # typing and collections.abc are too much to import before a program
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Installation", "install", "uninstall"]


class Installation:
    """What `install` replaced, and who still holds it. Immutable.

    A hand-written record: `dataclasses` would import thirty modules before the program that is
    about to run gets to import its first.

    Attributes:
        replaced: each name of `threading` that was set, public and private, with the object
            that was there before.
        stale: each loaded module that still binds one of the old public objects, by its name
            in `sys.modules`, with the sorted names under which it does. Only the names of the
            modules' namespaces are looked at, not what classes, functions or instances hold.
    """

    __slots__ = ("replaced", "stale")
    __match_args__ = ("replaced", "stale")

    replaced: Mapping[str, object]
    stale: Mapping[str, tuple[str, ...]]

    def __init__(
        self, replaced: Mapping[str, object], stale: Mapping[str, tuple[str, ...]]
    ) -> None:
        object.__setattr__(self, "replaced", MappingProxyType(dict(replaced)))
        object.__setattr__(self, "stale", MappingProxyType(dict(stale)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to field {name!r}: an Installation is a record")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}: an Installation is a record")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Installation):
            return NotImplemented
        return self.replaced == other.replaced and self.stale == other.stale

    __hash__ = None  # type: ignore[assignment]  # the mappings hold objects of any kind

    def __repr__(self) -> str:
        return f"Installation(replaced={dict(self.replaced)!r}, stale={dict(self.stale)!r})"


# Reentrant, because a signal handler or a finalizer may call install() inside install().
_guard = _RawRLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_guard._at_fork_reinit)  # type: ignore[attr-defined]

# name -> (the object that was there, ours), while installed.
_installed: dict[str, tuple[object, object]] | None = None

_ABSENT = object()


def install() -> Installation:
    """Put ftthreading's primitives in the place of `threading`'s, for the whole process.

    Every name of ``ftthreading.__all__`` that differs from `threading`'s own is set on the
    `threading` module, and the private aliases that belong to it. Objects made before keep
    working beside new ones.

    Calling it again changes nothing, and returns the same `replaced` with a new look at which
    modules are `stale`. A name that somebody else has patched since is left to them.

    Safe to call from several threads at once, together with `uninstall`, and while modules are
    being imported. Another thread that reads several names meanwhile may get some old and some
    new objects; both work. Raises nothing of its own.
    """
    global _installed
    with _guard:
        if _installed is None:
            _installed = _plan()
        # The record is kept before the module is changed: if an exception from a signal handler
        # comes between the two, the next call completes this one and nothing is forgotten.
        namespace = vars(threading)
        namespace.update(
            {
                name: ours
                for name, (old, ours) in _installed.items()
                if namespace.get(name, _ABSENT) is old
            }
        )
        _present(_installed, as_theirs=True)
        replaced = {name: old for name, (old, _) in _installed.items()}
    return Installation(replaced, _stale(replaced))


def uninstall() -> Mapping[str, object]:
    """Undo `install`: put back exactly the objects that were there. Without it, do nothing.

    Returns the names that were left alone because somebody else had set them since `install`,
    each with the object found there (a name that was deleted: with None). It is empty when
    everything is as before.

    Objects made meanwhile keep working, and code that copied a name meanwhile keeps it.
    Thread-safe like `install`. Raises nothing of its own.
    """
    global _installed
    left: dict[str, object] = {}
    restored: dict[str, object] = {}
    with _guard:
        namespace = vars(threading)
        for name, (old, ours) in (_installed or {}).items():
            current = namespace.get(name, _ABSENT)
            if current is ours:
                restored[name] = old
            elif current is not old:
                left[name] = None if current is _ABSENT else current
        namespace.update(restored)
        _present(_installed or {}, as_theirs=False)
        _installed = None
    return MappingProxyType(left)


def _plan() -> dict[str, tuple[object, object]]:
    """What to set on `threading`: name -> (the object there now, ours)."""
    import ftthreading  # here, because that module imports this one

    namespace = vars(threading).copy()
    plan: dict[str, tuple[object, object]] = {}
    for name in ftthreading.__all__:
        ours = getattr(ftthreading, name)
        old = namespace.get(name, _ABSENT)
        if old is not _ABSENT and old is not ours:
            plan[name] = (old, ours)
    successors = {id(old): ours for old, ours in plan.values()}
    for name, value in namespace.items():
        if name.startswith("_") and name != "_allocate_lock" and id(value) in successors:
            plan[name] = (value, successors[id(value)])
    if "Thread" in plan:
        from ftthreading import _thread

        for name in ("_MainThread", "_DummyThread"):
            if name in namespace:
                plan[name] = (namespace[name], getattr(_thread, name))
    if namespace.get("_CRLock") is not None and "RLock" in plan:
        plan["_CRLock"] = (namespace["_CRLock"], plan["RLock"][1])
    return plan


def _present(plan: Mapping[str, tuple[object, object]], *, as_theirs: bool) -> None:
    """Have our classes and functions say that they are `threading`'s, or that they are ours."""
    module = "threading" if as_theirs else "ftthreading"
    for _, ours in plan.values():
        if isinstance(ours, type):
            _set_module(ours, module)
        else:
            ours.__module__ = module


def _stale(replaced: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Which loaded modules bind an object that was public in `threading` before."""
    # Private names are not searched for: `_CRLock` is a type that code may well have got from
    # `_thread`, where it stays what it is.
    old = {id(value) for name, value in replaced.items() if not name.startswith("_")}
    stale = {}
    for module_name, module in _snapshot(sys.modules).items():
        if module is threading or not isinstance(module_name, str):
            continue
        if module_name == "_thread" or module_name.partition(".")[0] == "ftthreading":
            continue  # where the old objects and ours come from
        names = [
            name
            for name, value in _namespace(module).items()
            if id(value) in old and isinstance(name, str)
        ]
        if names:
            stale[module_name] = tuple(sorted(names))
    return stale


def _namespace(module: object) -> dict[object, object]:
    """A copy of a module's namespace, got without running any code of the module.

    `getattr` would call a module's `__getattr__`, and would load a lazy module.
    """
    try:
        return _snapshot(object.__getattribute__(module, "__dict__"))
    except Exception:  # an object of any kind may stand in sys.modules
        return {}


def _snapshot(mapping: Mapping[Any, object]) -> dict[object, object]:
    """Copy a dictionary that other threads may be changing."""
    for _ in range(100):
        try:
            return dict(mapping)
        except RuntimeError:  # it changed its size, and is no plain dict, which copies at a stroke
            continue
    return {}
