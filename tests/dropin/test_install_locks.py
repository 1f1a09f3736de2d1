"""While installed, Lock and RLock look like the locks they stand in for, to all who look.

Each test looks at the interpreter's own locks first: what it expects is what it saw there.
"""

from __future__ import annotations

import _thread
import copy
import functools
import inspect
import pickle
import re
import sys
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import ftthreading
from tests.support.installing import PLAIN, plain_threading  # noqa: F401
from tests.support.interop import check_both

pytestmark = [
    pytest.mark.thread_unsafe(reason="changes the threading module"),
    pytest.mark.usefixtures("plain_threading"),
]

OLD_TYPES: dict[str, Any] = {"Lock": _thread.LockType, "RLock": _thread.RLock}
OURS: dict[str, Any] = {"Lock": ftthreading.Lock, "RLock": ftthreading.RLock}
both = pytest.mark.parametrize("name", ["Lock", "RLock"])


def seen(lock: Any) -> list[object]:
    """What programs ask of a lock."""
    kinds = type(lock), lock.__class__
    names = [(kind.__module__, kind.__qualname__, kind.__name__, repr(kind)) for kind in kinds]
    shown = [repr(lock)]
    with lock:
        shown.append(re.sub(r"owner=[1-9]\d*", "owner=me", repr(lock)))
    messages = []
    ways: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]
    ways += [functools.partial(pickle.dumps, protocol=p) for p in range(6)]
    for way in ways:
        with pytest.raises(TypeError) as raised:
            way(lock)
        messages.append(str(raised.value))
    with pytest.raises((AttributeError, TypeError)) as refused:
        lock.__class__ = int
    shown = [each.replace(hex(id(lock)), "here") for each in shown]
    return [names, shown, messages, type(refused.value)]


@both
def test_they_look_alike(name: str) -> None:
    expected = seen(getattr(threading, name)())
    before = seen(OURS[name]())
    ftthreading.install()
    assert type(getattr(threading, name)()) is OURS[name]
    assert seen(getattr(threading, name)()) == expected
    ftthreading.uninstall()
    assert seen(OURS[name]()) == before
    assert repr(OURS[name]) == f"<class 'ftthreading.{name}'>"


@both
def test_an_old_object_that_was_held_before(name: str) -> None:
    lock = OURS[name]()
    with lock:
        ftthreading.install()
        assert lock.__class__ is OLD_TYPES[name]
        ftthreading.uninstall()
    assert lock.__class__ is OURS[name]


@both
def test_isinstance_by_every_name_and_at_any_time(name: str) -> None:
    old = getattr(threading, name)()
    early = [OLD_TYPES[name], type(old)]
    ftthreading.install()
    new = getattr(threading, name)()
    late = [OURS[name], type(new), getattr(threading, name)]
    late += [_thread.RLock] if name == "RLock" else [_thread.LockType, _thread.lock]
    other = OURS["Lock" if name == "RLock" else "RLock"]()
    for kind in early + late:
        assert isinstance(old, kind)
        assert isinstance(new, kind)
        assert isinstance(weakref.proxy(new), kind)
        assert isinstance(weakref.proxy(old), kind)
        assert isinstance(mock.Mock(spec=new), kind) or kind in early
        assert not isinstance(other, kind)
        assert not isinstance(None, kind)
    assert not isinstance(other, tuple(early))
    ftthreading.uninstall()
    assert not isinstance(old, OURS[name])
    assert not isinstance(new, OLD_TYPES[name])
    assert isinstance(new, OURS[name])


def test_private_alias() -> None:
    alias = PLAIN.get("_LockType")
    if alias is None:
        pytest.skip("in this interpreter threading has no private alias of Lock")
    ftthreading.install()
    assert isinstance(threading.Lock(), alias)
    assert isinstance(threading.Lock(), threading._LockType)  # type: ignore[attr-defined]


def test_raw_locks_stay_raw() -> None:
    """Who goes below `threading` for a lock gets the interpreter's, and it is a lock."""
    raw = PLAIN["_allocate_lock"]
    ftthreading.install()
    assert _thread.allocate_lock is threading._allocate_lock is raw  # type: ignore[attr-defined]
    assert type(_thread.allocate_lock()) is OLD_TYPES["Lock"]
    assert isinstance(_thread.allocate_lock(), _thread.LockType)


def test_names_in_thread_come_and_go() -> None:
    before = vars(_thread).copy()
    record = ftthreading.install()
    changed = {name for name, value in before.items() if getattr(_thread, name) is not value}
    assert changed == {"LockType", "RLock", "lock"}
    assert {f"_thread.{name}" for name in changed} <= set(record.replaced)
    vars(_thread)["RLock"] = theirs = object()
    assert ftthreading.uninstall() == {"_thread.RLock": theirs}
    vars(_thread)["RLock"] = OLD_TYPES["RLock"]
    assert vars(_thread) == before


@both
@pytest.mark.parametrize("when", ["before", "after"])
def test_singledispatch(name: str, when: str) -> None:
    """It asks by __class__, for what was registered by whichever type."""

    @functools.singledispatch
    def kind(_: object) -> str:
        return "object"

    register: Any = kind.register
    if when == "before":
        register(OLD_TYPES[name])(lambda _: "lock")
    old = getattr(threading, name)()
    ftthreading.install()
    if when == "after":
        register(type(getattr(threading, name)()))(lambda _: "lock")
    assert kind(getattr(threading, name)()) == kind(old) == "lock"
    assert kind(threading.Event()) == "object"


