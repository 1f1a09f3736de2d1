"""`python -m perf run`: what is measured is kept, what is wrong is refused, and a run can go on.

No number is looked at here but that it is there: windows are as short as they can be.
"""

import dataclasses
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ftthreading import _core
from perf.cases import catalogue, contended, latency
from perf.cli.commands.run import unfinished
from perf.instruments import bench
from perf.instruments.bench import Axes, Bench, Rejected
from perf.instruments.implementations import load
from perf.results import store
from perf.results.case import BYTE, SHARED, Case
from perf.results.measurement import Measurement, Round
from perf.runner.session import MeasurementPlan, Reader, Session, together
from tests.support import CHECKOUT, wait_until
from toolkit.child import Interrupts

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREAD_SANITIZER = "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS"))
SECONDS = 240.0

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
    def is_set(self): return True

class Barrier:
    def __init__(self, parties): pass
    def wait(self): return 0

def Semaphore(value=1): return Lock()
"""
MORTAL = """
import os
from threading import *

def Lock(): os._exit(7)
"""


SAYS = """
import threading

def say(what):
    with open(__file__ + ".said", "a") as file:
        print(what, file=file)

def Lock():
    say("Lock")
    return threading.Lock()
"""
SAYS_MORE = """
from contextlib import contextmanager
from says import say

@contextmanager
def more():
    say("begin")
    yield
    say("end")
"""


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "perf", "run", "--tier", "smoke", *options]


def run(*options: str, path: pathlib.Path = CHECKOUT) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*options),
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(path)])},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.once
def test_the_smoke_tier_measures_every_kind_on_both_sides(tmp_path: pathlib.Path) -> None:
    code, out, err = run("--output", str(tmp_path), "--json")
    assert code == 0, err
    said = json.loads(out)
    result = store.read(said["result"])
    assert [result.path] == store.find(tmp_path)
    sides = result.measurements
    assert set(sides) - {"native"} == {"threading", "ftthreading", "floor"}
    for side in ("threading", "ftthreading"):
        kinds = {measurement.case.kind for measurement in sides[side].values()}
        assert kinds >= {"uncontended", "thread", "memory", "queue", "program"}
    # What a busy machine may have rejected is missing on no other ground.
    planned = [
        case.id for case in catalogue.of_tier("smoke", Axes.of(int(result.metadata["ftt_cpus"])))
    ]
    missing = {name for name in planned if name not in sides["ftthreading"]}
    assert all(name in said["verdict"] for name in missing)
    assert "all results right" in said["verdict"]
    for name, measurement in sides["ftthreading"].items():
        (one,) = measurement.rounds
        assert one.metadata["ftt_gil_before"] == result.metadata["ftt_gil_before"], name
        assert min(one.values) > 0
        if measurement.case.kind == "contended":
            assert one.metrics["ftt_overlap"] >= bench.ENOUGH_OVERLAP
            assert 0 < one.metrics["ftt_jain"] <= 1
        if measurement.case.kind == "latency":
            order = [one.metrics[f"ftt_{name}"] for name in ("p50", "p99", "p999", "max")]
            assert order == sorted(order)


WRONG_CASES = [
    ("lock.with T* S2ms attribute", "counter totals", True),
    ("semaphore.with T* S2ms attribute", "counter totals", True),
    ("event.wait T* S100us attribute", "wait() of a set event returned false", False),
    ("barrier.wait T2 S100us attribute", "barrier", False),
    ("event.is_set T2 S0*", "is_set() of an event that is not set returned true", False),
    ("lock.handoff", "wrong after", False),
    ("barrier.rounds", "wrong after", False),
    ("lock.latency_closed T2 S100us shared", "counter totals", True),
]


@pytest.mark.once
@pytest.mark.parametrize(("case", "says", "needs_threads"), WRONG_CASES)
def test_a_wrong_primitive_is_refused(
    case: str, says: str, needs_threads: bool, tmp_path: pathlib.Path
) -> None:
    if needs_threads and not FREE_THREADED:
        pytest.skip("the GIL keeps a C function from being interrupted")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    options = ["--impl", "wrong", "--only", case, "--output", str(tmp_path / "out")]
    # A window in which threads happened to take turns proves nothing.
    for _ in range(10 if needs_threads else 1):
        code, _, err = run(*options, path=tmp_path)
        if code != 0:
            break
    assert code == 1, err
    assert "VERDICT: FAILED: wrong, " in err
    assert says in err
    assert "to see it again: cd " in err
    assert "--impl wrong --only" in err


@pytest.mark.once
def test_a_worker_that_dies_is_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mortal.py").write_text(MORTAL, encoding="utf-8")
    options = ["--impl", "mortal", "--only", "lock.bytes", "--output", str(tmp_path / "out")]
    code, _, err = run(*options, path=tmp_path)
    assert code == 1
    assert "VERDICT: FAILED: the worker process: exit code 7" in err
    assert "--only lock.bytes" in err


@pytest.mark.once
def test_what_is_on_while_it_is_measured(tmp_path: pathlib.Path) -> None:
    (profiled,) = load("ftthreading+profile")
    assert profiled.make("Lock").acquire()
    assert _core._profile_read() is None
    with profiled.measured():
        assert _core._profile_read() is not None
    with pytest.raises(ImportError, match="has no no_such"):
        load("ftthreading+no_such")
    (tmp_path / "says").mkdir()
    (tmp_path / "says" / "__init__.py").write_text(SAYS, encoding="utf-8")
    (tmp_path / "says" / "diagnostics.py").write_text(SAYS_MORE, encoding="utf-8")
    options = ["--only", "lock.bytes", "--output", str(tmp_path / "out"), "--rounds", "2"]
    code, _, err = run("--impl", "says+more,threading", *options, path=tmp_path)
    assert code == 0, err
    said = (tmp_path / "says" / "__init__.py.said").read_text().split()
    assert [word for word, _ in itertools.groupby(said)] == ["begin", "Lock", "end"] * 2


class Countdown(list[bool]):
    """A flag that is true for so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__([True])
        self._left = iter(range(looks))

    def __getitem__(self, _index: Any) -> bool:  # type: ignore[override]
        return next(self._left, None) is not None


