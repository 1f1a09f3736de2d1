"""`perf refcounts` counts references as they are taken; rounds alternate and are judged."""

import json
import math
import subprocess
import sys
import sysconfig
from typing import Any

import pytest

from tests.support import CHECKOUT

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREAD_SANITIZER = "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS"))
pytestmark = [
    pytest.mark.thread_unsafe(reason="starts processes that keep all CPUs busy"),
    pytest.mark.skipif(
        THREAD_SANITIZER, reason="times mean nothing here, and the checked counters race on purpose"
    ),
]


def run(module: str, *options: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "perf", module, *options],
        cwd=CHECKOUT,
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
    asleep = 1  # the sleeper's own
    new = found["ftthreading.Lock, new"]
    expected = {"c.lock.m()": 1, "with c.lock": 2, "items[0].m()": 1}
    assert new == {**new, **{path: taken + asleep for path, taken in expected.items()}}
    if sys.version_info >= (3, 14):
        deferred = found["probe, deferred"]
        assert deferred == {**dict.fromkeys(deferred, 0), "items[0].m()": 1}
        used = found["ftthreading.Lock, used 400 times by another thread"]
        assert used == {path: taken + asleep for path, taken in deferred.items()}
    else:
        assert "probe, deferred" not in found


def test_rounds_alternate_and_agree() -> None:
    from perf.analysis.rounds import Spread, alternate, jain, judge, ratios

    assert list(alternate("ab", 2)) == [(0, "a"), (0, "b"), (1, "b"), (1, "a")]
    assert judge(ratios([2.0] * 5, [1.0] * 5), 5) == "faster"
    assert judge(ratios([1.0] * 5, [2.0] * 5), 5) == "SLOWER"
    assert judge(ratios([1.0, 2.0] * 3, [2.0, 1.0] * 3), 6) == "no clear difference"
    assert judge(ratios([2.0], [1.0]), 1) == "too few rounds"
    assert math.isnan(ratios([1.0], [0.0]).median)
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert (jain([5, 5]), jain([5, 0])) == (1.0, 0.5)
