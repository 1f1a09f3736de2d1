"""perf/results/store.py: what was written is read back, by us and by pyperf itself."""

import datetime
import pathlib
import subprocess
import sys

import pytest

from perf.results import store
from perf.results.case import BYTE, SECOND, Case, section_name
from perf.results.measurement import Measurement, Round, merge, ratio
from perf.results.store import BadResult

pytestmark = pytest.mark.once

LOCK = Case("lock", "with", "contended", 4, 1000, "attribute")
BYTES = Case("lock", "bytes", "memory")
COMMIT = "0123456789ab"


def measurement(case: Case, impl: str, factor: float = 1.0, unit: str = SECOND) -> Measurement:
    rounds = tuple(
        Round(
            number,
            tuple(factor * (1.0 + 0.01 * number + 0.001 * value) for value in range(3)),
            {"ftt_cpu": 1.5 + number, "ftt_canary": 0.5},
            {"ftt_tier": "smoke", "load_avg_1min": 0.5 + number},
        )
        for number in range(4)
    )
    return Measurement(case, impl, rounds, unit)


def folder(root: pathlib.Path, when: str = "20260102T030405", end: str = "") -> pathlib.Path:
    return root / "machine" / "3.13t" / f"{when}-{COMMIT}{end}"


@pytest.fixture
def written(tmp_path: pathlib.Path) -> pathlib.Path:
    path = folder(tmp_path, end="-dirty")
    parts = [
        measurement(LOCK, "threading", 3.0),
        measurement(BYTES, "threading", 100, BYTE),
        measurement(LOCK, "ftthreading", 1.0),
        measurement(BYTES, "ftthreading", 50, BYTE),
    ]
    store.write(path, parts)
    return path


def test_a_result_is_read_as_it_was_written(written: pathlib.Path) -> None:
    found = store.read(written)
    assert (found.machine, found.tag, found.commit, found.dirty) == (
        "machine",
        "3.13t",
        COMMIT,
        True,
    )
    assert found.when == datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert found.name == f"{COMMIT}-dirty"
    assert set(found.measurements) == {"threading", "ftthreading"}
    own = found.measurements["ftthreading"]["lock.with T4 S1us attribute"]
    expected = measurement(LOCK, "ftthreading")
    assert (own.case, own.impl, own.unit) == (LOCK, "ftthreading", SECOND)
    assert [each.number for each in own.rounds] == [0, 1, 2, 3]
    assert own.values == pytest.approx(expected.values)
    assert own.medians == pytest.approx(expected.medians)
    assert own.metric("ftt_cpu") == 3.0
    assert own.metric("ftt_p99") is None
    assert own.rounds[2].metadata["load_avg_1min"] == 2.5
    assert found.metadata["ftt_tier"] == "smoke"
    assert "load_avg_1min" not in found.metadata
    base = found.measurements["threading"][LOCK.id]
    assert ratio(base, own) == pytest.approx(3.0)
    assert found.measurements["ftthreading"]["lock.bytes T1"].unit == BYTE


def test_names_of_cases() -> None:
    names = [section_name(ns) for ns in (0, 50, 1000, 10_000, 100_000, 2_000_000)]
    assert names == ["0", "50ns", "1us", "10us", "100us", "2ms"]
    assert Case("condition", "handoff", "handoff", 2).id == "condition.handoff T2"
    assert Case("lock", "with", "contended", 1, 0, "private").id == "lock.with T1 S0 private"
    for case in (LOCK, BYTES):
        assert Case.of(case.metadata()) == case


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "ftthreading.json.gz"), "Mean +- std dev: 1.02 sec +- 0.01 sec"),
        (("hist", "ftthreading.json.gz"), "lock.with T4 S1us attribute"),
        (("compare_to", "threading.json.gz", "ftthreading.json.gz"), "3.00x faster"),
    ],
)
def test_pyperf_reads_it(written: pathlib.Path, words: tuple[str, ...], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", *words],
        cwd=written,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout


def test_results_are_found_in_order_of_time(tmp_path: pathlib.Path) -> None:
    late, early = folder(tmp_path, "20260301T000000"), folder(tmp_path, "20260201T000000")
    for path in (late, early):
        store.write(path, [measurement(LOCK, "threading")])
    folder(tmp_path, "20260401T000000").mkdir()  # nothing in it
    assert store.find(tmp_path) == [early, late]
    assert store.find(tmp_path, tag="3.14t") == []
    assert store.find(tmp_path, commit="0123") == [early, late]
    assert store.find(tmp_path, commit="ff") == []


def test_what_is_no_result_is_refused(written: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadResult, match="no result"):
        store.read(tmp_path)
    (written / "threading.json.gz").write_bytes(b"nothing")
    with pytest.raises(BadResult, match=r"threading\.json\.gz"):
        store.read(written)


def test_later_rounds_join_the_earlier_ones() -> None:
    whole = measurement(LOCK, "threading")
    first = Measurement(LOCK, "threading", whole.rounds[2:])
    second = Measurement(LOCK, "threading", whole.rounds[:2])
    other = measurement(LOCK, "ftthreading")
    assert merge([first, other, second]) == [whole, other]
