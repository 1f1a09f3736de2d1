"""The public names, compared with the running interpreter's `threading`, one by one.

Where the two differ, the difference stands in a table here with its reason; an entry that no
longer is a difference fails too.
"""

import _thread
import abc
import inspect
import logging
import sys
import threading
from unittest import mock

import pytest

import ftthreading
from tests.support import in_main_thread, run_python, run_threads, wait_until

DEPRECATED = ["activeCount", "currentThread"]
NAMES = sorted([*threading.__all__, *DEPRECATED, "__excepthook__"])
NATIVE = ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"]
OURS = [*NATIVE, "current_thread", "get_native_id"]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(threading, name))]

FACTORY = "threading.RLock is a function that returns a _thread.RLock; ours is the type itself"
# Programs gain isinstance(), annotations like `RLock | None` and a call without a frame; only one
# that asks whether RLock is a function can tell.

OTHER_KIND = {"RLock": FACTORY}

COMPATIBLE = "an attribute of threading's instances, computed here by the type"
OLDER = "_thread.RLock has it from 3.14 on; ours always"

EXTRA_ATTRIBUTES = {
    ("Barrier", "_action"): COMPATIBLE,
    ("Barrier", "_cond"): COMPATIBLE,
    ("Barrier", "_count"): COMPATIBLE,
    ("Barrier", "_parties"): COMPATIBLE,
    ("Barrier", "_state"): COMPATIBLE,
    ("Barrier", "_timeout"): COMPATIBLE,
    ("BoundedSemaphore", "_cond"): COMPATIBLE,
    ("BoundedSemaphore", "_initial_value"): COMPATIBLE,
    ("BoundedSemaphore", "_value"): COMPATIBLE,
    ("Condition", "_lock"): COMPATIBLE,
    ("Condition", "_waiters"): COMPATIBLE,
    ("Condition", "acquire"): COMPATIBLE,
    ("Condition", "locked"): COMPATIBLE,
    ("Condition", "release"): COMPATIBLE,
    ("Event", "_cond"): COMPATIBLE,
    ("Event", "_flag"): COMPATIBLE,
    ("Semaphore", "_cond"): COMPATIBLE,
    ("Semaphore", "_value"): COMPATIBLE,
}
if sys.version_info < (3, 14):
    EXTRA_ATTRIBUTES["RLock", "locked"] = OLDER

STATE = "threading's instances have the lock's own, ours only if the lock is foreign"
WITH_15 = "_thread names from 3.15 on what `with` gives, by position; ours never looks at it"

OTHER_METHOD_SIGNATURE = {("Condition", "_acquire_restore"): STATE}
if sys.version_info >= (3, 15):
    OTHER_METHOD_SIGNATURE["Lock", "__exit__"] = WITH_15
    OTHER_METHOD_SIGNATURE["RLock", "__exit__"] = WITH_15

ARGUMENTS = {"Barrier": (2,)}
"""What the constructors need."""


def theirs(name):
    """What to compare our `name` with: behind threading.RLock stands the type it returns."""
    return _thread.RLock if name == "RLock" else getattr(threading, name)


def kind(value):
    if inspect.isclass(value):
        return "class"
    if inspect.isroutine(value):
        return "function"
    return type(value).__name__