class OneAfterTheOther:
    """A team whose threads never run at the same time."""

    size = 2

    def start(self, jobs: Sequence[Callable[[list[bool]], Any]]) -> None:
        self._jobs = jobs

    def stop(self) -> None:
        pass

    def finish(self, _timeout: float) -> list[Any]:
        return [job(Countdown(3)) for job in self._jobs]


@pytest.mark.parametrize("measure", [contended.measure, latency.measure])
def test_threads_that_do_not_overlap_are_rejected(
    measure: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Bench(0.001, 0.001)
    monkeypatch.setattr(alone, "team", lambda _size: OneAfterTheOther())
    (side,) = load("threading")
    operation = "with" if measure is contended.measure else latency.CLOSED
    case = Case("lock", operation, "any", 2, 1000, "attribute")
    with pytest.raises(Rejected, match="5 windows rejected"):
        measure(alone, case, side)


@pytest.mark.once
def test_a_rejected_window_is_tried_again_for_longer_and_counted() -> None:
    asked: list[float] = []
    shares = itertools.chain([0.5, 0.89], itertools.repeat(0.9))

    def attempt(seconds: float) -> tuple[float, str]:
        asked.append(seconds)
        return next(shares), f"window {len(asked)}"

    assert bench.overlapping(0.1, attempt) == ("window 3", 2)
    assert asked == [0.1, 0.2, 0.4]
    assert bench.overlap([0.0, 1.0], [9.0, 10.0]) == pytest.approx(0.8)
    assert bench.overlap([0.0, 2.0], [1.0, 3.0]) == 0


PLAN = MeasurementPlan("smoke", ("threading", "ftthreading"), 2, ("lock.bytes", "rlock.bytes"))


@pytest.mark.once
def test_what_a_worker_rejects_is_counted_and_not_kept(tmp_path: pathlib.Path) -> None:
    session = Session(PLAN, tmp_path / "none", 1.0, Interrupts())
    jobs = list(PLAN.jobs(0))
    text = "".join(
        f"{json.dumps(line)}\n"
        for line in (
            {"metadata": {"ftt_cpus": 2}},
            {"begin": 0},
            {"index": 0, "rejected": "no overlap"},
            {"begin": 1},
            {"index": 1, "values": [2.0], "metrics": {}, "notes": {}, "unit": "byte"},
        )
    )
    reader = Reader(session, 0, jobs)
    for letter in text:
        reader.take(letter)
    assert session.rejected == {jobs[0]: ["no overlap"]}
    (kept,) = session.parts
    assert (kept.case, kept.impl) == jobs[1]
    assert kept.rounds[0].metadata["ftt_cpus"] == 2
    assert session.done == 1


@pytest.mark.once
def test_sides_are_measured_by_turns() -> None:
    orders = ["".join(side[0] for case, side in PLAN.jobs(number)) for number in (0, 1)]
    assert orders == ["tftf", "ftft"]
    assert MeasurementPlan.of(PLAN.text()) == PLAN


@pytest.mark.once
def test_a_run_goes_on_where_it_ended(tmp_path: pathlib.Path) -> None:
    options = [word for pattern in PLAN.only for word in ("--only", pattern)]
    code, out, err = run(*options, "--rounds", "2", "--output", str(tmp_path), "--json")
    assert code == 0, err
    path = pathlib.Path(json.loads(out)["result"])
    parts = [each for side in store.read(path).measurements.values() for each in side.values()]
    assert {(len(each.rounds), each.unit) for each in parts} == {(2, BYTE)}
    marked = dataclasses.replace(parts[0].rounds[0], values=(12345,))
    kept = [dataclasses.replace(parts[0], rounds=(marked,)), *parts[1:]]
    store.write(path, kept)  # the second round of one case is lost, the first is told by its value

    resume = [sys.executable, "-m", "perf", "run", "--resume", str(path), "--json"]
    done = subprocess.run(
        resume, cwd=CHECKOUT, check=False, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["measured"] == 8
    again = store.read(path).measurements[parts[0].impl][parts[0].case.id]
    assert [each.number for each in again.rounds] == [0, 1]
    assert [each.values for each in again.rounds] == [(12345,), parts[0].rounds[1].values]

    other = path.rename(path.with_name("20260101T000000-ffffffffffff"))
    done = subprocess.run(
        [*resume[:-2], str(other)],
        cwd=CHECKOUT,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert "of another commit" in done.stderr


@pytest.mark.once
def test_only_what_is_not_whole_is_gone_on_with(tmp_path: pathlib.Path) -> None:
    def written(name: str, rounds: int, plan: MeasurementPlan = PLAN) -> pathlib.Path:
        each = tuple(Round(n, (1,), {}, {"ftt_plan": plan.text()}) for n in range(rounds))
        parts = [Measurement(case, side, each, BYTE) for case, side in plan.jobs(0)]
        path = tmp_path / "machine" / "3.13t" / name
        store.write(path, parts)
        return path

    assert PLAN.total() == 8
    assert unfinished(written("20260101T000000-000000000001", 1), PLAN)
    assert not unfinished(written("20260101T000000-000000000002", 2), PLAN)
    assert not unfinished(written("20260101T000000-000000000003-dirty", 1), PLAN)
    other = dataclasses.replace(PLAN, pin=False)
    assert not unfinished(written("20260101T000000-000000000004", 1, other), PLAN)
    assert not unfinished(tmp_path, PLAN)


@pytest.mark.once
def test_no_time_and_no_such_case(tmp_path: pathlib.Path) -> None:
    where = ["--output", str(tmp_path)]
    code, out, _ = run("--only", "lock.bytes", "--budget", "0", *where)
    assert code == 3
    assert "VERDICT: the time was over before anything was measured: 0 of 2 measured" in out
    assert store.find(tmp_path) == []
    code, _, err = run("--only", "latch", *where)
    assert code == 2
    assert "--only latch: no such case" in err


@pytest.mark.once
@pytest.mark.skipif(not pathlib.Path("/proc").exists(), reason="looks at its processes in /proc")
def test_an_interrupted_run_leaves_nothing_but_its_result(tmp_path: pathlib.Path) -> None:
    folder, out = tmp_path / "tmp", tmp_path / "out"
    folder.mkdir()
    words = command("--only", "contended", "--rounds", "1000", "--output", str(out))
    process = subprocess.Popen(
        words,
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )

    def measured() -> bool:
        return any(b'"values"' in file.read_bytes() for file in folder.glob("perf-*/0.out"))

    wait_until(measured, SECONDS, "something is measured")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGINT
    assert "interrupted by SIGINT; to go on: python -m perf run --resume " in err
    (path,) = store.find(out)
    assert store.read(path).measurements
    assert list(folder.iterdir()) == []


@pytest.mark.once
def test_percentiles_of_waits() -> None:
    counts = [(1e-8, 90), (1e-6, 9), (1e-3, 1)]
    shares = (0.5, 0.9, 0.95, 0.99, 0.999)
    assert [latency.percentile(counts, share) for share in shares] == [1e-8, 1e-8, 1e-6, 1e-6, 1e-3]


@pytest.mark.once
def test_tiers_and_patterns() -> None:
    axes = Axes.of(12)
    assert axes.threads == (1, 2, 4, 8, 12, 16, 24)
    assert Axes.of(2).threads == (1, 2, 4)
    names = [case.id for case in catalogue.every(axes)]
    assert len(names) == len(set(names))
    for tier in catalogue.TIERS:
        assert {case.id for case in catalogue.of_tier(tier, axes)} <= set(names)

    def found(pattern: str) -> list[str]:
        return [case.id for case in catalogue.named([pattern], catalogue.every(axes))]

    assert found("lock.with T1") == ["lock.with T1"]
    assert found("program") == [
        f"program.{name}" for name in ("pipeline", "executor", "logs", "pool")
    ]
    assert {name.split(" ")[0] for name in found("lock.with")} == {"lock.with"}
    for pattern in ("lock.with T2 S0 *", "lock.handoff T2 *", "event.is_set T2 S0 *"):
        kept = {name.split(" ")[-1] for name in found(pattern)}
        assert kept >= set(SHARED), pattern
        smoke = {case.id for case in catalogue.of_tier("smoke", axes)}
        assert set(found(pattern)) <= smoke, pattern
    assert found("lock.with T24*container")[0] == "lock.with T24 S0 container"


@pytest.mark.once
def test_threads_are_measured_in_a_process_for_each_side() -> None:
    """Importing ftthreading mends `threading.Thread`, which would then be compared with itself."""
    plan = dataclasses.replace(PLAN, only=("lock.with T1", "thread.start T1"))
    groups = together(plan.jobs(0))
    assert [job for group in groups for job in group] != []
    for group in groups:
        kinds = {case.kind for case, _ in group}
        assert kinds == {"uncontended"} or len({side for _, side in group}) == 1
    assert len(groups) == 1 + len(plan.impls) + 1  # the others, each side, the floor
