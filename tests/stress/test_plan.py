"""What the harness decides and keeps: plans, fingerprints, files, verdicts; nothing runs here."""

from __future__ import annotations

import json
import pathlib
from collections import Counter

import pytest

from stress.api.scenario import Actor, OracleFailure
from stress.cli import commands
from stress.cli.compare import fisher
from stress.engine.catalogue import NoScenario, shipped
from stress.engine.journal import NoRun, find_finding, new_run, open_run
from stress.engine.plan import Options, Plan, chosen, thread_counts
from stress.engine.probe import unfit
from stress.engine.totals import Totals
from stress.processes import crashes
from stress.records import findings
from stress.records.batch import Batch, BatchResult, seed_of, write_atomically
from stress.records.findings import Finding
from stress.targets.mutants.planting import mutants, patched
from toolkit.exits import Exit

FIT = {"python_lines": True, "indivisible": True, "fails_allocations": True}
PYTHON = {"version": "3.13.5", "free_threaded": True, "gil": False, "cpus": 2, **FIT}
OPTIONS = Options(target="golden", budget=100, threads=(2, 4), seed=5)


def a_finding(seed: int = 1, oracle: str = "exclusion") -> Finding:
    return Finding(Batch("lock_torture", "golden", seed, 4), "breach", oracle, "two inside", 3)


def test_a_plan_is_the_same_for_the_same_seed_and_begins_with_every_scenario() -> None:
    one, other = Plan(OPTIONS), Plan(OPTIONS)
    first = [one.batch(k) for k in range(400)]
    assert first == [other.batch(k) for k in range(400)]
    assert {batch.scenario for batch in first[: one.first_pass]} == set(shipped())
    for batch in first[: one.first_pass]:
        assert set(batch.nemeses) <= shipped()[batch.scenario].tolerates | {"lines"}
    used = {nemesis for batch in first for nemesis in batch.nemeses}
    assert used == set(OPTIONS.nemeses)
    assert {batch.threads for batch in first} == {2, 4}
    assert len({batch.seed for batch in first}) == 400


def test_a_target_in_c_gets_no_breaks_between_its_lines() -> None:
    plan = Plan(OPTIONS, unfit({**FIT, "python_lines": False}))
    assert not any("lines" in plan.batch(k).nemeses for k in range(400))


def test_shards_share_all_batches_among_them() -> None:
    plans = [Plan(Options(**{**OPTIONS.to_json(), "shard": (k, 3)})) for k in (1, 2, 3)]
    owners = [sum(plan.mine(number) for plan in plans) for number in range(30)]
    assert owners == [1] * 30


def test_time_goes_where_something_is_new() -> None:
    plan = Plan(OPTIONS)
    name = plan.batch(0).scenario
    before = plan.batch(0).seconds
    for _ in range(4):
        plan.learn(name, new=False)
    assert plan.batch(0).seconds < before
    for _ in range(9):
        plan.learn(name, new=True)
    assert plan.batch(0).seconds > before


def test_options_survive_being_written() -> None:
    assert Options.from_json(json.loads(json.dumps(OPTIONS.to_json()))) == OPTIONS


def test_thread_counts_and_budgets_are_read() -> None:
    assert thread_counts("3,7,3") == (3, 7)
    assert thread_counts("2x")[0] == 2 * thread_counts("cores")[0]
    for wrong in ("0", "9999", "many"):
        with pytest.raises(ValueError):
            thread_counts(wrong)
    assert [commands.seconds(text) for text in ("90", "90s", "15m", "8h")] == [90, 90, 900, 28800]
    for wrong in ("", "h", "-5s", "soon"):
        with pytest.raises(commands.Usage):
            commands.seconds(wrong)
    with pytest.raises(commands.Usage):
        commands.shard_of("3/2")


