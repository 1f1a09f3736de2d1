"""ci/cpython-tests: it tells what differs, and does not start with sides that do not."""

import dataclasses
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ci import cpython_tests
from ci.comparing import EXIT, File, alike, differing
from ci.cpython_tests import KNOWN, files_of
from ci.sides import Side, sides

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts interpreters, and replaces a module's names"),
    pytest.mark.skipif(
        importlib.util.find_spec("test") is None
        or importlib.util.find_spec("test.test_sched") is None,
        reason="this interpreter came without its regression tests",
    ),
]

BROKEN = """
import runpy, sched, sys
sched.scheduler.empty = lambda *_: False
del sys.argv[1:3]
runpy.run_module("test", run_name="__main__", alter_sys=True)
"""


def file(**outcomes: str) -> File:
    made = File()
    for name, ends in outcomes.items():
        for end in ends.split("/"):
            made.add(EXIT if name == "code" else name, end)
    return made


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ({"a": "passed", "code": "0"}, {"a": "passed", "code": "0"}, []),
        ({"a": "failure", "code": "2"}, {"a": "failure", "code": "2"}, []),
        ({"a": "passed", "code": "0"}, {"a": "failure", "code": "2"}, ["a", EXIT]),
        ({"a": "passed", "code": "0"}, {"a": "skipped", "code": "0"}, ["a"]),
        ({"a": "passed", "b": "passed", "code": "0"}, {"a": "passed", "code": "0"}, ["b"]),
        ({"a": "passed", "code": "0"}, {"a": "passed", "b": "passed", "code": "0"}, ["b"]),
        # Which of the two fails now and then matters.
        ({"a": "failure/passed", "code": "0/2"}, {"a": "passed/failure", "code": "2/0"}, []),
        ({"a": "passed/failure", "code": "0/2"}, {"a": "passed", "code": "0"}, []),
        ({"a": "passed", "code": "0"}, {"a": "passed/failure", "code": "0/2"}, ["a", EXIT]),
        # All passed, and then it crashed, or threads were left behind.
        ({"a": "passed", "code": "0"}, {"a": "passed", "code": "3"}, [EXIT]),
        # No report at all: the tests are not worth a line each.
        ({"a": "passed", "b": "passed", "code": "0"}, {"code": "-11"}, [EXIT]),
        ({"code": "-11"}, {"a": "passed", "b": "passed", "code": "0"}, [EXIT]),
        # A test that may differ, and the exit code that comes of it; not that of others.
        ({"known": "passed", "code": "0"}, {"known": "failure", "code": "2"}, []),
        (
            {"known": "passed", "a": "passed", "code": "0"},
            {"known": "failure", "a": "error", "code": "2"},
            ["a", EXIT],
        ),
    ],
)
def test_what_differs(
    theirs: dict[str, str],
    ours: dict[str, str],
    expected: list[str],
) -> None:
    assert differing(file(**theirs), file(**ours), {"known"}) == expected


def test_our_side_may_be_better_but_not_missing() -> None:
    assert alike({"failure"}, {"passed"})
    assert alike({"failure", "hung"}, {"failure", "passed"})
    assert not alike({"failure"}, {"hung", "passed"})
    assert not alike({"failure"}, {"error"})
    assert not alike({"not run"}, {"passed"})
    assert not alike({"passed"}, {"not run"})


