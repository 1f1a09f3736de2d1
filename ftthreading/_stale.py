"""Who still holds what `install` has replaced.

A look through the whole process, made only for who asks: it takes as long as a garbage collection
or two. It runs no code of the program: an object may lie about its class, or load a module when it
is asked for an attribute. Classes and functions are looked for in each other and in the modules
first, for 3.13t hides those from its collector that were there when the first thread started.
"""

from __future__ import annotations

import gc
import sys
import threading
from types import CellType, FrameType, FunctionType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

# What holds things for somebody else, who is looked at himself or can't be told.
_CONTAINERS = (dict, list, tuple, set, frozenset, CellType, FrameType, FunctionType, ModuleType)

_namespace_of: Any = type.__dict__["__dict__"].__get__
_name_of: Any = type.__dict__["__qualname__"].__get__


def find(old: list[object]) -> dict[str, tuple[str, ...]]:
    """Find who holds one of the `old` objects: module -> sorted names in it, with what they are.

    A bare name is one of the module's own names.
    """
    wanted = {id(each) for each in old}
    found: dict[str, set[str]] = {}
    for module_name, module in snapshot(sys.modules).items():
        if isinstance(module_name, str) and module is not threading:
            names = {
                name
                for name, value in _namespace(module).items()
                if id(value) in wanted and isinstance(name, str)
            }
            found.setdefault(module_name, set()).update(names)
    for module_name, name in (*_by_functions(wanted), *_by_classes(wanted), *_by_others(old)):
        if isinstance(module_name, str):
            found.setdefault(module_name, set()).add(name)
    return {
        module_name: tuple(sorted(names))
        for module_name, names in found.items()
        # The rest are where the old objects and ours come from.
        if names
        and module_name not in ("threading", "_thread")
        and module_name.partition(".")[0] != "ftthreading"
    }


def _by_functions(wanted: set[int]) -> Iterator[tuple[object, str]]:
    for function in _functions():
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        if any(id(each) in wanted for each in defaults):
            yield function.__module__, f"{function.__qualname__} (default argument)"
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=False
        ):
            # What dataclasses keeps in the methods that it makes is a default of a field.
            if not name.startswith("__dataclass_") and id(_content(cell)) in wanted:
                yield function.__module__, f"{function.__qualname__} (closure)"


def _functions() -> list[FunctionType]:
    namespaces = [_namespace(module) for module in snapshot(sys.modules).values()]
    namespaces += [snapshot(_namespace_of(kind)) for kind in _classes()]
    things: list[object] = gc.get_objects()
    for namespace in namespaces:
        for thing in namespace.values():
            if type(thing) in (staticmethod, classmethod):
                things.append(thing.__func__)  # type: ignore[attr-defined]
            elif type(thing) is property:
                things += thing.fget, thing.fset, thing.fdel
            else:
                things.append(thing)
    functions = {id(thing): thing for thing in things if type(thing) is FunctionType}
    return [*functions.values()]


def _classes() -> list[type]:
    classes: dict[int, type] = {}  # not a set: a metaclass may have a __hash__ of its own
    new = [object]
    while new:
        classes |= {id(kind): kind for kind in new}
        new = [
            derived
            for kind in new
            for derived in type.__subclasses__(kind)
            if id(derived) not in classes
        ]
    return [*classes.values()]


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _by_classes(wanted: set[int]) -> Iterator[tuple[object, str]]:
    field_type = getattr(sys.modules.get("dataclasses"), "Field", None)
    for kind in _classes():
        namespace = snapshot(_namespace_of(kind))
        module, name = namespace.get("__module__"), _name_of(kind)
        if any(id(base) in wanted for base in type.__dict__["__bases__"].__get__(kind)):
            yield module, f"{name} (base class)"
        for attribute, value in namespace.items():
            if id(value) in wanted:
                yield module, f"{name}.{attribute} (class attribute)"
        fields = namespace.get("__dataclass_fields__")
        for attribute, field in fields.items() if type(fields) is dict else ():
            if type(field) is field_type and not wanted.isdisjoint(
                (id(field.default), id(field.default_factory))
            ):
                yield module, f"{name}.{attribute} (dataclass field)"


def _by_others(old: list[object]) -> Iterator[tuple[object, str]]:
    """Whatever else holds one, in an attribute: it can't be told where it is, only what."""
    for holder in gc.get_referrers(*old):
        kind = type(holder)
        if holder is old or issubclass(kind, (*_CONTAINERS, type)):
            continue
        module = _namespace_of(kind).get("__module__")
        if module != "dataclasses":
            yield module, f"{_name_of(kind)} (an object of it)"


def _namespace(module: object) -> dict[object, object]:
    """A copy of a module's namespace, got without running any code of the module.

    `getattr` would call a module's `__getattr__`, and would load a lazy module.
    """
    try:
        return snapshot(object.__getattribute__(module, "__dict__"))
    except Exception:  # an object of any kind may stand in sys.modules
        return {}


def snapshot(mapping: Mapping[Any, object]) -> dict[object, object]:
    """Copy a dictionary that other threads may be changing."""
    for _ in range(100):
        try:
            return dict(mapping)
        except RuntimeError:  # it changed its size, and is no plain dict, which copies at a stroke
            continue
    return {}