def test_scenarios_are_chosen_by_name_or_subject() -> None:
    assert set(chosen("event_publishes", ())) == {"event_publishes"}
    assert "barrier_breaks" in chosen("Barrier", ())
    with pytest.raises(NoScenario):
        chosen("latch", ())


def test_every_scenario_explains_itself_and_has_actors() -> None:
    assert len(shipped()) >= 12
    for name, cls in shipped().items():
        assert cls.summary().endswith("."), name
        assert cls.cast(8), name
        assert sum(main for _, main in cls.cast(8)) <= 1, name
    subjects = {word for cls in shipped().values() for word in cls.subjects.split()}
    assert {mutant.primitive for mutant in mutants().values()} <= subjects


def test_a_fingerprint_is_of_the_failure_not_of_the_seed() -> None:
    assert a_finding(1).fingerprint == a_finding(2).fingerprint
    assert a_finding(1).fingerprint != a_finding(1, "sum").fingerprint
    assert seed_of(1, "a") == seed_of(1, "a") != seed_of(1, "b")


def test_what_is_known_is_declared_by_scenario_and_oracle(tmp_path: pathlib.Path) -> None:
    one = a_finding()
    for line in (one.fingerprint, "lock_torture:  exclusion  # why", "lock_torture: *"):
        (tmp_path / "known").write_text(f"\n# a word\n{line}\n")
        assert one.is_in(commands.known_in(str(tmp_path / "known"))), line
    (tmp_path / "known").write_text("lock_torture: sum\nrlock_recursion: *\n")
    assert not one.is_in(commands.known_in(str(tmp_path / "known")))
    assert {line.partition(":")[0] for line in commands.known_in("cpython")} <= set(shipped())


def test_a_fault_of_the_interpreters_executors_is_known(tmp_path: pathlib.Path) -> None:
    batch = Batch("futures_wait_for_cancelled", "golden", 1, 4)
    finding = Finding(batch, "breach", "cancelled in wait", "none", 3)
    run = new_run(tmp_path, OPTIONS, {**PYTHON, "names": ["Lock"]})
    assert run.knows(finding)
    assert not run.knows(a_finding())
    run = new_run(tmp_path, OPTIONS, {**PYTHON, "names": ["Lock", "ThreadPoolExecutor"]})
    assert not run.knows(finding)


def test_findings_are_kept_once_and_survive_a_killed_harness(tmp_path: pathlib.Path) -> None:
    run = new_run(tmp_path, OPTIONS, PYTHON)
    # As a child leaves it whose supervisor is killed now, or still alive:
    a_finding().write(run.work(7) / "found")
    (run.folder / "batches.jsonl").write_text('{"batch": torn', encoding="utf-8")
    run.begin()
    assert open_run(tmp_path, run.name).findings() == []
    assert run.work(7).exists()
    run.info["harness"][1] -= 1  # another process, that had the same number
    write_atomically(run.folder / "run.json", run.info)
    again = open_run(tmp_path, run.name)
    assert [one.fingerprint for one in again.findings()] == [a_finding().fingerprint]
    assert not run.work(7).exists()
    assert again.results() == []
    assert find_finding(tmp_path, a_finding().fingerprint) == a_finding()
    assert a_finding(seed=9).write(run.folder / "findings") == a_finding().write(
        run.folder / "findings"
    )
    assert findings.read_all(run.folder / "findings") == [a_finding()]
    with pytest.raises(NoRun):
        find_finding(tmp_path, "lock_torture-000000")


def test_a_run_of_an_earlier_version_can_be_read(tmp_path: pathlib.Path) -> None:
    run = new_run(tmp_path, OPTIONS, PYTHON)
    run.finish({"lacking": {"lock_torture": ["contended"]}, "scenarios": {"a": {"lacks": []}}})
    assert open_run(tmp_path, run.name).info["summary"] == {
        "missing": {"lock_torture": ["contended"]},
        "scenarios": {"a": {"missing": []}},
    }
    kept = a_finding().write(run.folder / "findings")
    kept.write_text(kept.read_text().replace('"message"', '"says"'))
    assert open_run(tmp_path, run.name).findings() == [a_finding()]


