"""The ground under the core: private names of CPython that it uses, the GIL, subinterpreters.

When a new version takes away or changes one of those names, the tests here say so; the core goes on
with a fallback (ftthreading/core/python/cpython.c), which is tested here too.
"""

from __future__ import annotations

import _thread
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

from ftthreading import _cpython
from ftthreading import _thread as mended
from tests.support import run_python, run_threads

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

subprocesses = pytest.mark.thread_unsafe(reason="runs interpreters, and loads the machine, itself")


def test_main_thread_ident() -> None:
    ident = _thread._get_main_thread_ident  # type: ignore[attr-defined]
    main = threading.main_thread().ident
    assert type(main) is int
    assert ident() == main
    assert run_threads(2, lambda _: ident()) == [main, main]


@subprocesses
def test_main_thread_ident_in_a_forked_child() -> None:
    """It becomes that of the thread that called fork(), which is what the core counts on."""
    run_python(
        """
import _thread, os, threading

def fork():
    child = os.fork()
    if child == 0:
        os._exit(0 if _thread._get_main_thread_ident() == _thread.get_ident() else 1)
    results.append(os.waitpid(child, 0)[1])

results = []
thread = threading.Thread(target=fork)
thread.start()
thread.join()
assert results == [0], results
"""
    )


def test_gil_question() -> None:
    assert sys._is_gil_enabled() in ((True, False) if FREE_THREADED else (True,))
    assert type(sys._is_gil_enabled()) is bool


USE = """
import threading

def use(ftthreading):
    lock, rlock, total, other = ftthreading.Lock(), ftthreading.RLock(), [0], [0]

    def add():
        for _ in range(2000):
            with lock:
                total[0] += 1
            with rlock, rlock:
                other[0] += 1

    held = ftthreading.Lock()
    held.acquire()
    threads = [threading.Thread(target=add) for _ in range(4)]
    threads += [threading.Thread(target=held.acquire, kwargs={"timeout": 60})]
    for thread in threads:
        thread.start()
    assert not held.acquire(timeout=0.01)
    held.release()
    for thread in threads:
        thread.join()
    assert (total, other) == ([8000], [8000]), (total, other)
"""


@subprocesses
@pytest.mark.parametrize("module", ["ftthreading", "ftthreading._core"])
def test_import_leaves_the_gil_off(module: str) -> None:
    """An extension that does not declare itself turns it on, with a RuntimeWarning."""
    out = run_python(
        f"import sys\nbefore = sys._is_gil_enabled()\n"
        f"import warnings\nwarnings.simplefilter('error')\nimport {module}\n"
        f"print(before, sys._is_gil_enabled())\n",
        env={"PYTHON_GIL": "", "PYTHONWARNINGS": "error"},
    )
    assert out.stdout == ("False False\n" if FREE_THREADED else "True True\n")
    assert out.stderr == ""


@subprocesses
@pytest.mark.skipif(not FREE_THREADED, reason="an ordinary build has no other way to run")
def test_with_the_gil_turned_on() -> None:
    out = run_python(
        USE + "import sys, ftthreading\nuse(ftthreading)\nprint(sys._is_gil_enabled())\n",
        env={"PYTHON_GIL": "1"},
    )
    assert (out.stdout, out.stderr) == ("True\n", "")


UNDECLARED = """
#include <Python.h>
static struct PyModuleDef_Slot slots[] = {{0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "undeclared", .m_slots = slots};
PyMODINIT_FUNC PyInit_undeclared(void) { return PyModuleDef_Init(&module); }
"""


