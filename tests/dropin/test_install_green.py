"""Green threads and ftthreading exclude each other, and one of them says so.

Small modules stand for eventlet and gevent here: what they do to `threading` is theirs, and what
counts is when we give way. With the real ones: see docs/switching-on.md.
"""

from pathlib import Path

import pytest

from tests.support.launching import LAUNCHER, run

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

PATCHERS = {
    "eventlet": ("patcher", "def is_monkey_patched(name): return done == [name] == ['thread']"),
    "gevent": ("monkey", "def is_module_patched(name): return done == ['thread'] and name"),
}
PATCHER = """
import threading, _thread
print("patching", threading.Event.__init__.__class__.__name__, _thread.RLock)
done = []
def patch(): done.append("thread")
"""


@pytest.fixture(params=PATCHERS)
def green(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The import that patches; the module is in `tmp_path`."""
    package = tmp_path / request.param
    module, ask = PATCHERS[request.param]
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / f"{module}.py").write_text(f"{PATCHER}{ask}\n")
    return f"{request.param}.{module}"


def test_patched_later(tmp_path: Path, green: str) -> None:
    code = f"""
import sys, threading
early = threading.Event
import {green} as patcher
import ftthreading
print(early is ftthreading.Event, threading.Event is early)
print([each for each in sys.meta_path if type(each).__module__.startswith("ftthreading")])
"""
    returncode, output, errors = run(tmp_path, *LAUNCHER, "-c", code)
    assert returncode == 0, errors
    assert output == "patching function <class '_thread.RLock'>\nTrue False\n[]\n"
    assert errors.count("RuntimeWarning") == 1
    assert f"RuntimeWarning: ftthreading has given threading back: {green} puts green" in errors


def test_patched_before(tmp_path: Path, green: str) -> None:
    code = f"""
import {green} as patcher
import threading, ftthreading
ftthreading.install()  # it was imported, and nothing patched
ftthreading.uninstall()
patcher.patch()
before = vars(threading).copy()
try:
    ftthreading.install()
except RuntimeError as error:
    print(error)
assert vars(threading) == before
assert ftthreading.uninstall() == {{}}
"""
    returncode, output, errors = run(tmp_path, "-c", code)
    assert (returncode, errors) == (0, "")
    last = output.splitlines()[-1]
    assert last.startswith(f"ftthreading cannot be installed: {green} puts green threads in")


def test_others_are_imported_as_ever(tmp_path: Path) -> None:
    code = """
import sys, ftthreading
ftthreading.install(); ftthreading.install()
assert sum(type(each).__module__ == "ftthreading._green" for each in sys.meta_path) == 1
import queue, importlib.util
assert importlib.util.find_spec("no_such_module") is None
ftthreading.uninstall()
assert not [each for each in sys.meta_path if type(each).__module__ == "ftthreading._green"]
"""
    assert run(tmp_path, "-c", code) == (0, "", "")


@pytest.mark.parametrize("package", ["eventlet", "gevent"])
def test_with_the_real_one(tmp_path: Path, package: str) -> None:
    pytest.importorskip(package)
    patch = "monkey.patch_all()" if package == "gevent" else "eventlet.monkey_patch()"
    code = f"""
import {package}
if {package!r} == "gevent": from gevent import monkey
{patch}
import queue, threading
items = queue.Queue()
threading.Thread(target=lambda: items.put(1)).start()
print(items.get(timeout=30))
"""
    returncode, output, errors = run(tmp_path, *LAUNCHER, "-c", code)
    assert (returncode, output) == (0, "1\n"), errors
    assert "ftthreading has given threading back" in errors