def test_tests_that_may_differ_are_few_and_exist() -> None:
    assert len(KNOWN) <= 5
    files = {name.rsplit(".", 2)[0].removeprefix("test.") for name in KNOWN}
    done = subprocess.run(
        [sys.executable, "-m", "test", "--list-cases", *files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not KNOWN.keys() - {*done.stdout.splitlines()}, done.stderr


def test_files_of_a_name() -> None:
    assert files_of("test_sched") == ["test_sched"]
    assert "test_asyncio.test_locks" in files_of("test_asyncio")
    assert files_of("test_asyncio.test_locks") == ["test_asyncio.test_locks"]
    for wrong in ("test_nothing", "support", "test_sched.test_x", "test_asyncio.utils"):
        assert files_of(wrong) == []


def test_an_unknown_test_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ci.cpython_tests", "3.13t", "test_sched", "test_nothing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ci/cpython-tests")
    assert done.stderr.endswith("has no such test: test_nothing\n")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, again: int = 0) -> int:
    monkeypatch.setattr(cpython_tests, "AGAIN", again)
    monkeypatch.setattr(sys, "argv", ["cpython_tests", *arguments])
    return cpython_tests.main()


def changed(change: Callable[[Side], Side]) -> Callable[..., Sequence[Side]]:
    """Like sides(), but for one thing on our side."""

    def made(folder: Path, *, startup: bool) -> Sequence[Side]:
        theirs, ours = sides(folder, startup=startup)
        return theirs, change(ours)

    return made


@pytest.mark.parametrize("options", [[], ["--startup"]], ids=["launched", "startup"])
def test_alike(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "3.13t", *options, "test_sched") == 0
    output = capfd.readouterr().out
    assert "passed: alike\nVERDICT:" in output
    assert output.endswith(" tests of 1 files, alike on both sides.\n")


def test_a_broken_side_is_told_with_the_command_that_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    broken = [sys.executable, str(tmp_path / "broken.py")]
    monkeypatch.setattr(
        cpython_tests,
        "sides",
        changed(lambda side: dataclasses.replace(side, command=broken, here=False)),
    )
    assert run(monkeypatch, "3.14t", "test_sched", again=1) == 1
    output, errors = capfd.readouterr()
    assert "[0/1] test_sched" in errors
    name = "test.test_sched.TestCase.test_empty"
    assert f"    {name}: passed under threading, failure under ftthreading\n" in output
    assert "AssertionError: False is not true" in output
    assert f"again: ci/cpython-tests 3.14t --only {name} test_sched\n" in output
    assert "exit code: 0 under threading, 2 under ftthreading" in output
    assert "VERDICT: FAILED: different in 1 of 1 files: test_sched\n" in errors


def test_sides_that_are_not_what_they_say_are_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    plain = changed(lambda side: dataclasses.replace(side, command=[sys.executable]))
    monkeypatch.setattr(cpython_tests, "sides", plain)
    assert run(monkeypatch, "3.13t", "test_sched") == 3
    output, errors = capfd.readouterr()
    assert "alike" not in output
    assert "VERDICT: FAILED: ftthreading is not in force" in errors


def test_no_test_at_all_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "3.13t", "--only", "nothing_is_named_so", "test_sched") == 3


def test_a_file_that_hangs_is_ended_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hanging = BROKEN.replace("lambda *_: False", "hang")
    hanging = hanging.replace("\nsched", "\ndef hang(_):\n    while True: pass\nsched")
    (tmp_path / "hanging.py").write_text(hanging)
    command = [sys.executable, str(tmp_path / "hanging.py")]
    monkeypatch.setattr(
        cpython_tests,
        "sides",
        changed(lambda side: dataclasses.replace(side, command=command, here=False)),
    )
    assert run(monkeypatch, "3.13t", "--limit", "5", "test_sched") == 1
    output = capfd.readouterr().out
    assert "exit code: 0 under threading, 1 under ftthreading" in output
    assert "Timeout (0:00:05)!" in output
    assert "in hang" in output


SUBTEST = """
import runpy, sched, sys, unittest
class More(unittest.TestCase):
    def test_more(self):
        with self.subTest("the second"):
            self.assertEqual(1, 2)
import test.test_sched
More.__module__, More.__qualname__ = "test.test_sched", "TestCase"
test.test_sched.More = More
del sys.argv[1:3]
runpy.run_module("test", run_name="__main__", alter_sys=True)
"""


def test_a_test_of_which_a_subtest_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """regrtest's report tells nothing of it but that some test has begun."""
    (tmp_path / "more.py").write_text(SUBTEST)
    command = [sys.executable, str(tmp_path / "more.py")]
    monkeypatch.setattr(
        cpython_tests,
        "sides",
        changed(lambda side: dataclasses.replace(side, command=command, here=False)),
    )
    assert run(monkeypatch, "3.13t", "test_sched") == 1
    output = capfd.readouterr().out
    name = "test.test_sched.TestCase.test_more"
    assert f"    {name}: not run under threading, failure under ftthreading\n" in output
    assert "AssertionError: 1 != 2" in output
