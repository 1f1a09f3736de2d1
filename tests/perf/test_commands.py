"""The commands of `python -m perf` that look at kept results, on results that were made up."""

import pathlib
import re
import statistics

import pytest

from perf.__main__ import COMMANDS, main
from perf.cli.commands import doctor
from perf.cli.commands.doctor import Disturbance
from perf.results import provenance, store
from perf.results.case import Case
from perf.results.measurement import Measurement, Round

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="standard output is the whole process's"),
]

FAST = Case("lock", "with", "contended", 2, 0, "attribute")
SLOW = Case("rlock", "with", "contended", 2, 0, "attribute")
NOISY = Case("event", "wait", "contended", 2, 0, "attribute")
JITTER = (1.0, 1.01, 0.99, 1.02, 0.98)


def measurement(
    case: Case, impl: str, value: float, rounds: int = 5, tier: str = "gate"
) -> Measurement:
    notes = {"ftt_tier": tier}
    jitter = [factor**20 for factor in JITTER] if case is NOISY else list(JITTER)
    each = (Round(number, (value * jitter[number],), {}, notes) for number in range(rounds))
    return Measurement(case, impl, tuple(each))


def keep(
    root: pathlib.Path,
    day: int,
    own: dict[Case, float],
    place: str = "",
    rounds: int = 5,
    tier: str = "gate",
) -> pathlib.Path:
    """Write a result of this interpreter in which threading's value is 1 everywhere."""
    name = f"202601{day:02d}T000000-{day:012x}"
    path = root / (place or provenance.identity()) / provenance.tag() / name
    parts = [measurement(case, "threading", 1.0, rounds, tier) for case in own]
    parts += [measurement(case, "ftthreading", value, rounds, tier) for case, value in own.items()]
    store.write(path, parts)
    return path


def run(
    capsys: pytest.CaptureFixture[str], root: pathlib.Path, *words: str
) -> tuple[int, list[str]]:
    code = main([*words, "--output", str(root)])
    return code, capsys.readouterr().out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], root: pathlib.Path, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--output", str(root)])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_compare_shows_what_loses_first(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    path = keep(tmp_path, 1, {FAST: 0.5, NOISY: 0.95, SLOW: 2.0})
    code, lines = run(capsys, tmp_path, "compare", str(path))
    assert code == 0
    shown = [line for line in lines if " attribute " in line]
    assert [line.split()[0] for line in shown] == ["rlock.with", "event.wait", "lock.with"]
    assert shown[0].endswith("WORSE")
    assert " 0.50 " in shown[0]
    assert shown[1].endswith("no clear difference")
    assert shown[2].endswith("better")
    assert " 2.00 " in shown[2]
    assert lines[-1] == "VERDICT: 3 cases: 1 worse, 1 better, 1 no clear difference"
    code, lines = run(capsys, tmp_path, "compare", "last", "--impl", "ftthreading,threading")
    assert code == 0
    assert next(line for line in lines if " attribute " in line).startswith("lock.with")


