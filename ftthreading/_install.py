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
- `Thread`, `Timer`, `_MainThread` and `_DummyThread` stay: Thread was mended in place when
  ftthreading was imported (see _thread.py).
- `_active_limbo_lock` stays: another thread may hold it at this moment.

The functions and classes of the interpreter's threading.py look up Lock, RLock, Condition and
Event as globals, so what they make afterwards has ours in it: that is intended.

In `_thread`, the names of the lock types, and only these, become ours as well: `lock`, `LockType`
and `RLock`. For our Lock and RLock then look like what they stand in for. A lock of `threading`
says that it is a `_thread.lock` or a `_thread.RLock`, by its class's names and in its repr, and
programs ask for that (trio does). What says so is pickled as that, so ours have to be found there;
whoever reads it elsewhere, such as a manager of multiprocessing that runs without us, finds the
interpreter's lock, which serves as well. And tables of types that are filled from `_thread` know
our locks. (The import system looks RLock up in `_thread` for each module that it loads: it gets
ours.) `allocate_lock` stays there as `_allocate_lock` does here: whoever goes below `threading` for
a lock wants the raw one. `isinstance` takes either kind of lock for the other, by whatever name
code has got hold of the types, and whenever: see core/types/stand_in.c. What that costs:
`lock.__class__` is the interpreter's type, and not `type(lock)`.

The other primitives inherit from the classes that they replace, so new objects are instances of
those, too, under whatever name code holds them. Objects that were made before, of exactly those
classes, show ours as their `__class__` while it is installed, so that `isinstance` with a new name
takes them. An instance of a class that was derived before is what it was.

All other classes and functions of ours name `threading` as their module then, as programs,
documentation tools and CPython's tests expect of what they find there. What is pickled by reference
is found in the `threading` of whoever reads it, be that ours or not.
"""

from __future__ import annotations

import _thread
import os
import threading
from types import MappingProxyType

from . import _green
from ._core import (
    Barrier,
    BoundedSemaphore,
    Condition,
    Event,
    Lock,
    RLock,
    Semaphore,
    _show_class,
    _stand_in,
)

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
            that was there before; and those of `_thread`, as ``"_thread.RLock"``.
        stale: who still holds one of the old public objects: by the name of a module, the
            sorted names under which it does. A bare name is one of the module's own; others
            say what they are, as ``"Mine (base class)"``, ``"work (default argument)"``,
            ``"Safe.lock (dataclass field)"``. What lies in containers, local variables and
            objects of built-in types is not found. Looked up when it is first read, and by
            comparing and printing; it takes as long as a garbage collection or two.
    """

    __slots__ = ("_stale", "replaced")
    __match_args__ = ("replaced", "stale")

    replaced: Mapping[str, object]
    _stale: Mapping[str, tuple[str, ...]] | None

    def __init__(
        self, replaced: Mapping[str, object], stale: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        object.__setattr__(self, "replaced", MappingProxyType(dict(replaced)))
        known = None if stale is None else MappingProxyType(dict(stale))
        object.__setattr__(self, "_stale", known)

    @property
    def stale(self) -> Mapping[str, tuple[str, ...]]:
        if self._stale is None:
            from . import _stale

            # Not the private names, nor those of `_thread`: who has the type of the interpreter's
            # RLock (functools has) seldom got it as `threading._CRLock`.
            old = [value for name, value in self.replaced.items() if not name.startswith("_")]
            object.__setattr__(self, "_stale", MappingProxyType(_stale.find(old)))
        assert self._stale is not None
        return self._stale

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to field {name!r}: an Installation is a record")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}: an Installation is a record")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Installation):
            return NotImplemented
        return self.replaced == other.replaced and self.stale == other.stale

    # The mappings hold objects of any kind.
    __hash__: None = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Installation(replaced={dict(self.replaced)!r}, stale={dict(self.stale)!r})"


# The interpreter's lock types, and what stands in for each.
_LOCKS: tuple[tuple[type, type], ...] = ((_thread.LockType, Lock), (_thread.RLock, RLock))

# The classes that inherit from those in whose place they are.
_HEIRS: tuple[type, ...] = (Barrier, BoundedSemaphore, Condition, Event, Semaphore)

