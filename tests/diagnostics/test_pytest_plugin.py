"""`pytest -p ftthreading.pytest_plugin`: tests that fail by the order of locks, or hang."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.launching import environment

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own"),
]

SHARED = """
import threading
a, b = threading.Lock(), threading.RLock()
def there():
    with a, b:
        pass
def back():
    with b, a:
        pass
"""

TESTS = """
from shared import *
def test_there(): there()
def test_back(): back()
def test_again(): back(); there()
"""

HANGS = """
import threading
def test_hangs():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
"""


def run_pytest(cwd: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "ftthreading.pytest_plugin", "-p"]
    command += ["no:cacheprovider", "-c", os.devnull, "--rootdir=.", "-q", *arguments]
    child = subprocess.run(
        command,
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return child.returncode, child.stdout + child.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shared.py").write_text(SHARED)
    (tmp_path / "test_them.py").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize("ci", ["", "true"], ids=["a person", "CI"])
def test_the_test_that_turns_the_order_round_fails(
    project: Path, monkeypatch: pytest.MonkeyPatch, ci: str
) -> None:
    monkeypatch.setenv("CI", ci)  # where it is set, pytest's summary is not cut
    code, out = run_pytest(project, "--lock-order")
    assert code == 1
    assert "1 failed, 2 passed" in out
    assert "FAILED test_them.py::test_back" in out
    assert "test_them.py::test_back: 1 lock order inversion, which can deadlock" in out
    assert "shared.py:8, in back:  with b, a:" in out
    assert "shared.py:5, in there:  with a, b:" in out
    assert "_pytest" not in out
    assert out.count("ftthreading: lock order inversion of 2 locks") == 1


def test_without_the_option_they_run_on_ftthreading_and_pass(project: Path) -> None:
    (project / "test_it.py").write_text(
        "import threading, ftthreading\n"
        "from threading import Lock\n"
        "def test_it():\n    assert threading.Lock is Lock is ftthreading.Lock\n"
    )
    code, out = run_pytest(project)
    assert (code, "4 passed" in out) == (0, True)


def test_suppressions(project: Path) -> None:
    (project / "known").write_text("back & there\n")
    assert run_pytest(project, "--lock-order-suppressions=known")[0] == 0
    (project / "known").write_text("elsewhere\n")
    assert run_pytest(project, "--lock-order", "--lock-order-suppressions=known")[0] == 1
    code, out = run_pytest(project, "--lock-order-suppressions=none")
    assert code == 4
    assert "can't read 'none'" in out


def test_fixtures_and_threads_of_a_test_count(project: Path) -> None:
    (project / "test_them.py").write_text(
        "import pytest\nfrom shared import *\n"
        "@pytest.fixture\n"
        "def setting():\n"
        "    there()\n"
        "    yield\n"
        "    thread = threading.Thread(target=back, name='in the fixture')\n"
        "    thread.start()\n"
        "    thread.join()\n"
        "def test_it(setting): pass\n"
    )
    code, out = run_pytest(project, "--lock-order")
    assert code == 1
    assert "ERROR test_them.py::test_it" in out
    assert 'Thread "in the fixture" held' in out


def test_what_is_found_while_modules_are_imported(project: Path) -> None:
    (project / "test_them.py").write_text(
        "from shared import *\nthere(); back()\ndef test_nothing(): pass\n"
    )
    code, out = run_pytest(project, "--lock-order")
    assert code == 1
    assert "lock order inversion outside of tests" in out
    assert "1 passed" in out


def test_possible_ones_fail_if_strict(project: Path) -> None:
    (project / "test_them.py").write_text(
        "import threading\n"
        "def left(): return threading.Lock()\n"
        "def right(): return threading.Lock()\n"
        "def nest(a, b):\n    with a, b: pass\n"
        "def test_it():\n    nest(left(), right())\n    nest(right(), left())\n"
    )
    assert run_pytest(project, "--lock-order")[0] == 0
    code, out = run_pytest(project, "--lock-order-strict")
    assert code == 1
    assert "possible lock order inversion" in out


def test_a_failure_of_the_test_itself_comes_first(project: Path) -> None:
    (project / "test_them.py").write_text(
        "from shared import *\ndef test_it():\n    there(); back()\n    assert 1 == 2\n"
    )
    code, out = run_pytest(project, "--lock-order")
    assert code == 1
    assert "assert 1 == 2" in out
    assert "ftthreading: lock order inversion of 2 locks" in out


def test_help_tells_of_it(tmp_path: Path) -> None:
    code, out = run_pytest(tmp_path, "--help")
    assert code == 0
    for option in ("--lock-order ", "--lock-order-strict", "--lock-order-suppressions=FILE"):
        assert option in out


def test_who_waits_is_printed_before_faulthandlers_limit(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text(HANGS)
    options = ["-o", "faulthandler_timeout=5", "-o", "faulthandler_exit_on_timeout=true"]
    code, out = run_pytest(tmp_path, *options)
    assert code == 1
    told, end = out.find("is about to run into its time limit"), out.find("Timeout (")
    assert 0 <= told < end
    assert "test_hangs.py::test_hangs" in out[:end]
    assert re.search(r"test_hangs\.py\"?,? line 6|test_hangs\.py:6", out[told:end])


def test_who_waits_is_printed_before_pytest_timeouts_limit(tmp_path: Path) -> None:
    """By its hooks: a plugin that has them and nothing else stands for it here."""
    (tmp_path / "test_hangs.py").write_text(
        HANGS.replace("    lock.acquire()\n    lock.acquire()\n", "    lock.acquire()\n")
        + "    assert not lock.acquire(timeout=2)\n"
    )
    (tmp_path / "test_short.py").write_text("def test_short(): pass\n")
    (tmp_path / "hooks.py").write_text(
        """
import types, pytest

class Hooks:
    @pytest.hookspec(firstresult=True)
    def pytest_timeout_set_timer(item, settings): ...
    @pytest.hookspec(firstresult=True)
    def pytest_timeout_cancel_timer(item): ...

def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Hooks)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    item.ihook.pytest_timeout_set_timer(item=item, settings=types.SimpleNamespace(timeout=1))
    try:
        return (yield)
    finally:
        item.ihook.pytest_timeout_cancel_timer(item=item)
"""
    )
    code, out = run_pytest(tmp_path, "-p", "hooks")
    assert code == 0
    assert "2 passed" in out
    assert out.count("is about to run into its time limit") == 1
    assert "test_hangs.py::test_hangs is about" in out