@pytest.mark.parametrize(("after", "code"), [(0.5, 0), (1.0, 0), (1.1, 0), (1.5, 1)])
def test_compare_of_two_results_ends_with_1_for_a_regression(
    after: float, code: int, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    keep(tmp_path, 1, {FAST: 1.0, SLOW: 1.0})
    keep(tmp_path, 2, {FAST: 1.0, SLOW: after})
    found, lines = run(capsys, tmp_path, "compare", "last~1", "last")
    verdict = next(line for line in lines if line.startswith("VERDICT: "))
    assert found == code
    if code:
        assert verdict.startswith(f"VERDICT: REGRESSION of more than 1.25 times: {SLOW.id} (")
    else:
        assert verdict.startswith("VERDICT: no regression of more than 1.25 times in 2 cases")
    assert run(capsys, tmp_path, "compare", f"{1:012x}"[:8], f"{2:012x}", "--only", "lock")[0] in (
        0,
        1,
    )


def test_compare_refuses_what_cannot_be_compared(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    here, there = keep(tmp_path, 1, {FAST: 1.0}), keep(tmp_path, 2, {FAST: 1.0}, "elsewhere")
    said = refused(capsys, tmp_path, "compare", str(here), str(there))
    assert "different machines" in said
    said = refused(capsys, tmp_path, "compare", str(here), "--impl", "threading,other")
    assert "has no other; it has ftthreading, threading" in said
    assert "no such result" in refused(capsys, tmp_path, "compare", "last~1")
    assert "no such case" in refused(capsys, tmp_path, "compare", "last", "--only", "latch")
    few = keep(tmp_path, 3, {FAST: 1.0}, rounds=2)
    code, lines = run(capsys, tmp_path, "compare", str(here), str(few))
    assert code == 3
    assert lines[-1].startswith("VERDICT: TOO NOISY to tell: 1 too few rounds")


def test_history_finds_a_step_and_mixes_no_machines(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    for day in range(1, 13):
        keep(tmp_path, day, {FAST: 1.0 + 0.01 * (day % 3), SLOW: 1.0 if day < 7 else 2.0})
        keep(tmp_path, day, {FAST: 5.0}, "elsewhere")
    code, lines = run(capsys, tmp_path, "history")
    assert code == 0
    assert lines[-1] == "VERDICT: 2 cases; 1 changed their level"
    first, second = (line for line in lines if " 12  " in line)
    assert first.startswith(SLOW.id)
    assert first.endswith(f"2.00 times the cost from {7:012x} (2026-01-07 00:00)")
    assert second.split()[-1] == "s"
    assert "5 s" not in "".join(lines)
    code, lines = run(capsys, tmp_path, "history", "--machine", "elsewhere", "lock.with")
    assert sum("5 s" in line for line in lines) == 13
    assert "no results of" in refused(capsys, tmp_path, "history", "--tag", "2.7")


def test_history_leaves_smoke_out(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    keep(tmp_path, 1, {FAST: 1.0})
    keep(tmp_path, 2, {FAST: 5.0}, tier="smoke")
    for words, values in ((), ["1 s"]), (("--tier", "smoke"), ["5 s"]):
        _, lines = run(capsys, tmp_path, "history", *words)
        assert [line.split("  ")[-1] for line in lines if line.startswith("2026-")] == values


def test_list_names_cases_and_results(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    code, lines = run(capsys, tmp_path, "list", "--tier", "gate", "lock.with")
    assert code == 0
    assert any(line.startswith("lock.with T1 ") and "smoke" in line for line in lines)
    assert all(line.startswith("lock.with T") for line in lines[2:-1])
    assert "no such case" in refused(capsys, tmp_path, "list", "latch")
    path = keep(tmp_path, 1, {FAST: 1.0})
    code, lines = run(capsys, tmp_path, "list", "--results")
    assert code == 0
    assert any(path.name in line and "ftthreading, threading" in line for line in lines)


def test_doctor_looks_at_everything(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor"])
    out = capsys.readouterr().out
    assert code in (0, 3)
    assert ("VERDICT: TOO NOISY" in out) == (code == 3)
    for what in ("processors", "load", "steal time", "steadiness", "governor", "turbo", "GIL"):
        assert what in out
    assert "virtual machine" in out
    assert "control group" in out
    found = dict(re.findall(r"(pause|yield|trip|sleep) ([\d,]+) ns", out))
    assert set(found) == {"pause", "yield", "trip", "sleep"}


def test_doctor_ends_with_2_where_nothing_can_be_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, noise = Disturbance("turbo", "off"), Disturbance("load", "1", doctor.NOISE, "wait")
    assert doctor.tell([good]) == 0
    assert doctor.tell([good, noise]) == 0
    capsys.readouterr()
    assert doctor.tell([good, noise, Disturbance("GIL", "on", doctor.SPOILT, "unset it")]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["SPOILT", "noise", "good"]
    assert lines[-1].endswith(": GIL")

    monkeypatch.setattr("toolkit.machine.cpu_quota", lambda: "50000 100000")
    assert (doctor.quota().how, doctor.quota().grade)[1] == doctor.SPOILT
    monkeypatch.setattr("toolkit.machine.cpu_quota", lambda: "max 100000")
    assert doctor.quota().grade == doctor.GOOD
    monkeypatch.setattr("toolkit.machine.governor", lambda: "powersave")
    assert doctor.governor().grade == doctor.NOISE
    times = iter([1.0] * 5 + [2.0] * 5)
    monkeypatch.setattr("perf.native.canary", lambda _steps: next(times, 1.0))
    monkeypatch.setattr(doctor, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr("time.monotonic", iter([0.0] + [-1.0] * 10 + [1.0]).__next__)
    found = doctor.steadiness()
    assert found.grade == doctor.SPOILT
    assert statistics.median([1.0] * 5 + [2.0] * 5) == 1.5


def test_every_module_of_commands_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    folder = pathlib.Path(doctor.__file__).parent
    names = {file.stem for file in folder.glob("[a-z]*.py")}
    assert names <= set(COMMANDS)
    for name in names:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert COMMANDS[name][:30].capitalize() in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as ended:
        main(["latch"])
    assert ended.value.code == 2
