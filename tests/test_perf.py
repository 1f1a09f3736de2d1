"""The measuring commands: they run, give plain data, and notice a primitive that fails.

Windows are as short as they can be: no number is looked at here, only that each is there.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import sysconfig
from typing import Any

import pytest
from support import CHECKOUT

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREAD_SANITIZER = "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS"))
SIDES = {"threading", "ftthreading"}
C_SIDES = {"C, spinning", "C, in the kernel"}
HANDOFFS = ("Lock", "Semaphore", "Event", "Condition", "Barrier(2)", "Barrier(8)", "notify_all(16)")
PRIMITIVES = ("Lock", "RLock", "Condition", "Semaphore", "Event", "Barrier")

pytestmark = [
    pytest.mark.thread_unsafe(reason="starts processes that keep all CPUs busy"),
    pytest.mark.skipif(
        THREAD_SANITIZER, reason="times mean nothing here, and the checked counters race on purpose"
    ),
]

# Primitives that let everybody through.
WRONG = """
from threading import *
from perf.native import Floor as Lock

class Event:
    def set(self): pass
    def wait(self): return False

class Barrier:
    def __init__(self, parties): pass
    def wait(self): return 0

def Semaphore(value): return Lock()
"""


def run(module: str, *options: str, path: pathlib.Path = CHECKOUT) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", f"perf.{module}", *options],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(path)])},
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return done.returncode, done.stdout, done.stderr


def samples(module: str, *options: str) -> Any:
    code, out, err = run(module, *options, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert "CPython" in found["machine"]
    return found["samples"]


def test_uncontended_measures_every_case_against_the_floor() -> None:
    found = samples("uncontended", "--rounds", "1", "--window", "0.001")
    named = {name.partition(":")[0] for name in found}
    assert named == {"Lock", "RLock", "Semaphore", "BoundedSemaphore", "Event", "Condition"}
    statements = {"p.set(); p.clear()", "p.wait()", "p.is_set()"}
    assert {f"Event: {statement}" for statement in statements} <= set(found)
    assert "Condition: with p: p.notify()" in found
    for sides in found.values():
        assert set(sides) == SIDES | {"floor"}
        assert all(sample["seconds"] > 0 for (sample,) in sides.values())


def test_handoff_measures_every_case_and_the_c_floors() -> None:
    found = samples("handoff", "--rounds", "1", "--window", "0.01")
    assert tuple(found) == HANDOFFS
    for case, sides in found.items():
        two = not case.endswith(("(8)", "(16)"))
        assert set(sides) == SIDES | (C_SIDES if two else set())
        assert all(sample["seconds"] > 0 for (sample,) in sides.values())


def test_threads_measures_every_case() -> None:
    found = samples("threads", "--rounds", "1")
    asked = {"start()", "start() until it runs", "start() and join()", "100 at once"}
    assert asked | {"current_thread()", "get_native_id()", "get_ident()"} == set(found)
    for sides in found.values():
        assert set(sides) == SIDES | {"floor"}
        assert all(seconds > 0 for (seconds,) in sides.values())


def test_contended_measures_the_cells_asked_for() -> None:
    options = ["--rounds", "1", "--window", "0.02", "--threads", "1,3", "--sections", "0,1000"]
    found = samples("contended", *options)
    cells = [(cell["primitive"], cell["threads"], cell["section_ns"]) for cell in found]
    assert sorted(cells) == sorted(
        (primitive, threads, section)
        for primitive in PRIMITIVES
        for threads in (1, 3)
        for section in (0, 1000)
    )
    for cell in found:
        assert set(cell["samples"]) == SIDES
        assert all(sample["operations"] > 0 for (sample,) in cell["samples"].values())


def test_contended_ends_with_the_cells_that_are_worse() -> None:
    from perf.contended import Cell, Sample, worse

    good = Sample(1000, 1.0, 1.0, 0, 1.0, 1.0)
    slow = Sample(500, 1.0, 0.5, 0, 1.0, 1.0)
    dear = Sample(1000, 1.0, 1.2, 0, 1.0, 1.0)

    def lines(*own: Sample) -> list[str]:
        cell = Cell("Lock", 2, 0, {"base": [good] * len(own), "ours": list(own)})
        return worse(cell, "ours", "base")

    assert lines(good, good) == []
    assert lines(slow, good) == []
    assert ["ops/s" in line for line in lines(slow, slow)] == [True]
    assert lines(dear, good) == []
    assert ["the CPU" in line for line in lines(dear, dear)] == [True]


def test_a_part_can_be_chosen_and_a_wrong_name_is_refused() -> None:
    found = samples("handoff", "--rounds", "1", "--window", "0.01", "--cases", "Lock,Barrier(2)")
    assert tuple(found) == ("Lock", "Barrier(2)")
    for module, option in (
        ("handoff", "--cases"),
        ("contended", "--primitives"),
        ("uncontended", "--primitives"),
    ):
        code, _, err = run(module, option, "Latch")
        assert code == 2
        assert "no Latch; there are Lock" in err


@pytest.mark.parametrize(
    ("primitive", "says"),
    [
        pytest.param(
            "Lock",
            "counted",
            marks=pytest.mark.skipif(
                not FREE_THREADED, reason="the GIL keeps a C function from being interrupted"
            ),
        ),
        pytest.param(
            "Semaphore",
            "counted",
            marks=pytest.mark.skipif(
                not FREE_THREADED, reason="the GIL keeps a C function from being interrupted"
            ),
        ),
        ("Event", "returned false"),
        ("Barrier", "returned numbers"),
    ],
)
def test_contended_notices_a_wrong_primitive(
    primitive: str, says: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    # Long sections: even threads that only take turns are interrupted within one.
    options = ["--impl", "wrong", "--threads", "4", "--sections", "100000", "--rounds", "1"]
    code, out, err = run("contended", *options, "--primitives", primitive, path=tmp_path)
    assert code == 1
    assert "VERDICT: FAILED: wrong." in err
    assert says in err or (primitive == "Barrier" and "passed the barrier" in err)
    assert "VERDICT: counters right" not in out


@pytest.mark.parametrize("case", ["Lock", "Barrier(2)"])
def test_handoff_notices_a_wrong_primitive(case: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    options = ["--impl", "wrong", "--rounds", "1", "--window", "0.01", "--cases", case]
    code, _, err = run("handoff", *options, path=tmp_path)
    assert code == 1
    assert f"VERDICT: FAILED: wrong, {case}: wrong after" in err


def test_queues_compares_both_sides() -> None:
    found = samples("queues", "--rounds", "1", "--scale", "0.002")
    options = ["--alone", "", "--maxsize 100", "--maxsize 1"]
    assert list(found) == [f"queue_pair {option}".rstrip() for option in options]
    for sides in found.values():
        assert set(sides) == SIDES
        assert len({run["answer"] for runs in sides.values() for run in runs}) == 1


def test_refcounts_tells_shared_from_unshared() -> None:
    found = {row["name"]: row["taken"] for row in samples("refcounts")}
    if not FREE_THREADED:
        assert found == {}
        code, out, _ = run("refcounts")
        assert code == 0
        assert "a GIL build has one plain reference count" in out
        return
    # A list's item and an attribute of an object are counted everywhere, an immortal nowhere.
    assert found["probe, plain"]["c.lock.m()"] == 1
    assert found["probe, plain"]["with c.lock"] == 2
    assert found["probe, plain"]["items[0].m()"] == 1
    assert set(found["probe, immortal"].values()) == {0}
    new = found["ftthreading.Lock, new"]
    assert new == {**new, "c.lock.m()": 1, "with c.lock": 2, "items[0].m()": 1}
    if sys.version_info >= (3, 14):
        deferred = found["probe, deferred"]
        assert deferred == {**dict.fromkeys(deferred, 0), "items[0].m()": 1}
        used = found["ftthreading.Lock, used 400 times by another thread"]
        assert used == deferred
    else:
        assert "probe, deferred" not in found
        assert set(found["ftthreading.Lock, new, made at a module's top level"].values()) == {0}


def test_rounds_alternate_and_agree() -> None:
    from perf.rounds import Spread, alternate, jain, judge, ratios

    assert list(alternate("ab", 2)) == [(0, "a"), (0, "b"), (1, "b"), (1, "a")]
    assert judge(ratios([2.0] * 5, [1.0] * 5), 5) == "faster"
    assert judge(ratios([1.0] * 5, [2.0] * 5), 5) == "SLOWER"
    assert judge(ratios([1.0, 2.0] * 3, [2.0, 1.0] * 3), 6) == "no clear difference"
    assert judge(ratios([2.0], [1.0]), 1) == "too few rounds"
    assert math.isnan(ratios([1.0], [0.0]).median)
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert (jain([5, 5]), jain([5, 0])) == (1.0, 0.5)