# Must be no lock that installing replaces. Reentrant, because a signal handler or a finalizer may
# call install() inside install().
_guard = _thread.RLock()


def _reset_guard() -> None:
    # By its name: eventlet puts others in the place of RLocks, and complains of what is left.
    _guard._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_guard)

# name -> (the object that was there, ours), while installed.
_installed: dict[str, tuple[object, object]] | None = None

_ABSENT = object()
_PLACES: tuple[dict[str, Any], ...] = (vars(_thread), vars(threading))


def install() -> Installation:
    """Put ftthreading's primitives in the place of `threading`'s, for the whole process.

    Every name of ``ftthreading.__all__`` that differs from `threading`'s own is set on the
    `threading` module, and the private aliases that belong to it; so are the names of the lock
    types in `_thread`. Objects made before keep working beside new ones.

    Calling it again changes nothing, and returns the same `replaced`, with a new look at what is
    `stale`. A name that somebody else has patched since is left to them.

    Safe to call from several threads at once, together with `uninstall`, and while modules are
    being imported. Another thread that reads several names meanwhile may get some old and some
    new objects; both work. Raises RuntimeError where eventlet or gevent has made threads green,
    which does not go together; nothing else of its own. If one of them is imported later, to do
    that, `threading` is given back first, with a RuntimeWarning.
    """
    global _installed
    with _guard:
        if _installed is None:
            _green.refuse()
            _installed = _plan()
            _green.watch(uninstall)
        # The record is kept before the module is changed: if an exception from a signal handler
        # comes between the two, the next call completes this one and nothing is forgotten.
        for namespace in _PLACES:
            changes: dict[str, object] = {}
            for label, (old, ours) in _installed.items():
                place, name = _place(label)
                if place is namespace and namespace.get(name, _ABSENT) is old:
                    changes[name] = ours
            namespace.update(changes)
        _present(_installed, as_theirs=True)
        replaced = {name: old for name, (old, _) in _installed.items()}
    return Installation(replaced)


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
    with _guard:
        changes = _installed or {}
        for namespace in _PLACES:
            restored: dict[str, object] = {}
            for label, (old, ours) in changes.items():
                place, name = _place(label)
                if place is not namespace:
                    continue
                current = namespace.get(name, _ABSENT)
                if current is ours:
                    restored[name] = old
                elif current is not old:
                    left[label] = None if current is _ABSENT else current
            namespace.update(restored)
        _present(changes, as_theirs=False)
        _green.unwatch()
        _installed = None
    return MappingProxyType(left)


def _place(label: str) -> tuple[dict[str, Any], str]:
    """The namespace and the name in it that a key of the record stands for."""
    if label.startswith("_thread."):
        return vars(_thread), label.removeprefix("_thread.")
    return vars(threading), label


def _plan() -> dict[str, tuple[object, object]]:
    """What to set: name, of `threading` unless it says so -> (the object there now, ours)."""
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
    if namespace.get("_CRLock") is not None and "RLock" in plan:
        plan["_CRLock"] = (namespace["_CRLock"], plan["RLock"][1])
    for name, value in vars(_thread).copy().items():
        for original, ours in _LOCKS:
            if value is original:
                plan[f"_thread.{name}"] = (original, ours)
    return plan


def _present(plan: Mapping[str, tuple[object, object]], *, as_theirs: bool) -> None:
    """Have our classes and functions say that they are what they replace, or that they are ours."""
    for original, lock in _LOCKS:
        _stand_in(lock, original if as_theirs else None)
    for old, ours in plan.values():
        if not isinstance(old, type) or not isinstance(ours, type) or ours not in _HEIRS:
            continue
        if issubclass(ours, old):
            _show_class(old, _shown_as(old, ours) if as_theirs else None)
    for _, each in plan.values():
        if each is not Lock and each is not RLock:
            each.__module__ = "threading" if as_theirs else "ftthreading"


def _shown_as(old: type, ours: type) -> property:
    """A __class__ for what was made of `old` itself, and not of a class derived from it."""

    def shown(self: object) -> type:
        kind = type(self)
        return ours if kind is old else kind

    return property(shown, object.__dict__["__class__"].__set__)