@both
def test_the_class_is_pickled_as_what_it_stands_for(name: str) -> None:
    def pickled(kind: object) -> list[bytes]:
        return [pickle.dumps(kind, p) for p in range(6)] + [pickle._dumps(kind, p) for p in (0, 5)]  # type: ignore[attr-defined]

    theirs = pickled(OLD_TYPES[name])
    ftthreading.install()
    assert pickled(getattr(threading, name)) == theirs
    assert all(pickle.loads(each) is getattr(threading, name) for each in theirs)
    assert copy.deepcopy(getattr(threading, name)) is getattr(threading, name)
    ftthreading.uninstall()
    assert all(pickle.loads(each) is OLD_TYPES[name] for each in theirs)


def test_tables_by_type_know_our_locks() -> None:
    """As dill has them: copyreg-like tables that are filled from `_thread`."""
    ftthreading.install()
    table = {_thread.LockType: "lock", _thread.RLock: "rlock"}
    assert [table[type(lock)] for lock in (threading.Lock(), threading.RLock())] == list(
        table.values()
    )


def test_subclasses_are_themselves() -> None:
    ftthreading.install()

    class Mine(type(threading.RLock())):  # type: ignore[misc]
        pass

    class Other(type(threading.RLock())):  # type: ignore[misc]
        pass

    mine = Mine()
    assert type(mine) is mine.__class__ is Mine
    assert isinstance(mine, threading.RLock)
    assert isinstance(mine, _thread.RLock)
    assert issubclass(Mine, _thread.RLock)
    assert not isinstance(threading.RLock(), Mine)
    assert not isinstance(OLD_TYPES["RLock"](), Mine)
    assert not issubclass(OLD_TYPES["RLock"], Mine)
    assert repr(mine).startswith("<unlocked Mine object owner=0 count=0 at ")
    mine.__class__ = Other
    assert type(mine) is mine.__class__ is Other
    with pytest.raises(TypeError):
        mine.__class__ = OLD_TYPES["RLock"]


@pytest.mark.parametrize("name", ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock"])
def test_constructor_signatures(name: str) -> None:
    """`RLock` takes arguments before 3.15, in order to deplore them."""
    for each in (name, "RLock"):
        expected = str(inspect.signature(PLAIN[each]))
        assert str(inspect.signature(getattr(ftthreading, each))) == expected
        ftthreading.install()
        assert str(inspect.signature(getattr(threading, each))) == expected


def test_a_lock_that_others_have_put_there() -> None:
    """A tool's own Lock is no type of the interpreter's, and no name to take."""
    vars(threading)["Lock"] = theirs = types.SimpleNamespace()
    ftthreading.install()
    assert repr(threading.Lock()).startswith("<unlocked _thread.lock object at ")
    ftthreading.uninstall()
    assert vars(threading)["Lock"] is theirs


@pytest.mark.parametrize("bad", [(int, None), (ftthreading.Event, None), (ftthreading.Lock, 3), ()])
def test_only_locks_stand_in(bad: tuple[Any, ...]) -> None:
    from ftthreading import _core

    with pytest.raises(TypeError):
        _core._stand_in(*bad)
    assert repr(ftthreading.Lock).startswith("<class 'ftthreading.Lock'")


def test_who_imports_a_module_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The import system takes RLock from `_thread` for each module."""
    (tmp_path / "imported_meanwhile.py").write_text("import imported_by_it\n")
    (tmp_path / "imported_by_it.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    ftthreading.install()
    imported: list[Callable[[], Any]] = []

    def load() -> None:
        imported.append(__import__("imported_meanwhile").imported_by_it)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(imported) == 4
    for name in ("imported_meanwhile", "imported_by_it"):
        sys.modules.pop(name)


def test_program_that_asks(tmp_path: Path) -> None:
    """What trio, streamlit, dill and pydantic's users ask, in a program that never knew."""
    program = """
import _thread, dataclasses, functools, pickle, typing
lock, rlock = threading.Lock(), threading.RLock()
show(lock=lock, rlock=rlock)
assert rlock.__class__.__module__ == "_thread"
print([f"{type(each).__module__}.{type(each).__qualname__}" for each in (lock, rlock)])
print(isinstance(lock, _thread.LockType), isinstance(rlock, _thread.RLock))
print(isinstance(_thread.allocate_lock(), _thread.LockType))
print(isinstance(lock, type(_thread.allocate_lock())), isinstance(lock, _thread.RLock))
print(issubclass(type(rlock), _thread.RLock), type(lock) is threading.Lock is _thread.lock)
print(pickle.dumps(threading.Lock), pickle.loads(pickle.dumps(threading.Lock)) is threading.Lock)
@dataclasses.dataclass
class Safe:
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    either: typing.Optional[_thread.LockType] = None
print(Safe.__annotations__["either"] == typing.Optional[threading.Lock], Safe() == Safe())
class Reentrant(_thread.RLock):
    pass
with Reentrant() as mine:
    print(isinstance(Reentrant(), _thread.RLock), mine)
"""
    check_both(tmp_path, program)
