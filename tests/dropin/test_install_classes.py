"""Classes that somebody got hold of before `install`, and objects that were made of them."""

from __future__ import annotations

import copy
import threading
import weakref
from typing import Any

import pytest

import ftthreading
from tests.support import run_python
from tests.support.installing import PLAIN, plain_threading  # noqa: F401

pytestmark = [
    pytest.mark.thread_unsafe(reason="changes the threading module"),
    pytest.mark.usefixtures("plain_threading"),
]

NAMES = {"Barrier": (2,), "BoundedSemaphore": (), "Condition": (), "Event": (), "Semaphore": ()}
each = pytest.mark.parametrize("name", NAMES)


@each
def test_new_objects_are_instances_of_the_old_class(name: str) -> None:
    """Installed or not: they inherit from it."""
    old = PLAIN[name]
    assert isinstance(getattr(ftthreading, name)(*NAMES[name]), old)
    ftthreading.install()
    new = getattr(threading, name)(*NAMES[name])
    assert isinstance(new, old)
    assert isinstance(weakref.proxy(new), old)
    assert new.__class__ is type(new) is getattr(threading, name)


@each
def test_old_objects_are_instances_of_the_new_class(name: str) -> None:
    old = PLAIN[name]
    thing = old(*NAMES[name])
    copy.copy(thing)  # which leaves __slotnames__ in the class
    namespace = vars(old).copy()
    shown = repr(thing)
    assert not isinstance(thing, getattr(ftthreading, name))
    ftthreading.install()
    new = getattr(threading, name)
    assert isinstance(thing, new)
    assert isinstance(thing, old)
    assert isinstance(weakref.proxy(thing), new)
    assert type(thing) is old
    assert type(copy.copy(thing)) is old
    assert repr(thing) == shown
    others = {"Barrier", "Condition", "Event", "Semaphore"} - {name, name.removeprefix("Bounded")}
    assert not any(isinstance(thing, getattr(threading, other)) for other in others)
    ftthreading.uninstall()
    assert dict(vars(old)) == namespace
    assert thing.__class__ is old


@each
def test_a_class_derived_before_calls_the_init_of_the_moment(name: str) -> None:
    class Mine(PLAIN[name]):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            getattr(threading, name).__init__(self, *NAMES[name])

    ftthreading.install()
    thing = Mine()
    assert isinstance(thing, PLAIN[name])
    if "Semaphore" in name:
        assert thing.acquire(timeout=0)
        thing.release()
        assert thing._value == 1


def test_old_bounded_semaphore_is_a_semaphore() -> None:
    ftthreading.install()
    assert isinstance(PLAIN["BoundedSemaphore"](), threading.Semaphore)
    assert not isinstance(PLAIN["Semaphore"](), threading.BoundedSemaphore)


@each
def test_classes_derived_before_are_themselves(name: str) -> None:
    old = PLAIN[name]
    early: Any = type("Early", (old,), {})
    other: Any = type("Other", (old,), {})
    ftthreading.install()
    thing = early(*NAMES[name])
    assert type(thing) is thing.__class__ is early
    assert isinstance(thing, old)
    thing.__class__ = other
    assert type(thing) is thing.__class__ is other
    with pytest.raises(TypeError):
        thing.__class__ = int


@each
def test_a_class_that_somebody_else_put_there(name: str) -> None:
    class Theirs:
        pass

    vars(threading)[name] = Theirs
    ftthreading.install()
    assert "__class__" not in vars(Theirs)
    assert isinstance(getattr(threading, name)(*NAMES[name]), PLAIN[name])


@pytest.mark.parametrize("patch", ["None", "type('Slots', (), {'__slots__': 'x'})", "enum.Enum"])
def test_threading_was_patched_before_the_first_import(patch: str) -> None:
    """By a tool, with something whose methods and layout nobody knows."""
    program = f"""if True:
        import enum, threading
        threading.Event = {patch}
        try:
            import ftthreading
        except ImportError as error:
            print(error)
    """
    assert run_python(program).stdout.startswith("threading.Event has been replaced by ")


def test_a_second_copy_of_ours() -> None:
    program = """if True:
        import sys, threading
        theirs = threading.Event
        import ftthreading
        ftthreading.install()
        for name in [name for name in sys.modules if name.startswith("ftthreading")]:
            del sys.modules[name]
        import ftthreading as second
        assert second.Event.__mro__ == (second.Event, theirs, object)
        event = second.Event()
        event.set()
        assert event.wait(0)
        condition = second.Condition()
        with condition:
            assert not condition.wait(0)
        print("ok")
    """
    assert run_python(program).stdout == "ok\n"


@pytest.mark.parametrize("bad", [(int, None), (ftthreading.Lock, None), (3, None), ()])
def test_only_classes_in_python_are_shown_otherwise(bad: tuple[Any, ...]) -> None:
    from ftthreading import _core

    with pytest.raises(TypeError):
        _core._show_class(*bad)
