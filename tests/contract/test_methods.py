"""Methods are what they are in `threading`: Python functions, bound methods, real signatures."""

import copy
import gc
import inspect
import pickle
import sys
import threading
import types
import weakref
from contextlib import nullcontext
from unittest import mock

import pytest

import ftthreading
from tests.support import start_threads, wait_until
from tests.support.comparing import outcome

NAMES = ["Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier"]
each = pytest.mark.parametrize("name", NAMES)


def make(name, module=ftthreading):
    return getattr(module, name)(*((1,) if name == "Barrier" else ()))


@each
def test_functions_and_properties_are_those_of_the_interpreter(name):
    ours, theirs = getattr(ftthreading, name), getattr(threading, name)
    for attribute, value in vars(theirs).items():
        mine = inspect.getattr_static(ours, attribute)
        if isinstance(value, types.FunctionType):
            assert isinstance(mine, types.FunctionType), attribute
            assert mine.__code__ is value.__code__
            assert (mine is value) == (attribute not in vars(ours))
            assert inspect.signature(mine) == inspect.signature(value)
            assert mine.__qualname__ == value.__qualname__
        elif isinstance(value, property):
            assert isinstance(mine, property), attribute


@each
def test_methods_are_bound_methods(name):
    thing = make(name)
    for attribute, value in vars(getattr(threading, name)).items():
        if isinstance(value, types.FunctionType):
            method = getattr(thing, attribute)
            assert inspect.ismethod(method)
            assert method.__self__ is thing
            assert method.__func__ is inspect.getattr_static(type(thing), attribute)


@each
def test_a_weak_method_lives_as_long_as_its_object(name):
    thing = make(name)
    weak = weakref.WeakMethod(thing.__init__)
    gc.collect()
    assert weak() == thing.__init__
    del thing
    gc.collect()
    assert weak() is None


@each
def test_the_interpreter_names_bad_arguments(name):
    results = []
    for module in (threading, ftthreading):
        thing, kind = make(name, module), getattr(module, name)
        calls = [
            *(lambda m=m: getattr(thing, m)(1, 2, 3, 4, 5) for m in public_methods(name)),
            *(lambda m=m: getattr(thing, m)(nothing=1) for m in public_methods(name)),
            *(lambda m=m: getattr(kind, m)() for m in public_methods(name)),
            lambda: kind(1, 2, 3, 4),
            lambda: kind(nothing=1),
        ]
        results.append([message(call) for call in calls])
    assert results[0] == results[1]


def public_methods(name):
    functions = vars(getattr(threading, name)).items()
    return [n for n, f in functions if isinstance(f, types.FunctionType) and n[0] != "_"]


def message(call):
    with pytest.raises(TypeError) as caught:
        call()
    return str(caught.value)


@each
def test_autospec_checks_arguments(name):
    spec = mock.create_autospec(getattr(ftthreading, name))
    with pytest.raises(TypeError):
        spec(1, 2, 3, 4, 5)
    instance = mock.create_autospec(make(name), instance=True)
    for method in public_methods(name):
        with pytest.raises(TypeError):
            getattr(instance, method)(1, 2, 3, 4, 5)


@each
def test_a_subclass_may_call_them_unbound_and_by_super(name):
    base = getattr(ftthreading, name)

    class Sub(base):
        def __init__(self, *args):
            super().__init__(*args)
            self.made = True

    thing = Sub(*((1,) if name == "Barrier" else ()))
    assert thing.made
    method = {"Event": "set", "Barrier": "wait", "Condition": "acquire"}.get(name, "acquire")
    assert outcome(getattr(base, method), thing) == outcome(getattr(make(name), method))


def test_a_foreign_self_is_an_error_of_some_kind():
    for method in (ftthreading.Event.set, ftthreading.Semaphore.acquire, ftthreading.Barrier.wait):
        with pytest.raises(AttributeError):
            method(object())


def test_a_patched_constructor_is_called(monkeypatch):
    seen = []

    class Own(ftthreading.Event):
        pass

    original = ftthreading.Event.__init__
    monkeypatch.setattr(Own, "__init__", lambda self: seen.append(self) or original(self))
    event = Own()
    assert seen == [event]
    assert not event.is_set()


def test_a_replaced_release_is_what_with_calls():
    for kind in (ftthreading.Semaphore, ftthreading.BoundedSemaphore, threading.Semaphore):
        semaphore, calls = kind(1), []
        original = semaphore.release
        semaphore.release = lambda original=original, calls=calls: calls.append(1) or original()
        with semaphore:
            pass
        assert calls == [1]
        assert semaphore._value == 1