@subprocesses
@pytest.mark.skipif(not FREE_THREADED, reason="the GIL is there all the time")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="nobody spins with one processor")
@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler for an extension")
def test_the_spin_limit_follows_the_gil(tmp_path: Path) -> None:
    """An extension that does not declare itself turns the GIL on for good."""
    (tmp_path / "undeclared.c").write_text(UNDECLARED)
    command = ["cc", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", "undeclared.c"]
    command += ["-o", f"undeclared{sysconfig.get_config_var('EXT_SUFFIX')}"]
    subprocess.run(command, cwd=tmp_path, check=True)
    out = run_python(
        """
import sys, warnings
import ftthreading, ftthreading._core as core

def block():
    for _ in range(64):
        assert not held.acquire(timeout=1e-9)

def limit():
    block()
    return core._spin_limit()

held = ftthreading.Lock()
held.acquire()
before = limit()
truth = sys._is_gil_enabled
sys._is_gil_enabled = lambda: True  # as while an extension is imported
during = limit()
sys._is_gil_enabled = truth
after = limit()
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import undeclared
print(before > 0, during, after == before, limit(), sys._is_gil_enabled())
""",
        str(tmp_path),
        env={"PYTHON_GIL": ""},
    )
    assert out.stdout == "True 0 True 0 True\n"


@subprocesses
def test_without_a_key_of_its_own() -> None:
    """The system has 1024 of them for all; the one with number 0 is somebody else's."""
    run_python(
        """
import ctypes
c = ctypes.CDLL(None)
c.pthread_getspecific.restype = ctypes.c_void_p
key = ctypes.c_uint()
while c.pthread_key_create(ctypes.byref(key), None) == 0:
    pass
"""
        + USE
        + """
import ftthreading
held = ftthreading.Lock()
held.acquire()
before = c.pthread_getspecific(0)
assert not held.acquire(timeout=1e-9)
assert c.pthread_getspecific(0) == before
use(ftthreading)
"""
    )


@subprocesses
def test_the_core_loaded_twice() -> None:
    """Each time it makes types of its own; the waiting is one, and knows of no module."""
    run_python(
        USE
        + """
import importlib.util, os, sys
import ftthreading, ftthreading._core as first

def load():
    spec = importlib.util.spec_from_file_location("ftthreading._core", first.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

limit = first._spin_limit()
second = load()
assert second is not first and second.Lock is not first.Lock
assert first._spin_limit() == second._spin_limit() == limit
for module in (first, second, load(), first):
    use(module)

# One's condition on the other's lock, which is a foreign one to it.
for lock in (second.Lock(), second.RLock()):
    condition, came = first.Condition(lock), []
    def wait():
        with condition:
            came.append("waits")
            condition.wait_for(lambda: "told" in came, timeout=60)
            came.append("heard")
    thread = threading.Thread(target=wait)
    thread.start()
    while "told" not in came:
        with lock:
            if came:
                came.append("told")
                condition.notify()
    thread.join()
    assert came == ["waits", "told", "heard"], came
second.Event.__module__ = "here"
assert (first.Event.__module__, second.Event.__module__) == ("ftthreading", "here")
child = os.fork()
if child == 0:
    use(second)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    )


@subprocesses
def test_without_the_private_names() -> None:
    out = run_python(
        "import sys, threading, _thread\n"
        "del _thread._get_main_thread_ident, sys._is_gil_enabled\n"
        + USE
        + INTERRUPTED
        + "import ftthreading\nuse(ftthreading)\ninterrupted(ftthreading)\nprint('done')\n"
    )
    assert (out.stdout, out.stderr) == ("done\n", "")


INTERRUPTED = """
import signal, time

def interrupted(ftthreading):
    class Alarm(Exception):
        pass

    def handler(*_):
        raise Alarm

    signal.signal(signal.SIGALRM, handler)
    for lock in (ftthreading.Lock(), ftthreading.RLock()):
        # Another thread's, so that an RLock is not ours.
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # again and again: one may come early
        try:
            lock.acquire(timeout=60)
        except Alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
        else:
            raise AssertionError("not interrupted")
"""


@subprocesses
def test_first_import_in_another_thread() -> None:
    """Signal handlers run in the main thread, whichever thread imported the core."""
    out = run_python(
        USE
        + INTERRUPTED
        + """
def import_it():
    global ftthreading
    import ftthreading

thread = threading.Thread(target=import_it)
thread.start()
thread.join()
interrupted(ftthreading)
print("done")
"""
    )
    assert (out.stdout, out.stderr) == ("done\n", "")


@subprocesses
def test_subinterpreters_with_their_own_gil() -> None:
    """The core works there, several at a time, and shares no type between interpreters."""
    pytest.importorskip("_interpreters", reason="this build has no subinterpreters")
    out = run_python(
        "USE = "
        + repr(USE)
        + """
import sys, threading
import _interpreters
import ftthreading

gil = sys._is_gil_enabled()
CODE = USE + '''
import sys, ftthreading, ftthreading._core
use(ftthreading)
assert ftthreading.Lock().acquire(timeout=1e-9) is True
assert id(ftthreading.Lock) != THEIRS
'''.replace("THEIRS", str(id(ftthreading.Lock)))
failures = []

def run():
    interpreter = _interpreters.create()
    try:
        failed = _interpreters.exec(interpreter, CODE)
        if failed is not None:
            failures.append(failed.errdisplay)
    finally:
        _interpreters.destroy(interpreter)

for _ in range(3):
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert not failures, failures[0]
assert sys._is_gil_enabled() == gil
with ftthreading.Lock(), ftthreading.RLock():
    pass
print("done")
"""
    )
    assert (out.stdout, out.stderr) == ("done\n", "")


@subprocesses
def test_core_is_built_for_this_interpreter() -> None:
    """The extension's name carries the interpreter's own tag: no other one is tried."""
    out = run_python("import ftthreading._core as core; print(core.__file__)").stdout
    assert out.strip().endswith(sysconfig.get_config_var("EXT_SUFFIX"))
    assert os.path.exists(out.strip())


@subprocesses
@pytest.mark.parametrize("name", ["start_joinable_thread", "_ThreadHandle"])
def test_a_version_without_one_of_the_names(name: str) -> None:
    """Threads are then the interpreter's own, and all else is as ever."""
    run_python(
        f"""
import _thread, threading
del _thread.{name}
start, join = threading.Thread.start, threading.Thread.join
import ftthreading
assert threading.Thread.start is start and threading.Thread.join is join
assert ftthreading.current_thread is threading.current_thread
ftthreading.install()
assert threading.Lock is ftthreading.Lock
ran = []
thread = threading.Thread(target=lambda: ran.append(ftthreading.current_thread()))
thread.start()
thread.join()
assert ran == [thread] and ftthreading.current_thread() is threading.main_thread()
assert ftthreading.get_native_id() == _thread.get_native_id()
ftthreading.uninstall()
"""
    )


def test_what_our_start_relies_on() -> None:
    """Look at ftthreading/_thread.py and _cpython.py when this fails on a new version."""
    assert _cpython.KNOWN
    names = {*mended._start.__code__.co_names}
    known = {"_initialized", "RuntimeError", "_started", "is_set", "_active_limbo_lock", "_limbo"}
    known |= {"_start_joinable_thread", "_bootstrap", "daemon", "Exception", "wait"}
    known |= {_cpython.HANDLE}
    if sys.version_info >= (3, 14):
        known |= {"_context", "_sys", "flags", "thread_inherit_context"}
        known |= {"_contextvars", "copy_context", "Context"}
    assert names == known
    # What the new thread does, in this order.
    inner = _cpython._bootstrap_inner.__code__.co_names
    steps = ["_set_ident", "_set_native_id", "_started", "_active_limbo_lock", "_active", "_limbo"]
    assert [name for name in inner if name in steps] == steps
    assert threading._active_limbo_lock._is_owned() is False  # type: ignore[attr-defined]
