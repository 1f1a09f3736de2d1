"""`python -m ftthreading --lock-order`: what a user sees of it, and the exit code."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.launching import LAUNCHER, run

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own"),
]

BANK = """
import sys, threading

class Account:
    def __init__(self):
        self.lock = threading.Lock()

def transfer(source, target):
    with source.lock:
        with target.lock:
            pass

def main():
    a, b = Account(), Account()
    for name, pair in ("there", (a, b)), ("back", (b, a)):
        thread = threading.Thread(target=transfer, args=pair, name=name)
        thread.start()
        thread.join()
    print("done")
"""

LATE = """
def late():
    threading.main_thread().join()
    main()
threading.Thread(target=late).start()
"""

POSSIBLE = """
import threading
class Left:
    def __init__(self):
        self.lock = threading.Lock()
class Right:
    def __init__(self):
        self.lock = threading.Lock()
def nest(a, b):
    with a.lock, b.lock:
        pass
nest(Left(), Right())
nest(Right(), Left())
"""


type Bank = Callable[..., Path]


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    def app(end: str, source: str = BANK) -> Path:
        (tmp_path / "app.py").write_text(source + end)
        return tmp_path

    return app


def watch(cwd: Path, *options: str) -> tuple[int, str, str]:
    return run(cwd, "-m", "ftthreading", "--lock-order", *options, "app.py")


def test_report_and_exit_code(bank: Bank) -> None:
    code, out, err = watch(bank("main()"))
    assert (code, out) == (66, "done\n")
    assert "ftthreading: lock order inversion of 2 locks\n" in err
    assert 'Thread "there" held ' in err
    assert 'Thread "back" held ' in err
    assert "app.py:6, in Account.__init__:  self.lock = threading.Lock()" in err
    assert err.count("app.py:9, in transfer:  with source.lock:") == 2
    assert err.count("app.py:10, in transfer:  with target.lock:") == 2
    assert err.endswith("ftthreading: 1 lock order inversion, 0 possible; see above.\n")
    assert "_run.py" not in err
    assert "diagnostics" not in err


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    source = Path(__file__).parents[3] / "docs" / "examples" / "lock_order.py"
    shown = source.parents[1] / "diagnostics.md"
    code, out, err = run(
        source.parents[2], *LAUNCHER, "--lock-order", "docs/examples/lock_order.py"
    )
    assert (code, out) == (66, "")
    for line in filter(None, err.splitlines()):
        assert f"\n{line}\n" in shown.read_text()


def test_without_the_option_nothing_is_said(bank: Bank) -> None:
    cwd = bank("main()\nprint('ftthreading.diagnostics' in sys.modules)")
    assert run(cwd, "-m", "ftthreading", "app.py") == (0, "done\nFalse\n", "")


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("main(); sys.exit()", 66),
        ("main(); sys.exit(0)", 66),
        ("main(); sys.exit(None)", 66),
        ("main(); sys.exit(3)", 3),
        ("main(); sys.exit('no')", 1),
        ("main(); 1 / 0", 1),
        ("main(); import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        (LATE, 66),
        (LATE + "sys.exit()", 66),
        (LATE + "sys.exit(4)", 4),
        ("transfer(Account(), Account())", 0),
    ],
)
def test_exit_codes(bank: Bank, end: str, expected: int) -> None:
    assert watch(bank(end))[0] == expected


def test_a_program_without_inversions_is_silent(bank: Bank) -> None:
    assert watch(bank("transfer(Account(), Account())")) == (0, "", "")


def test_modules_and_code_too(bank: Bank) -> None:
    cwd = bank("main()")
    assert run(cwd, "-m", "ftthreading", "--lock-order", "-m", "app")[0] == 66
    assert run(cwd, "-m", "ftthreading", "--lock-order", "-c", "import app")[0] == 66


def test_possible_ones_count_only_if_strict(bank: Bank) -> None:
    cwd = bank("", POSSIBLE)
    code, out, err = watch(cwd)
    assert (code, out) == (0, "")
    assert "possible lock order inversion of 2 locks" in err
    assert err.endswith("ftthreading: 0 lock order inversions, 1 possible; see above.\n")
    assert watch(cwd, "--lock-order-strict")[0] == 66
    assert run(cwd, "-m", "ftthreading", "--lock-order-strict", "app.py")[0] == 66


def test_suppressions(bank: Bank) -> None:
    cwd = bank("main()")
    (cwd / "known").write_text("# known since 2019\napp.py:10\n")
    assert watch(cwd, "--lock-order-suppressions=known") == (0, "done\n", "")
    (cwd / "known").write_text("app.py:11\n")
    assert watch(cwd, "--lock-order-suppressions=known")[0] == 66


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--lock-order=yes", "--lock-order takes no value"),
        ("--lock-order-suppressions", "--lock-order-suppressions needs a value"),
        ("--lock-order-suppressions=none", "can't read the suppressions 'none': No such file"),
    ],
)
def test_usage_errors(bank: Bank, option: str, message: str) -> None:
    code, out, err = watch(bank("main()"), option)
    assert (code, out) == (2, "")
    assert message in err
    assert "usage: python" in err


def test_help_tells_of_it(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "-m", "ftthreading", "--help")
    assert (code, err) == (0, "")
    assert "--lock-order " in out
    assert "--lock-order-suppressions=FILE" in out
    assert "66" in out


def test_a_program_that_deadlocks_has_told_why(bank: Bank) -> None:
    """The report comes before the wait: here of a thread for itself."""
    cwd = bank(
        """
import os, time
os.dup2(os.open("told", os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)
lock = threading.Lock()
def end():
    while not open("told").read().endswith("=\\n"):
        time.sleep(0.01)
    os._exit(7)
def outer():
    with lock:
        threading.Thread(target=end).start()
        inner()
def inner():
    with lock:
        pass
outer()
"""
    )
    code, _, _ = watch(cwd)
    assert code == 7
    err = (cwd / "told").read_text()
    assert "ftthreading: deadlock of one thread with itself\n" in err
    assert 'Thread "MainThread" wants a Lock that it holds already' in " ".join(err.split())
    assert "in outer:  with lock:" in err
    assert "in inner:  with lock:" in err
