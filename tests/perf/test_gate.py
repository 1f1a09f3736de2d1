"""The gate: verdicts on made-up rounds, planted slowdowns, instruction counts, and the commands."""

import math
import pathlib
import random
import shutil
import subprocess
import sys

import pytest

from perf.analysis import verdicts
from perf.analysis.verdicts import GateVerdict, Judged
from perf.results.case import Case
from perf.results.measurement import Measurement, Round
from perf.runner import ab, instructions, slowdowns
from perf.runner.instructions import CannotCount
from tests.support import CHECKOUT
from toolkit import child

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts processes"),
]

CASES = [f"case {number}" for number in range(4)]
LOCK = Case("lock", "with", "contended", 2, 0, "attribute")


def rounds(draw: random.Random, level: float = 1.0, noise: float = 0.05) -> list[float]:
    return [level * math.exp(draw.gauss(0, noise)) for _ in range(8)]


def judged(seed: int, slower: float, noise: float) -> dict[str, GateVerdict]:
    """Judge some cases of which the first is slower."""
    draw = random.Random(seed)
    found = {case: (rounds(draw, 1, noise), rounds(draw, 1, noise)) for case in CASES}
    found[CASES[0]] = (rounds(draw, 1, noise), rounds(draw, slower, noise))
    return {each.case: each.finding for each in verdicts.judge(found, 1.25)}


def test_no_change_is_no_alarm() -> None:
    for seed in range(10):
        for noise in (0.03, 0.3):
            assert GateVerdict.SLOWER not in judged(seed, 1, noise).values()
        assert GateVerdict.SAME in judged(seed, 1, 0.03).values()


def test_half_as_slow_again_is_found_and_never_passed() -> None:
    for noise in (0.03, 0.1, 0.3):
        found = [judged(seed, 1.5, noise)[CASES[0]] for seed in range(10)]
        assert set(found) <= {GateVerdict.SLOWER, GateVerdict.UNSURE}
        assert noise > 0.03 or found.count(GateVerdict.SLOWER) >= 9


def test_a_little_slower_and_faster_are_told_apart_from_no_change() -> None:
    assert judged(1, 1.12, 0.01)[CASES[0]] is GateVerdict.WITHIN
    assert judged(1, 0.8, 0.01)[CASES[0]] is GateVerdict.FASTER


def one(finding: GateVerdict, case: str = "a") -> Judged:
    return Judged(case, None, 0.0, finding)


def test_what_is_not_confirmed_is_inconclusive() -> None:
    first = [one(GateVerdict.SLOWER), one(GateVerdict.SAME, "b")]
    assert verdicts.confirmed(first, [one(GateVerdict.SLOWER)]) == first
    for again in ([one(GateVerdict.SAME)], [one(GateVerdict.UNSURE)], []):
        assert verdicts.confirmed(first, again) == [one(GateVerdict.UNSURE), first[1]]


def test_exit_codes() -> None:
    assert (
        verdicts.code([one(GateVerdict.SAME), one(GateVerdict.WITHIN), one(GateVerdict.FASTER)])
        == 0
    )
    assert verdicts.code([one(GateVerdict.SAME), one(GateVerdict.UNSURE)]) == 3
    assert verdicts.code([one(GateVerdict.SLOWER), one(GateVerdict.UNSURE)]) == 1
    assert verdicts.code([]) == 3
    few = verdicts.judge({"a": ([1.0] * 5, [1.0] * 8)}, 1.25)
    assert verdicts.code(few) == 3


def test_rounds_of_a_disturbed_machine_count_for_nothing() -> None:
    def measured(value: float, canary: float) -> Measurement:
        return Measurement(LOCK, "ftthreading", (Round(0, (value,), {"ftt_canary": canary}),))

    base = [measured(1, 1.0), measured(2, 1.1), measured(9, 2.0)]
    head = [measured(3, 1.0), measured(8, 0.5), measured(4, 0.9)]
    assert ab.sides([LOCK], base, head) == {LOCK.id: ([1, 2], [3, 4])}


def test_plants_fit_the_sources(tmp_path: pathlib.Path) -> None:
    for plant in (slowdowns.nothing, slowdowns.instructions(9), slowdowns.contended(100)):
        folder = tmp_path / str(id(plant))
        shutil.copytree(CHECKOUT / "ftthreading", folder / "ftthreading")
        plant(folder)
        compared = ["diff", "-rq", str(CHECKOUT / "ftthreading"), str(folder / "ftthreading")]
        differs = subprocess.run(compared, check=False, capture_output=True, text=True)
        assert "differ" in differs.stdout
    (folder / "ftthreading" / "core" / "types" / "lock_type.c").write_text("")
    with pytest.raises(LookupError, match="0 places"):
        slowdowns.instructions(9)(folder)


@pytest.fixture
def interrupts() -> child.Interrupts:
    return child.Interrupts()


def test_without_valgrind_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, interrupts: child.Interrupts
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(CannotCount, match="apt-get install valgrind"):
        instructions.count(["ftthreading"], ["lock.with T1"], interrupts)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind here")
def test_a_lock_takes_more_instructions_than_the_floor(interrupts: child.Interrupts) -> None:
    found = instructions.count(["ftthreading", "floor"], ["lock.with T1"], interrupts)
    lock, floor = found["ftthreading", "lock.with T1"], found["floor", "lock.with T1"]
    assert 0 < floor.instructions < lock.instructions
    assert lock.blocks <= 0


def test_usage_errors_say_what_is_wrong() -> None:
    for options, code, said in (
        (["--base", "HEAD", "--rounds", "2"], 2, "--rounds must be"),
        (["--base", "HEAD", "--only", "nothing"], 2, "no such case"),
        (["--base", "no-such-ref", "--only", "lock.with T1"], 3, "VERDICT: nothing to tell"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "perf", "ab", *options],
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert said in done.stderr
