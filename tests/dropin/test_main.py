"""`python -m ftthreading` runs a program as plain python does: same output, byte for byte.

Each program runs twice in a process of its own, under plain python and under the launcher, and
standard output, standard error and exit code have to be equal. One test alone tells the two apart:
it asks the program which locks it has.
"""

import re
import sysconfig
from pathlib import Path

import pytest

from tests.support.launching import FURTHER_MODES, LAUNCHER, MODES, check_alike, place, run

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

INSTALLED = Path(sysconfig.get_path("platlib"), "ftthreading", "__main__.py").exists()

PROGRAMS = {
    "namespace": """
import sys
for name, value in list(globals().items()):
    if name == "__loader__":
        value = getattr(value, "__name__", None), type(value), getattr(value, "name", None)
    elif name == "__spec__" and value is not None:
        value = value.name, value.origin, value.cached, value.parent
    print(name, value)
print(sys.argv, sys.path[:2], vars(sys.modules["__main__"]) is globals())
""",
    "docstring": '"""What it is for."""\nprint(__doc__)\n',
    "exception": """
def divide(x):
    return 1 / x
def outer():
    try:
        divide(0)
    except ZeroDivisionError as error:
        error.add_note("a note")
        raise ValueError("caf\\xe9") from error
outer()
""",
    "exception_group": "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])",
    "exception_without_traceback": "raise ValueError(1).with_traceback(None)",
    "exception_from_thread": """
import threading
def fail():
    raise ValueError("in a thread")
thread = threading.Thread(target=fail, name="failing")
thread.start()
thread.join()
print("done")
""",
    "exception_twice": """
from concurrent.futures import ThreadPoolExecutor
def fail():
    raise ValueError("in a pool")
with ThreadPoolExecutor(1) as pool:
    future = pool.submit(fail)
future.result()
""",
    "syntax_error": "print('never')\nx = = 1\n",
    "indentation_error": "if True:\n\tx = 1\n        y = 2\n",
    "syntax_warning": "print('\\d')",
    "compile_error": "def f():\n    nonlocal x\n",
    "exit_nothing": "import sys; sys.exit()",
    "exit_number": "import sys; sys.exit(3)",
    "exit_text": "import sys; sys.exit('no luck')",
    "exit_object": "raise SystemExit(['a', 1])",
    "exit_in_thread": """
import sys, threading
thread = threading.Thread(target=sys.exit, args=(3,)); thread.start(); thread.join()
""",
    "exit_at_once": "import os; os._exit(7)",
    "exit_hook_state": """
import atexit, sys
hook = sys.excepthook
atexit.register(lambda: print(sys.excepthook is hook, sys.excepthook is sys.__excepthook__))
raise SystemExit(4)
""",
    "keyboard_interrupt": "def wait():\n    raise KeyboardInterrupt\nwait()",
    "keyboard_interrupt_subclass": "class Stop(KeyboardInterrupt): pass\nraise Stop",
    "sigint": """
import os, signal, threading
lock = threading.Lock(); lock.acquire()
threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGINT]).start()
try:
    lock.acquire()
finally:
    print("leaving")
""".replace("try:\n    lock.acquire()", "try:\n    while lock.acquire(timeout=60): pass"),
    "sigterm": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "generator_exit": "raise GeneratorExit",
    "hook": """
import sys, traceback
def hook(kind, value, trace):
    print(kind, value, [frame.name for frame in traceback.extract_tb(trace)])
    print(value.__traceback__ is trace, value.__context__)
    print(sys.last_exc is value, sys.last_traceback is trace, sys.last_type is kind)
    print(sys.last_value is value, sys.excepthook is hook, sys.exc_info(), "__file__" in globals())
    sys.__excepthook__(kind, value, trace)
sys.excepthook = hook
def fail(): raise LookupError("lost")
fail()
""",
    "hook_fails": """
import sys
def hook(*_):
    raise KeyError("hook")
sys.excepthook = hook
1 / 0
""",
    "hook_exits": """
import sys
def hook(*_): raise SystemExit(5)
sys.excepthook = hook
1 / 0
""",
    "hook_missing": "import sys; del sys.excepthook; 1 / 0",
    "hook_none": "import sys; sys.excepthook = None; 1 / 0",
    "hook_for_interrupt": """
import sys
sys.excepthook = lambda kind, value, trace: print("interrupted", kind, trace)
raise KeyboardInterrupt
""",
    "stderr_none": "import sys; sys.stderr = None; 1 / 0",
    "atexit": """
import atexit, sys
@atexit.register
def last():
    print("__file__" in globals(), "__cached__" in globals(), __name__)
    print(vars(sys.modules["__main__"]) is globals())
    raise ValueError("too late")
""",
    "atexit_after_exception": """
import atexit, sys
@atexit.register
def last():
    print("__file__" in globals(), "__cached__" in globals(), hasattr(sys, "last_exc"))
    print(sys.excepthook is sys.__excepthook__, sys.last_exc.__traceback__.tb_frame.f_code.co_name)
1 / 0
""",
    "atexit_after_exit": """
import atexit, sys
atexit.register(lambda: print("__file__" in globals(), "__cached__" in globals()))
sys.exit()
""",
    "thread_after_main": """
import sys, threading
def late():
    threading.main_thread().join()
    print(vars(sys.modules["__main__"]) is globals(), __name__, threading.current_thread().name)
threading.Thread(target=late, name="late").start()
print("main ends")
""",
    "warning": """
import sys, warnings
warnings.warn("careful")
warnings.warn("old", DeprecationWarning)
def library(): warnings.warn("from the caller", stacklevel=2)
library()
""",
    "pickle": """
import pickle
class Point:
    def __init__(self, x): self.x = x
def double(x): return 2 * x
print(pickle.loads(pickle.dumps(Point(3))).x, pickle.loads(pickle.dumps(double))(4))
print(Point.__module__, double.__module__, Point)
""",
    "annotations": "x: int = 1\nprint(__annotations__ if '__annotations__' in globals() else None)",
    "future_not_inherited": """
def f(x: print("evaluated") or 1): pass
f.__annotations__
""",
    "destructors": """
class Loud:
    def __init__(self, name): self.name = name
    def __del__(self): print("gone", self.name)
a = Loud("a")
_b = Loud("b")
def f():
    c = Loud("c")
    1 / 0
f()
""",
    "flags": "import sys; print(sys.flags, __debug__, sys.warnoptions, sys._xoptions)",
}

