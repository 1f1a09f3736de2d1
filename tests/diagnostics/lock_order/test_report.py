"""What is said of an inversion, and what a suppression leaves out."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ftthreading import Lock, RLock
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.watching import (
    in_threads,
    nest,
    the_one,
    watch,
)

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")

HERE = os.path.basename(__file__)


def one(a: Any, b: Any) -> None:
    with a:
        with b:  # inner of one
            pass


def two(a: Any, b: Any) -> None:
    with b:
        with a:  # inner of two
            pass


def test_what_a_person_reads() -> None:
    def program() -> None:
        a = Lock()  # the first
        b = RLock()  # the second
        in_threads(lambda: one(a, b), lambda: two(a, b))

    out = io.StringIO()
    with lock_order(file=out) as order:
        program()
    text = out.getvalue()
    (found,) = order.inversions
    assert text == found.text
    lines = text.splitlines()
    assert lines[1] == "ftthreading: lock order inversion of 2 locks"
    assert "deadlock" in lines[2]
    where = rf"\S*{re.escape(HERE)}:\d+"
    for pattern in (
        rf"  [AB]  Lock made at {where}, in .*program:  a = Lock\(\)  # the first",
        rf"  [AB]  RLock made at {where}, in .*program:  b = RLock\(\)  # the second",
        r'Thread "number 0" held [AB] and wanted [AB]:',
        r'Thread "number 1" held [AB] and wanted [AB]:',
        rf"  took [AB] at +{where}, in one:  with a:",
        rf"  wanted [AB] at +{where}, in one:  with b:  # inner of one",
        rf"  took [AB] at +{where}, in two:  with b:",
        rf"  wanted [AB] at +{where}, in two:  with a:  # inner of two",
        rf" +from +{where}, in .*<lambda>:.*",
    ):
        assert any(re.fullmatch(pattern, line) for line in lines), pattern
    assert "number 0" in text
    # Whoever took A wanted B, and the reverse, with the letters of the list of locks.
    (first,) = re.findall(r"^  (.)  Lock made", text, re.MULTILINE)
    (second,) = re.findall(r"^  (.)  RLock made", text, re.MULTILINE)
    assert f'Thread "number 0" held {first} and wanted {second}:' in text
    assert f'Thread "number 1" held {second} and wanted {first}:' in text


def test_each_is_told_once() -> None:
    def program() -> None:
        for _ in range(3):
            a, b = Lock(), Lock()
            one(a, b)
            two(a, b)

    assert len(watch(program, program)) == 1


def test_standard_error_by_default(capfd: pytest.CaptureFixture[str]) -> None:
    a, b = Lock(), Lock()
    with lock_order() as order:
        in_threads(lambda: nest(a, b), lambda: nest(b, a))
    assert capfd.readouterr().err == order.inversions[0].text


def suppressed(*lines: str) -> bool:
    a, b = Lock(), Lock()
    return watch(lambda: one(a, b), lambda: two(a, b), suppressions=lines) == ()


def test_suppressions() -> None:
    a, b = Lock(), Lock()
    found = the_one(lambda: one(a, b), lambda: two(a, b))
    assert suppressed(found.suppression)
    assert suppressed("# a comment", "", f"{HERE}  # where it is")
    assert suppressed("one & two")
    assert suppressed("*.py & t?o")
    assert not suppressed("one & three")
    assert not suppressed("other.py", "on", f"{HERE}:1")
    assert not suppressed("")


def test_suppressions_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text("one & two\n")
    a, b = Lock(), Lock()
    assert watch(lambda: one(a, b), lambda: two(a, b), suppressions=path) == ()
    with pytest.raises(OSError):
        lock_order(suppressions=tmp_path / "none")