def shape(function):
    """A signature without annotations, or None if the function does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    return [(p.name, p.kind, p.default) for p in parameters]


def attributes(cls):
    # Every class has __weakref__, __annotations__ and the like or not as it was made.
    made = {"__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"}
    made |= {"__firstlineno__", "__static_attributes__", "__type_params__"}
    made |= {"__slotnames__"}  # which copy and pickle leave behind
    return {name for name in dir(cls) if name not in made}


def test_all_is_the_same():
    assert ftthreading.__all__ == threading.__all__
    assert ftthreading.__all__ is not threading.__all__


def test_star_import_gets_every_name():
    namespace = {}
    exec("from ftthreading import *", namespace)
    assert set(threading.__all__) <= set(namespace)


def test_dir_lists_every_public_name():
    assert {*threading.__all__, *DEPRECATED} <= set(dir(ftthreading))


@pytest.mark.parametrize("name", NAMES)
def test_kind(name):
    ours = getattr(ftthreading, name)
    differs = kind(ours) != kind(getattr(threading, name))
    assert differs == (name in OTHER_KIND)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(OURS)))
def test_what_is_not_ours_is_the_interpreters(name):
    assert getattr(ftthreading, name) is getattr(threading, name)


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours(name):
    ours = getattr(ftthreading, name)
    assert ours is not theirs(name)
    # Not always theirs: _thread.lock is threading.Lock, and pickle looks for the name.
    assert ours.__name__ == ours.__qualname__ == name
    assert ours.__module__ == "ftthreading"
    assert ours.__doc__


def test_what_inherits():
    assert issubclass(ftthreading.BoundedSemaphore, ftthreading.Semaphore)
    for name in ("Barrier", "BoundedSemaphore", "Condition", "Event", "Semaphore"):
        assert issubclass(getattr(ftthreading, name), getattr(threading, name))


@pytest.mark.parametrize("name", [name for name in NAMES if callable(getattr(threading, name))])
def test_signature(name):
    expected = shape(getattr(threading, name))
    assert expected is None or shape(getattr(ftthreading, name)) == expected


@pytest.mark.parametrize("name", [*CLASSES, "RLock"])
def test_class_attributes(name):
    ours, expected = attributes(getattr(ftthreading, name)), attributes(theirs(name))
    assert expected <= ours
    assert ours - expected == {a for c, a in EXTRA_ATTRIBUTES if c == name}


@pytest.mark.parametrize("name", NATIVE)
def test_method_signatures(name):
    # Of bound methods: `self` is a keyword only in a class made in Python.
    arguments = ARGUMENTS.get(name, ())
    ours, expected = getattr(ftthreading, name)(*arguments), theirs(name)(*arguments)
    different = set()
    for method in sorted(set(dir(expected)) & set(dir(ours))):
        if method.startswith("__") and method not in ("__init__", "__enter__", "__exit__"):
            continue
        if not callable(getattr(expected, method)):
            continue
        want, got = shape(getattr(expected, method)), shape(getattr(ours, method))
        if want is not None and want != got:
            different.add((name, method))
    assert different == {key for key in OTHER_METHOD_SIGNATURE if key[0] == name}


@pytest.mark.parametrize("name", NATIVE)
def test_every_method_tells_its_signature(name):
    ours = getattr(ftthreading, name)(*ARGUMENTS.get(name, ()))
    public = [method for method in dir(ours) if not method.startswith("_")]
    for method in [*public, "__init__"]:
        assert not callable(getattr(ours, method)) or shape(getattr(ours, method)) is not None


@pytest.mark.parametrize("name", NATIVE)
def test_properties_stay_properties(name):
    expected = theirs(name)
    for attribute in attributes(expected) & attributes(getattr(ftthreading, name)):
        if isinstance(inspect.getattr_static(expected, attribute), property):
            static = inspect.getattr_static(getattr(ftthreading, name), attribute)
            assert isinstance(static, property), attribute
            assert static.__doc__


@pytest.mark.parametrize("name", NATIVE)
def test_public_attributes_of_instances(name):
    ours = getattr(ftthreading, name)(*ARGUMENTS.get(name, ()))
    expected = getattr(threading, name)(*ARGUMENTS.get(name, ()))
    public = {a for a in dir(expected) if not a.startswith("_")}
    new = name in ("Condition", "RLock") and sys.version_info < (3, 14)
    assert {a for a in dir(ours) if not a.startswith("_")} == public | (
        {"locked"} if new else set()
    )


def test_constants():
    assert ftthreading.TIMEOUT_MAX == threading.TIMEOUT_MAX
    assert ftthreading.ThreadError is RuntimeError
    assert ftthreading.BrokenBarrierError is threading.BrokenBarrierError
    assert isinstance(ftthreading.__version__, str)


def test_version_is_the_distribution_s():
    metadata = pytest.importorskip("importlib.metadata")
    try:
        version = metadata.version("ftthreading")
    except metadata.PackageNotFoundError:
        pytest.skip("ftthreading is not installed as a distribution here")
    assert ftthreading.__version__ == version


@pytest.mark.thread_unsafe(reason="catches warnings, which is process-wide before 3.14")
@pytest.mark.parametrize("name", DEPRECATED)
def test_deprecated_functions_warn(name):
    with pytest.warns(DeprecationWarning, match=name):
        getattr(ftthreading, name)()


PRIVATE = ["_active", "_limbo", "_active_limbo_lock", "_dangling", "_shutdown", "_after_fork"]
PRIVATE += ["_register_atexit", "_main_thread", "_MainThread", "_DummyThread", "_newname"]
PRIVATE += ["_start_joinable_thread", "_HAVE_THREAD_NATIVE_ID", "_CRLock", "_PyRLock"]


@pytest.mark.parametrize("name", PRIVATE)
def test_private_names_are_the_interpreters(name):
    assert getattr(ftthreading, name) is getattr(threading, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'ftthreading' has no attribute 'no_such'"):
        ftthreading.no_such  # noqa: B018


@pytest.mark.thread_unsafe(reason="changes attributes of threading for a while")
@pytest.mark.parametrize("name", ["excepthook", "_newname", "_start_joinable_thread"])
def test_names_are_never_stale(name, monkeypatch):
    def other(*args):
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(threading, name, other)
        assert getattr(ftthreading, name) is other
    assert getattr(ftthreading, name) is getattr(threading, name) is not other


@pytest.mark.thread_unsafe(reason="sets threading.excepthook for a while")
def test_excepthook_set_on_ftthreading_is_used(monkeypatch):
    caught = []
    monkeypatch.setattr(ftthreading, "excepthook", lambda args: caught.append(args.exc_type))
    assert "excepthook" not in vars(ftthreading)
    thread = ftthreading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    assert caught == [ZeroDivisionError]


@pytest.mark.thread_unsafe(reason="sets threading.excepthook for a while")
def test_patching_excepthook_leaves_nothing_behind(monkeypatch):
    before = threading.excepthook
    with monkeypatch.context() as patch:
        patch.setattr(ftthreading, "excepthook", print)
        assert threading.excepthook is print
    assert ftthreading.excepthook is threading.excepthook is before
    with mock.patch.object(ftthreading, "excepthook", print):
        assert threading.excepthook is print
    assert ftthreading.excepthook is threading.excepthook is before
    with pytest.raises(AttributeError):
        del ftthreading.excepthook
    assert threading.excepthook is before


@pytest.mark.thread_unsafe(reason="sets attributes of the module for a while")
def test_own_names_are_set_on_ftthreading_alone(monkeypatch):
    before = threading.Lock
    with monkeypatch.context() as patch:
        patch.setattr(ftthreading, "Lock", None)
        patch.setattr(ftthreading, "another", 1, raising=False)
        assert threading.Lock is before
        assert not hasattr(threading, "another")
    assert not hasattr(ftthreading, "another")
    assert isinstance(ftthreading.Lock, type)


def test_main_thread():
    assert ftthreading.main_thread() is threading.main_thread()
    assert isinstance(ftthreading.main_thread(), ftthreading.Thread)
    if in_main_thread():
        assert ftthreading.current_thread() is ftthreading.main_thread()


def test_current_thread_in_threads():
    seen = []
    thread = ftthreading.Thread(
        target=lambda: seen.append((ftthreading.current_thread(), threading.current_thread()))
    )
    thread.start()
    thread.join()
    assert seen == [(thread, thread)]


def test_current_thread_in_alien_threads():
    for ours, same in run_threads(
        3, lambda i: (ftthreading.current_thread(), threading.current_thread())
    ):
        assert ours is same
        assert isinstance(ours, ftthreading.Thread)


def test_enumerate_agrees():
    gate = _thread.allocate_lock()
    gate.acquire()
    threads = [
        ftthreading.Thread(target=gate.acquire, kwargs={"timeout": 60}),
        threading.Thread(target=gate.acquire, kwargs={"timeout": 60}),
    ]
    for thread in threads:
        thread.start()
    try:
        assert set(threads) <= set(ftthreading.enumerate())
        assert set(threads) <= set(threading.enumerate())
        assert ftthreading.active_count() >= 3
    finally:
        gate.release()
        wait_until(lambda: not threads[0].is_alive() or not threads[1].is_alive())
        gate.release()
        for thread in threads:
            thread.join()
    assert not set(threads) & set(ftthreading.enumerate())


def test_logging_shows_the_thread_s_name():
    names = []

    class Keep(logging.Handler):
        def emit(self, record):
            names.append(record.threadName)

    logger = logging.Logger("alone")
    logger.addHandler(Keep())
    thread = ftthreading.Thread(target=logger.warning, args=("x",), name="shown")
    thread.start()
    thread.join()
    assert names == ["shown"]


@pytest.mark.thread_unsafe(reason="starts another interpreter, which is slow to do eight times")
def test_import_brings_in_no_heavy_modules():
    program = """if True:
        import sys
        import threading
        before = set(sys.modules)
        import ftthreading
        print(*sorted({"typing", "inspect", "dataclasses", "logging", "re"}
                      & (set(sys.modules) - before)))
    """
    assert run_python(program).stdout.split() == []


def test_rlock_is_a_type():
    """What is gained by its being none of threading's functions, and what is not."""
    assert isinstance(ftthreading.RLock(), ftthreading.RLock)
    assert ftthreading.RLock | None
    with pytest.raises(TypeError, match="metaclass conflict"):
        abc.ABCMeta("Abstract", (ftthreading.RLock,), {})