IN_EVERY_MODE = ["namespace", "exception", "syntax_error", "hook", "exit_number", "atexit"]
CASES = [(mode, name) for mode in MODES for name in PROGRAMS]
CASES += [(mode, name) for mode in FURTHER_MODES for name in IN_EVERY_MODE]


@pytest.mark.parametrize(("mode", "name"), CASES, ids=["-".join(case) for case in CASES])
def test_program_is_alike(tmp_path: Path, mode: str, name: str) -> None:
    arguments, input = place(tmp_path, mode, PROGRAMS[name])
    check_alike(tmp_path, *arguments, "one", "-m", "two", input=input)


@pytest.mark.parametrize("mode", MODES + FURTHER_MODES)
def test_program_has_ftthreading(tmp_path: Path, mode: str) -> None:
    source = """
import sys
early = "ftthreading" in sys.modules
import queue, threading, concurrent.futures
from threading import Lock
ours = Lock is getattr(sys.modules.get("ftthreading"), "Lock", None)
print(early, ours, type(queue.Queue().mutex) is Lock)
"""
    arguments, input = place(tmp_path, mode, source)
    code, output, errors = run(tmp_path, *LAUNCHER, *arguments, input=input)
    assert (code, output.splitlines()[-1], errors) == (0, "True True True", "")


def test_walkers_of_packages_run_nothing(tmp_path: Path) -> None:
    """pydoc, stubtest and the like import `__main__`, as a module among others."""
    program = """
import pkgutil, sys
sys.argv[1:] = ["-c", "raise SystemExit('ran')"]
mine = 1
import ftthreading
for found in pkgutil.walk_packages(ftthreading.__path__, "ftthreading."):
    __import__(found.name)
assert "ftthreading.__main__" in sys.modules
import threading
print(mine, threading.Lock is ftthreading.Lock)
"""
    assert run(tmp_path, "-c", program) == (0, "1 False\n", "")


def test_exit_codes_are_what_they_should_be(tmp_path: Path) -> None:
    codes = {
        "exit_number": 3, "exit_text": 1, "keyboard_interrupt": -2, "sigint": -2, "hook_exits": 5,
        "exception": 1, "exit_at_once": 7,
    }  # fmt: skip
    for name, code in codes.items():
        assert run(tmp_path, *LAUNCHER, "-c", PROGRAMS[name])[0] == code, name


OPTIONS = {
    "safe_path": ("-P",),
    "safe_path_variable_ignored": ("-E", "-P"),
    "optimized": ("-O",),
    "twice_optimized": ("-OO",),
    "warnings_are_errors": ("-W", "error"),
    "default_warnings": ("-Wdefault",),
    "development": ("-X", "dev"),
    "isolated": ("-I",),
    "no_user_site": ("-s",),
    "unbuffered": ("-u",),
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("how", ["script", "module", "directory", "command"])
def test_interpreter_options(tmp_path: Path, how: str, options: str) -> None:
    if OPTIONS[options][0] in ("-I", "-E") and not INSTALLED:
        pytest.skip("-I and -E hide PYTHONPATH, and ftthreading is not installed")
    program = "".join(PROGRAMS[n] + "\n" for n in ("docstring", "namespace", "flags", "warning"))
    arguments, input = place(tmp_path, how, program + PROGRAMS["exception"])
    check_alike(tmp_path, *arguments, options=OPTIONS[options], input=input)


@pytest.mark.parametrize(
    "name", ["docstring", "exception", "exit_number", "keyboard_interrupt", "hook", "syntax_error"]
)
@pytest.mark.parametrize("how", ["script", "module", "directory", "command"])
def test_interactive_afterwards(tmp_path: Path, how: str, name: str) -> None:
    arguments, _ = place(tmp_path, how, PROGRAMS[name])
    typed = """
import sys, pdb
sorted(globals())
getattr(sys, "last_exc", None)
hasattr(sys, "last_traceback") and sys.last_traceback and sys.last_traceback.tb_frame.f_code
1 / 0
if sys.last_traceback: pdb.pm()

w
q
"""
    _, output, _ = check_alike(tmp_path, *arguments, options=("-i",), input=typed)
    assert not re.search(r"ftthreading/_\w+\.py", output)
