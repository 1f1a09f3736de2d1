"""The self-test's bookkeeping: what counts as a kill, what is missing, what the verdict says."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import threading
from typing import Self

import pytest

from stress.mutation import cells
from stress.mutation.matrix import DIRECTED, GOLDEN, Cell, Kill, Matrix, Record, oracle_of
from stress.mutation.schedule import batches, scenarios
from stress.mutation.selftest import Selftest
from stress.processes.heartbeat import Heartbeat
from stress.records.batch import Batch, BatchResult
from stress.records.findings import Finding
from stress.targets.mutants.mutant import Mutant
from stress.targets.mutants.planting import mutants
from toolkit.exits import Exit

BOTH = ["lock_double_grant", "event_wakes_one"]


def kill(oracle: str, scenario: str = "lock_torture", ops: int = 10) -> Kill:
    return Kill(scenario, oracle, "it was seen", ops, 0.5, ("lines",))


def cell(target: str, seed: int, *kills: Kill) -> Cell:
    tried = dict.fromkeys([one.scenario for one in kills] or ["lock_torture"], 1)
    return Cell(target, seed, cells.hash_of_bug(target), "x", 9.0, 1.0, 50, tried, list(kills))


def a_test(path: pathlib.Path, names: list[str], seeds: int, golden: float = 0) -> Selftest:
    chosen = [mutants()[name] for name in names]
    record = Record(path / "record.jsonl")
    return Selftest(chosen, seeds, 9.0, golden, record, focused=True)


def verdict(test: Selftest) -> Exit:
    return test.report((1, 1))[1]


def test_a_mutant_has_to_be_seen_by_two_oracles_on_19_of_20_seeds(tmp_path: pathlib.Path) -> None:
    test = a_test(tmp_path, BOTH[:1], 20)
    two = kill("exclusion"), kill("linearizability", "linear_lock", 30)
    for seed in range(18):
        test.record.add(cell(BOTH[0], seed, *two))
    assert verdict(test) is Exit.TOO_LITTLE  # two seeds are not done yet
    test.record.add(cell(BOTH[0], 18, *two))
    test.record.add(cell(BOTH[0], 19))
    text, exit_code = test.report((1, 1))
    assert exit_code is Exit.NOTHING_FOUND, text
    assert test.matrix().scores[BOTH[0]].median_ops == 10
    # The same oracle in two scenarios is one oracle.
    test.record.add(cell(BOTH[0], 18, kill("exclusion"), kill("exclusion", "linear_lock")))
    text, exit_code = test.report((1, 1))
    assert exit_code is Exit.FOUND
    assert f"weak: {BOTH[0]}" in text
    assert f"selftest --only {BOTH[0]} --seeds 20" in text


def test_a_reason_for_one_oracle_counts_until_a_second_one_refutes_it() -> None:
    plain = mutants()[BOTH[0]]
    alone = dataclasses.replace(plain, alone="nobody else looks there")
    once = [cell(BOTH[0], seed, kill("exclusion")) for seed in range(2)]

    def lacks(mutant: Mutant, cells: list[Cell]) -> bool:
        return bool(Matrix([mutant], cells).weak())

    assert lacks(plain, once)
    assert not lacks(alone, once)
    assert lacks(alone, [once[0], cell(BOTH[0], 1, kill("sum"))])
    assert lacks(alone, [once[0], cell(BOTH[0], 1)])


def test_every_reason_is_a_sentence_and_few_mutants_have_one() -> None:
    reasons = [mutant.alone for mutant in mutants().values() if mutant.alone]
    assert len(reasons) <= len(mutants()) / 5
    assert all(len(reason.split()) > 8 for reason in reasons)


def test_a_scenario_that_has_killed_nobody_is_named(tmp_path: pathlib.Path) -> None:
    test = a_test(tmp_path, list(mutants()), 1)
    for name, mutant in mutants().items():
        last = () if mutant.alone else (kill("sum", "linear_lock"),)
        test.record.add(cell(name, 0, kill("exclusion"), *last))
    assert verdict(test) is Exit.NOTHING_FOUND
    idle = cell("queue_overtakes", DIRECTED)
    idle.tried = {"queue_shutdown": 1}
    test.record.add(idle)
    text, exit_code = test.report((1, 1))
    assert exit_code is Exit.FOUND
    assert "the scenario queue_shutdown has killed no mutant" in text
    test.record.add(cell("queue_loses_item", DIRECTED, kill("no loss", "queue_shutdown")))
    assert verdict(test) is Exit.NOTHING_FOUND
    assert test.matrix().scores["queue_loses_item"].killed == 1  # as before: that was no seed


def test_a_false_alarm_and_a_broken_harness_are_not_forgiven(tmp_path: pathlib.Path) -> None:
    test = a_test(tmp_path, BOTH[:1], 1, golden=1)
    test.record.add(cell(BOTH[0], 0, kill("exclusion"), kill("sum")))
    assert verdict(test) is Exit.TOO_LITTLE
    test.record.add(cell(GOLDEN, 0))
    assert verdict(test) is Exit.NOTHING_FOUND
    test.record.add(cell(GOLDEN, 0, kill("exclusion")))
    assert verdict(test) is Exit.FOUND
    broken = cell(GOLDEN, 0)
    broken.error = "Traceback"
    test.record.add(broken)
    assert verdict(test) is Exit.BROKEN
    assert test.missing() == [(GOLDEN, 0)]


def test_a_record_is_gone_on_with_and_an_older_bug_is_tried_again(tmp_path: pathlib.Path) -> None:
    test = a_test(tmp_path, BOTH, 3, golden=1)
    parts = [test.wanted((k, 4)) for k in range(1, 5)]
    assert sorted(itertools.chain(*parts)) == sorted(test.wanted())
    assert len(test.wanted()) == 9
    test.record.add(cell(BOTH[0], 1, kill("sum")))
    with test.record.path.open("a") as file:
        file.write('{"target": "event_wak')  # killed in the midst of a line
    assert (BOTH[0], 1) not in test.missing()
    assert len(test.missing()) == 8
    assert test.known() == [cell(BOTH[0], 1, kill("sum"))]
    old = dataclasses.replace(cell(BOTH[1], 1, kill("sum")), bug="another")
    test.record.path.unlink()
    test.record.add(old)
    assert (BOTH[1], 1) in test.missing()


def test_what_is_run_depends_on_the_seed_and_not_on_the_bug() -> None:
    names = list(scenarios())

    def some(target: str, seed: int) -> list[Batch]:
        return list(itertools.islice(batches(target, names, seed), 3 * len(names)))

    first = some(BOTH[0], 0)
    assert first == some(BOTH[0], 0)
    assert first != some(BOTH[0], 1)
    for k in range(3):
        turn = first[k * len(names) : (k + 1) * len(names)]
        assert sorted(batch.scenario for batch in turn) == sorted(names)
        slow = [scenarios()[batch.scenario].slow for batch in turn]
        assert slow == sorted(slow)
    assert first[0].seconds < first[-1].seconds
    assert not any(name.startswith("control_") for name in names)


def test_only_the_first_finding_of_a_batch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch("lock_torture", "mutant:lock_double_grant", 1, 4)

    class FakeChildren:
        def __init__(self, folder: pathlib.Path) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def run(
            self, batch: Batch, folder: pathlib.Path, *, native: bool, limit: float
        ) -> BatchResult:
            after = {"hang": (60, 2.0, "progress"), "breach": (40, 1.0, "exclusion")}
            for kind, (ops, seconds, oracle) in after.items():
                found = Finding(batch, kind, oracle, "it was seen", 3, ops=ops, seconds=seconds)
                found.write(folder / "found")
            return BatchResult(batch, ops=70)

    monkeypatch.setattr(cells, "Children", FakeChildren)
    fresh = cells.new_cell(BOTH[0], 0, 9.0)
    assert cells.one(fresh, batch)
    assert cells.one(fresh, batch)
    assert [(one.oracle, one.ops) for one in fresh.kills] == [("exclusion", 40), ("exclusion", 110)]
    assert fresh.oracles == {"exclusion"}
    assert fresh.ops == 140


def test_what_an_oracle_is_called() -> None:
    batch = Batch("lock_torture", GOLDEN, 1, 4)
    names = {
        kind: oracle_of(Finding(batch, kind, "its own name", "", 0))
        for kind in ("breach", "hang", "outcome", "exception")
    }
    assert names == {
        "breach": "its own name",
        "hang": "progress",
        "outcome": "outcome",
        "exception": "exception",
    }


def test_no_thread_of_a_nemesis_is_forgotten(tmp_path: pathlib.Path) -> None:
    heartbeat = Heartbeat(tmp_path / "heartbeat")
    together = threading.Barrier(8)

    def add(k: int) -> None:
        together.wait()
        for i in range(50):
            heartbeat.add_extra(1 + 50 * k + i)

    threads = [threading.Thread(target=add, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heartbeat.extras() == set(range(1, 401))


def test_a_scenario_that_has_killed_nobody_is_run_until_it_does(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = a_test(tmp_path, ["lock_double_grant", "queue_loses_item", "queue_overtakes"], 1)
    victims = {"queue_overtakes"}

    def one(into: Cell, batch: Batch) -> bool:
        into.spent += 1 + batch.seconds
        into.tried[batch.scenario] = 1
        if into.target in victims:
            into.kills.append(kill("order", batch.scenario))
        return bool(into.kills)

    monkeypatch.setattr(cells, "one", one)
    test.use("queue_shutdown")
    test.use("linear_lock")
    known = {(found.target, found.seed, bool(found.kills)) for found in test.known()}
    assert known == {
        ("queue_loses_item", DIRECTED, False),
        ("queue_overtakes", DIRECTED, True),
        ("lock_double_grant", DIRECTED, False),
    }
    assert test.matrix().idle() == ["linear_lock"]


def test_what_has_killed_is_run_again_but_a_hang_is_not(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = a_test(tmp_path, BOTH[:1], 1)
    ran: list[Batch] = []

    def one(into: Cell, batch: Batch) -> bool:
        ran.append(batch)
        into.spent += 1
        into.kills.append(kill(oracles[min(len(ran), len(oracles)) - 1], batch.scenario))
        return True

    monkeypatch.setattr(cells, "one", one)
    oracles = ["exclusion", "exclusion", "exception"]
    assert cells.cell_of(mutants()[BOTH[0]], 0, test.budget).oracles == {"exclusion", "exception"}
    assert len({batch.scenario for batch in ran}) == 1
    assert len({batch.seed for batch in ran}) == len(ran) == 3
    ran.clear()
    oracles = ["progress", "exclusion"]
    cells.cell_of(mutants()[BOTH[0]], 0, test.budget)
    assert len({batch.scenario for batch in ran}) == len(ran) == 2
    ran.clear()
    oracles = ["exclusion"]
    assert cells.cell_of(mutants()[BOTH[0]], 0, test.budget).spent == test.budget
    assert len(ran) == test.budget