def test_a_result_survives_being_written(tmp_path: pathlib.Path) -> None:
    result = BatchResult(Batch("lock_torture", "golden", 1, 4, ("gc",)), outcomes=Counter(done=3))
    result.pairs = [("with", "try")]
    write_atomically(tmp_path / "r.json", result.to_json())
    assert BatchResult.from_json(json.loads((tmp_path / "r.json").read_text())) == result
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_the_verdict_is_never_kinder_than_what_was_done() -> None:
    cls = shipped()["lock_timeout_versus_release"]
    totals = Totals({"lock_timeout_versus_release": cls})
    assert totals.verdict([], []) is Exit.TOO_LITTLE
    result = BatchResult(Batch("lock_timeout_versus_release", "golden", 1, 4), rounds=99, ops=500)
    result.outcomes["in time"] = 99
    assert totals.add(result)
    assert totals.missing() == {"lock_timeout_versus_release": ["too late"]}
    result.outcomes["too late"] = 1
    totals.add(result)
    assert totals.verdict([], []) is Exit.NOTHING_FOUND
    assert totals.verdict([], ["the GIL is on"]) is Exit.TOO_LITTLE
    assert not totals.add(result)
    result.error = "Traceback"
    totals.add(result)
    assert totals.verdict([], []) is Exit.BROKEN
    assert totals.verdict([a_finding()], []) is Exit.FOUND


def test_every_mutant_fits_and_changes_something() -> None:
    assert len(mutants()) >= 30
    by_primitive = Counter(mutant.primitive for mutant in mutants().values())
    assert min(by_primitive.values()) >= 3
    assert {mutant.family for mutant in mutants().values()} == {"rate", "window"}
    for mutant in mutants().values():
        sources = patched(mutant)  # raises if its piece is not there exactly once
        compile(sources[mutant.part], mutant.name, "exec")
        assert mutant.old != mutant.new


def test_who_is_blamed_for_a_crash() -> None:
    def text(file: str) -> str:
        return (
            "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):"
            f'\n  File "{file}", line 3 in acquire\n  File "/x/stress/child.py", line 1 in act\n\n'
        )

    assert crashes.judge(-11, text("/x/stress/scenarios/locks.py"), "ftthreading").blame == "target"
    assert crashes.judge(-11, text("/lib/python3.13/threading.py"), "threading").blame == "target"
    assert crashes.judge(-11, text("/lib/python3.13/json.py"), "threading").blame == "interpreter"
    assert crashes.judge(-11, "", "threading").blame == "interpreter"
    assert crashes.judge(-6, f"{crashes.FUTEX}.\n", "ftthreading").blame == crashes.SEMAPHORE
    assert crashes.judge(-6, f"{crashes.FUTEX}.\n", "threading").blame == "target"
    race = "WARNING: ThreadSanitizer: data race (pid=1)\n  #0 ftt_park /x/ftthreading/_core.so"
    assert crashes.judge(66, race, "ftthreading").oracle == "ThreadSanitizer"
    assert crashes.judge(66, race, "ftthreading").blame == "target"


def test_fisher_s_test_gives_known_values() -> None:
    assert fisher(0, 5, 5, 0) == pytest.approx(2 / 252)
    assert fisher(3, 3, 3, 3) == pytest.approx(1.0)
    assert fisher(1, 9, 11, 3) == pytest.approx(0.002759, abs=1e-6)


def test_a_wait_that_gives_up_early_is_a_breach() -> None:
    me = Actor(0)
    with pytest.raises(OracleFailure, match="gave up"):
        me.timed(lambda _: False, 0.5)
    assert me.timed(lambda _: True, 0.5) is True
    assert me.timed(lambda _: False, 0.0) is False
    assert me.seen["timed out"] == 2
