"""Lock and RLock as objects: types, representation, copies, weak references, life and death."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import ftthreading
from tests.support import run_threads

both = pytest.mark.parametrize("name", ["Lock", "RLock"])


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


def test_lock_cannot_be_subclassed() -> None:
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Subclass", (ftthreading.Lock,), {})


def test_lock_takes_no_arguments() -> None:
    for arguments, keywords in [((1,), {}), ((), {"blocking": True}), ((None, None), {})]:
        for module in (threading, ftthreading):
            with pytest.raises(TypeError):
                module.Lock(*arguments, **keywords)


@both
def test_attributes_cannot_be_set(name: str) -> None:
    lock = make(name)
    for target in (lock, type(lock)):
        for attribute in ("color", "acquire"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(target, attribute, None)


@both
def test_pickle_and_copy(name: str) -> None:
    theirs, ours = getattr(threading, name)(), make(name)
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    ways: list[Callable[[object], object]] = [copy.copy, copy.deepcopy]
    ways += [partial(pickle.dumps, protocol=p) for p in protocols]
    for way in ways:
        for lock in (theirs, ours):
            with pytest.raises(TypeError, match=r"cannot pickle .*[Ll]ock' object"):
                way(lock)


@both
def test_identity(name: str) -> None:
    one, other = make(name), make(name)
    assert one == one
    assert one != other
    assert len({one, other, one}) == 2
    with pytest.raises(TypeError):
        one < other  # noqa: B015
    assert bool(one)


def test_repr() -> None:
    lock = ftthreading.Lock()
    pattern = r"<(un)?locked \w+\.[Ll]ock object at 0x[0-9a-f]+>"
    assert re.fullmatch(pattern, repr(threading.Lock()))
    assert re.fullmatch(pattern, repr(lock))
    assert repr(lock).startswith("<unlocked ")
    with lock:
        assert repr(lock).startswith("<locked ")
        assert f"0x{id(lock):x}" in repr(lock)


@both
def test_weak_references(name: str) -> None:
    lock = make(name)
    called: list[object] = []
    reference = weakref.ref(lock, called.append)
    keys = weakref.WeakKeyDictionary({lock: 1})
    assert reference() is lock
    del lock
    gc.collect()
    assert reference() is None
    assert called == [reference]
    assert len(keys) == 0


@both
def test_a_held_lock_may_be_dropped(name: str) -> None:
    for _ in range(100):
        lock = make(name)
        lock.acquire()
        del lock

    def drop(_: int) -> None:
        lock = make(name)
        lock.acquire()
        assert run_threads(1, lambda _: lock.acquire(timeout=0.001)) == [False]

    run_threads(4, drop)
    gc.collect()


@both
def test_cycles_through_a_lock_are_collected(name: str) -> None:
    if name == "RLock":

        class Owner(ftthreading.RLock):
            pass

        owner: Any = Owner()
    else:

        class Holder:
            pass

        owner = Holder()
        owner.lock = make(name)
    owner.acquired = make(name).acquire  # a bound method refers to its lock
    owner.itself = owner
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is None


@both
@pytest.mark.skipif(
    not hasattr(sys, "gettotalrefcount"), reason="only a debug build counts all references"
)
@pytest.mark.thread_unsafe(reason="counts the references of the whole process")
def test_no_reference_leaks(name: str) -> None:
    def use() -> None:
        lock = make(name)
        weakref.ref(lock)
        for good in [(), (False,), (True, 1e-6)]:
            lock.acquire(*good)
            repr(lock)
            lock.locked()
        for bad in [("a", "b"), (False, 1), (True, float("nan")), (1, 2, 3), (True, -3)]:
            with pytest.raises((TypeError, ValueError)):
                lock.acquire(*bad)
        for keyword in ("wait", "blocking"):
            with pytest.raises((TypeError, ZeroDivisionError)):
                lock.acquire(True, **{keyword: 1})
        if name == "RLock":
            lock._acquire_restore(lock._release_save())
            lock._recursion_count()
            lock._is_owned()
            with pytest.raises(TypeError):
                lock._acquire_restore(None)
        lock._at_fork_reinit()
        with pytest.raises(RuntimeError):
            lock.release()
        with lock:
            pass
        lock.acquire()
        with pytest.raises(TypeError):
            copy.copy(lock)

    def many() -> int:
        before: int = sys.gettotalrefcount()
        for _ in range(200):
            use()
        gc.collect()
        return sys.gettotalrefcount() - before

    many()
    grown = [many() for _ in range(5)]
    # A leak of one reference a call would show as 200 each time.
    assert min(grown) < 20, grown