@pytest.mark.thread_unsafe(reason="replaces a method of a class for a while")
@pytest.mark.parametrize(
    ("name", "inner", "outer"),
    [
        ("Semaphore", "release", "__exit__"),
        ("BoundedSemaphore", "release", "__exit__"),
        ("Condition", "notify", "notify_all"),
    ],
)
def test_a_method_replaced_by_whatever_way_is_called_by_the_other(name, inner, outer):
    def call(thing):
        calls.clear()
        with thing if name == "Condition" else nullcontext():
            getattr(thing, outer)(*((None,) * 3 if outer == "__exit__" else ()))
        return len(calls)

    calls = []
    for module in (threading, ftthreading):
        kind = getattr(module, name)
        thing = kind()
        vars(thing)[inner] = calls.append if name == "Condition" else lambda: calls.append(1)
        assert call(thing) == 1, module
        del vars(thing)[inner]
        thing = kind()
        for _ in range(2):
            with mock.patch.object(kind, inner, lambda self, n=1: calls.append(n)):
                assert call(thing) == 1, module
            if name == "Condition":
                assert call(thing) == 0, module
        with mock.patch.object(kind, inner, autospec=True) as mocked:
            call(thing)
        assert mocked.call_count == 1, module


def test_properties_stay_those_of_c_where_they_are_hot():
    """The specializing interpreter runs the code of a property's function itself."""
    barrier = ftthreading.Barrier(2)
    before = [(barrier.parties, barrier.n_waiting, barrier.broken) for _ in range(1000)]
    shown = [(barrier._parties, barrier._count, barrier._state) for _ in range(1000)]
    barrier.abort()
    after = [(barrier.parties, barrier.n_waiting, barrier.broken) for _ in range(1000)]
    assert set(before) == {(2, 0, False)}
    assert set(shown) == {(2, 0, 0)}
    assert set(after) == {(2, 0, True)}
    assert {barrier._state for _ in range(1000)} == {-2}


@pytest.mark.parametrize("lock", ["Lock", "RLock"])
def test_what_a_condition_is_given_is_what_wait_and_notify_call(lock):
    for module in (threading, ftthreading):
        condition, calls = module.Condition(getattr(module, lock)()), []

        def follow(name, condition=condition, calls=calls):
            original = getattr(condition, name)

            def wrapped(*args):
                calls.append(name)
                return original(*args)

            setattr(condition, name, wrapped)

        for name in ("_release_save", "_acquire_restore", "_is_owned", "notify"):
            follow(name)
        with condition:
            assert condition.wait(0.001) is False
            condition.notify_all()
        assert calls == ["_is_owned", "_release_save", "_acquire_restore", "notify", "_is_owned"]

        calls.clear()
        entered = []

        def wait(condition=condition, entered=entered):
            with condition:
                entered.append(1)
                return condition.wait()

        running = start_threads(1, lambda i, wait=wait: wait())
        wait_until(lambda entered=entered: entered)
        with condition:
            condition.notify()
        assert running.join() == [True]
        assert calls.count("_acquire_restore") == 1


def test_a_subclass_notify_is_what_notify_all_calls():
    class Counts(ftthreading.Condition):
        calls = ()

        def notify(self, n=1):
            self.calls = (*self.calls, n)
            super().notify(n)

    condition = Counts()
    with condition:
        condition.notify_all()
    assert condition.calls == (0,)


@pytest.mark.thread_unsafe(reason="replaces threading.RLock for a while")
def test_a_condition_asks_for_the_rlock_of_the_moment(monkeypatch):
    class Mine:
        def acquire(self): ...
        def release(self): ...

    monkeypatch.setattr(threading, "RLock", Mine)
    assert isinstance(ftthreading.Condition()._lock, Mine)
    monkeypatch.undo()
    assert isinstance(ftthreading.Condition()._lock, ftthreading.RLock)


@pytest.mark.thread_unsafe(reason="sets a profile function")
def test_a_profiler_sees_no_call():
    def profiled(event, calls):
        sys.setprofile(lambda frame, what, argument: calls.append(frame.f_code.co_name))
        event.set()
        sys.setprofile(None)
        return calls

    assert "set" in profiled(threading.Event(), [])
    assert "set" not in profiled(ftthreading.Event(), [])


@each
def test_a_second_base_with_a_layout_is_refused(name):
    assert type("Both", (getattr(threading, name), list), {})
    with pytest.raises(TypeError, match="lay-out conflict"):
        type("Both", (getattr(ftthreading, name), list), {})


def test_wait_for_gives_the_lock_up_even_without_time():
    # It waits once before it looks at the clock, and the clock starts then.
    for module in (threading, ftthreading):
        condition, asked = module.Condition(), []

        def predicate(asked=asked):
            asked.append(1)
            return False

        with condition:
            assert condition.wait_for(predicate, 0) is False
        assert len(asked) == 2


def test_wait_for_lets_others_in_while_it_polls():
    condition, done = ftthreading.Condition(), []

    def other():
        with condition:
            done.append(1)

    with condition:
        thread = ftthreading.Thread(target=other)
        thread.start()
        while not condition.wait_for(lambda: done, 0):
            pass
    thread.join()


@each
def test_copies_and_pickles_end_as_they_did(name):
    with pytest.raises(TypeError):
        copy.copy(make(name))
    with pytest.raises(TypeError):
        pickle.dumps(make(name))


@pytest.mark.skipif(sys.flags.optimize > 1, reason="the interpreter was told to drop docstrings")
@each
def test_every_public_method_says_what_it_does(name):
    for method in public_methods(name):
        assert getattr(getattr(ftthreading, name), method).__doc__
