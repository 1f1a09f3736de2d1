"""`python -m ftthreading` with what stands around a program: debugger, tools, processes, usage."""

import importlib.util
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launching import LAUNCHER, check_alike, environment, place, run

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

PDB = {
    "run_under_pdb": (("-m", "pdb", "app.py", "x"), "b 5\nc\nw\np x\np __file__\nn\nn\nn\nn\nq\n"),
    "uncaught_under_pdb": (("-m", "pdb", "broken.py"), "c\nw\np sys.argv\nq\n"),
    "breakpoint": (("stops.py",), "p x\nl\nn\nn\nn\nn\nn\n"),
    "breakpoint_then_continue": (("stops.py",), "s\nc\n"),
    "breakpoint_then_quit": (("stops.py",), "q\n"),
    "breakpoint_until_end_of_input": (("stops.py",), ""),
}


@pytest.mark.parametrize(("arguments", "typed"), PDB.values(), ids=PDB)
def test_pdb(tmp_path: Path, arguments: tuple[str, ...], typed: str) -> None:
    # Both have to know threading, whose own function is the last that a debugger stops in.
    app = "import threading\ndef f(x):\n    y = x\n    return y\nx = f(1)\nprint(x)\n"
    (tmp_path / "app.py").write_text(app)
    (tmp_path / "broken.py").write_text(f"import sys\n{app}f(1, 2)\n")
    (tmp_path / "stops.py").write_text(f"{app}breakpoint()\nx = f(2)\nprint(x)\n")
    _, output, errors = check_alike(tmp_path, *arguments, input=typed)
    assert "(Pdb)" in output
    assert not re.search(r"ftthreading/_\w+\.py", output + errors)


TOOLS = {
    "unittest": ("-m", "unittest", "-v", "test_app"),
    "timeit": ("-m", "timeit", "-n", "1", "-r", "1", "pass"),
    "cprofile": ("-m", "cProfile", "app.py"),
    "cprofile_module": ("-m", "cProfile", "-m", "app"),
    "profile": ("-m", "profile", "app.py"),
    "trace": ("-m", "trace", "--trace", "app.py"),
    "runpy": ("-m", "runpy", "app"),
    "doctest": ("-m", "doctest", "app.py"),
    "json": ("-m", "json", "--help"),
    "compileall": ("-m", "compileall", "--help"),
}


@pytest.mark.parametrize("arguments", TOOLS.values(), ids=TOOLS)
def test_tools_of_the_library(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "app.py").write_text(
        'def f():\n    """\n    >>> f()\n    2\n    """\n    return 1\nprint(f(), __name__)\n'
    )
    (tmp_path / "test_app.py").write_text(
        "import unittest\n"
        "class AppTest(unittest.TestCase):\n"
        "    def test_good(self): pass\n"
        "    def test_bad(self): self.assertEqual(1, 2)\n"
    )
    plain, ours = (
        (code, re.sub(r"\b\d+(\.\d+)?( [mun]?sec)?\b", "N", output), re.sub(r"\d", "N", errors))
        for code, output, errors in (
            run(tmp_path, *launcher, *arguments) for launcher in ([], LAUNCHER)
        )
    )
    if "rofile" in arguments[1]:  # the order of equal times is chance, and so are some calls
        plain, ours = ((code, output[:10], errors) for code, output, errors in (plain, ours))
    assert ours == plain


def test_regression_tests_of_the_interpreter(tmp_path: Path) -> None:
    if importlib.util.find_spec("test") is None or not importlib.util.find_spec("test.test_sched"):
        pytest.skip("this interpreter came without its regression tests")
    code, output, errors = run(tmp_path, *LAUNCHER, "-m", "test", "test_sched")
    assert code == 0, output + errors
    assert "Result: SUCCESS" in output


MULTIPROCESSING = """
import multiprocessing, sys, threading
def work(x):
    return x * x, __name__, threading.current_thread().name
class Point:
    def __init__(self, x): self.x = x
def shift(point):
    return Point(point.x + 1)
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(work, range(3)), pool.apply(shift, [Point(2)]).x)
    queue = context.Queue()
    process = context.Process(target=queue.put, args=(Point(5),))
    process.start()
    print(queue.get().x)
    process.join()
    print(process.exitcode)
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
@pytest.mark.parametrize("how", ["script", "module"])  # others cannot spawn in plain python either
def test_multiprocessing(tmp_path: Path, how: str, method: str) -> None:
    arguments, _ = place(tmp_path, how, MULTIPROCESSING)
    # Python warns of a fork with threads in the way, and names its own process.
    options = ("-W", "ignore::DeprecationWarning")
    code, output, errors = check_alike(tmp_path, *arguments, method, options=options)
    assert (code, output.splitlines()[-1], errors) == (0, "0", "")


def test_logging_shows_thread_names(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("""
import logging, threading, _thread
logging.basicConfig(format="%(threadName)s %(message)s")
logging.warning("main")
thread = threading.Thread(target=logging.warning, args=("thread",), name="worker")
thread.start(); thread.join()
done = threading.Event()
def raw():
    logging.warning("raw"); done.set()
_thread.start_new_thread(raw, ())
done.wait()
""")
    _, _, errors = check_alike(tmp_path, "app.py")
    assert errors.splitlines()[:2] == ["MainThread main", "worker thread"]


def test_without_the_interpreters_entry_point(tmp_path: Path) -> None:
    """`runpy`'s private function may go away; modules and directories must run all the same."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("import sys; print(__name__, sys.argv[1:])")
    start = "import runpy, sys; del runpy._run_module_as_main; sys.argv[1:] = [{}]; import {}"
    for target in ("'-m', 'app', 'x'", "'app', 'x'"):
        code = start.format(target, "ftthreading._run; ftthreading._run.main()")
        assert run(tmp_path, "-c", code) == (0, "__main__ ['x']\n", "")


def test_usage(tmp_path: Path) -> None:
    code, output, errors = run(tmp_path, *LAUNCHER)
    assert (code, output, errors[:6]) == (2, "", "usage:")
    for wrong in (["-m"], ["-c"], ["-z"], ["--nothing"], ["-i", "app.py"]):
        code, output, errors = run(tmp_path, *LAUNCHER, *wrong)
        assert (code, output) == (2, "")
        assert wrong[0] in errors.splitlines()[0]
        assert "usage:" in errors


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(tmp_path: Path, option: str) -> None:
    code, output, errors = run(tmp_path, *LAUNCHER, option, "-m", "nothing")
    assert (code, output[:6], errors) == (0, "usage:", "")


def test_version(tmp_path: Path) -> None:
    code, output, errors = run(tmp_path, *LAUNCHER, "--version")
    assert (code, errors) == (0, "")
    assert re.match(r"ftthreading \S+", output)
    assert sys.version.split()[0] in output


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    controller, end = pty.openpty()
    yield controller, end
    os.close(controller)


def test_dash_at_a_terminal_is_a_prompt(tmp_path: Path, terminal: tuple[int, int]) -> None:
    controller, end = terminal
    process = subprocess.Popen(
        [sys.executable, *LAUNCHER, "-"],
        cwd=tmp_path,
        env=environment(),
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    os.close(end)
    os.write(controller, b"import threading; print(threading.Event.__mro__)\nexit(6)\n")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 6
    assert "(<class 'threading.Event'>, <class 'threading.Event'>, <class 'object'>)" in output
