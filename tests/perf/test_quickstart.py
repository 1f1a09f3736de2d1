"""ci/quickstart and `perf programs`: they compare rightly, and leave nothing when stopped."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from perf.analysis.rounds import Spread, alternate, judge, ratios
from perf.cli.programs_table import show
from perf.programs import catalogue
from perf.runner import programs
from perf.runner.load import cores
from perf.runner.programs import ProgramRun
from tests.support import DEFAULT_SIGNALS, wait_until
from toolkit.progress import Progress

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 60.0

pytestmark = pytest.mark.once
processes = pytest.mark.thread_unsafe(reason="starts processes and sends them signals")


def with_mark(mark: str) -> set[int]:
    """Return the living processes whose environment has the name, and a value that begins so."""
    name, _, begin = mark.partition("=")
    living = psutil.process_iter(["environ"])
    environments = {each.pid: each.info["environ"] or {} for each in living}
    return {pid for pid, own in environments.items() if own.get(name, "").startswith(begin)}


def test_rounds_alternate() -> None:
    order = "".join(side for _, side in alternate(("A", "B"), 4))
    assert order == "ABBAABBA"


def test_a_verdict_needs_all_rounds_and_enough_of_them() -> None:
    assert ratios([2, 4, 9], [1, 1, 3]) == Spread(3, 2, 4)
    assert judge(Spread(1.5, 1.1, 2), 5) == "faster"
    assert judge(Spread(0.5, 0.4, 0.9), 5) == "SLOWER"
    assert judge(Spread(1.5, 0.9, 2), 5) == "no clear difference"
    assert judge(Spread(1.5, 1.1, 2), 4) == "too few rounds"


def test_different_answers_fail_with_both_commands() -> None:
    results = {
        "threading": [ProgramRun("12", 1.0, 1.0)],
        "ftthreading": [ProgramRun("12", 1.0, 1.0), ProgramRun("13", 1.0, 1.0)],
    }
    with pytest.raises(programs.ProgramFailed) as caught:
        programs.same_answers("pool", 0.5, results)
    assert "-m ftthreading perf/programs/pool.py --scale 0.5" in str(caught.value)
    assert f"{sys.executable} perf/programs/pool.py --scale 0.5" in str(caught.value)


def test_table_has_ratios_of_both_times_and_their_means(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        name: {
            "threading": [ProgramRun("12", 2.0 * factor, 3.0)] * 5,
            "ftthreading": [ProgramRun("12", 1.0, 2.0)] * 5,
        }
        for name, factor in (("pool", 1), ("ring", 4))
    }
    show(found, 5, ("not run: a",))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[2][-4:] == ["2.00x", "2.00-2.00", "1.50x", "faster"]
    assert lines[3][-4:] == ["8.00x", "8.00-8.00", "1.50x", "faster"]
    assert lines[4] == ["geometric", "mean", "4.00x", "1.50x"]
    assert ["not", "run:", "a"] in lines


def test_programs_without_their_library_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(catalogue.LIBRARIES, "janus_queue", "no_such_module")
    names, said = programs.present(["ring", "janus_queue"])
    assert names == ["ring"]
    assert said.startswith("not run: janus_queue (needs no_such_module)")
    assert programs.present(["ring"]) == (["ring"], "")


def test_an_interrupted_comparison_keeps_the_programs_that_are_whole() -> None:
    class Stopped(Exception):
        pass

    class Runs:
        def program(self, name: str, side: str, scale: float) -> ProgramRun:
            if name == "pool" and side == "ftthreading" and scale == 1.0:
                raise Stopped
            return ProgramRun("12", 1.0, 1.0)

    found: programs.Found = {}
    progress = Progress(0)
    with pytest.raises(Stopped):
        programs.compare(Runs(), ["ring", "pool"], 2, 1.0, progress, found)
    assert {name: len(runs["ftthreading"]) for name, runs in found.items()} == {"ring": 2}


@processes
def test_table_and_exit_code() -> None:
    command = [sys.executable, "-m", "perf", "programs", "executor", "logs"]
    command += ["--rounds", "1", "--scale", "0.02"]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("executor ") for line in lines)
    assert any(line.startswith("logs ") for line in lines)
    assert lines[-1].startswith("VERDICT: all answers equal.")


@processes
def test_a_hung_program_fails_and_shows_its_stacks() -> None:
    command = [sys.executable, "-m", "perf", "programs", "pool", "--rounds", "1"]
    command += ["--scale", "200", "--limit", "2"]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 1
    assert "VERDICT: FAILED: still running after 2 s" in done.stderr
    assert "Fatal Python error: Aborted" in done.stderr
    assert "to see it again: cd " in done.stderr


@processes
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("load", [[], ["--beside-load"]], ids=["alone", "loaded"])
def test_interrupted_comparison_leaves_nothing(
    load: list[str], signum: signal.Signals, tmp_path: pathlib.Path
) -> None:
    mark = f"TMPDIR={tmp_path}"
    process = subprocess.Popen(
        [sys.executable, "-m", "perf", "programs", "pool", "--scale", "200", *load],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Its program's own temporary folder lies in the comparison's.
    wait_until(lambda: any(tmp_path.glob("*/pool-*/bank.sqlite")), SECONDS, "the program runs")
    process.send_signal(signum)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == -signum
    assert f"interrupted by {signum.name}" in errors
    assert list(tmp_path.iterdir()) == []
    wait_until(lambda: not with_mark(mark), SECONDS, "its processes end")


@processes
@pytest.mark.parametrize(("scale", "code"), [("0.02", 0), ("200", 1)])
def test_load_ends_with_the_comparison(scale: str, code: int, tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "perf", "programs", "pool", "--beside-load", "--rounds", "1"]
    command += ["--scale", scale, "--limit", "2" if code else "240"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=SECONDS * 5
    )
    assert done.returncode == code, done.stderr
    assert "beside a busy process on each core" in done.stdout
    assert not with_mark(f"TMPDIR={tmp_path}")


@processes
def test_load_ends_when_its_parent_is_killed(tmp_path: pathlib.Path) -> None:
    script = "from perf.runner.load import Load\n"
    script += "with Load():\n    print('busy', flush=True)\n    input()\n"
    mark = f"TMPDIR={tmp_path}"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"busy\n"
        assert len(with_mark(mark)) == 1 + len(cores())
        process.kill()
    wait_until(lambda: not with_mark(mark), SECONDS, "its load ends")


def fake_checkout(folder: pathlib.Path, env_script: str) -> pathlib.Path:
    """Lay out a checkout whose ci/env is `env_script`; return its ci/quickstart."""
    (folder / "ci").mkdir()
    for name in ("quickstart", "lib.sh"):
        shutil.copy(ROOT / "ci" / name, folder / "ci" / name)
    script = folder / "ci" / "env"
    script.write_text(f"#!/usr/bin/env bash\n{env_script}\n", encoding="utf-8")
    script.chmod(0o755)
    (folder / "tmp").mkdir()
    return folder / "ci" / "quickstart"


@processes
@pytest.mark.parametrize(("words", "tag"), [((), "3.13t"), (("3.15t",), "3.15t")])
def test_quickstart_runs_the_environment_it_was_given(
    words: tuple[str, ...], tag: str, tmp_path: pathlib.Path
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/usr/bin/env bash\necho "$PWD:" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    build = "echo building >&2; echo noise; echo for $1 >>asked"
    quickstart = fake_checkout(tmp_path, f"{build}; echo '{python}'")
    done = subprocess.run(
        [quickstart, *words, "--rounds", "7"],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout
        == f"{tmp_path}: -m perf programs --quickstart --page .perf/quickstart.html --rounds 7\n"
    )
    assert (tmp_path / "asked").read_text(encoding="utf-8") == f"for {tag}\n"
    assert list((tmp_path / "tmp").iterdir()) == []


@processes
def test_quickstart_says_what_failed(tmp_path: pathlib.Path) -> None:
    quickstart = fake_checkout(tmp_path, "exit 7")
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    command = [str(quickstart)]
    done = subprocess.run(
        command, env=env, check=False, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 1
    assert "FAILED: no environment for 3.13t (exit status 7)" in done.stderr
    assert "to see it again: ci/env 3.13t" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


@processes
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_build_leaves_nothing(signum: signal.Signals, tmp_path: pathlib.Path) -> None:
    started = tmp_path / "started"
    # As the real one: a step in a group of its own, ended by the script's own cleaning up.
    quickstart = fake_checkout(
        tmp_path, f". ci/lib.sh\necho >'{started}'\nstep /dev/null building sleep 600"
    )
    mark = f"TMPDIR={tmp_path / 'tmp'}"
    process = subprocess.Popen(
        [*DEFAULT_SIGNALS, quickstart],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(started.exists, SECONDS, "ci/env runs")
    process.send_signal(signum)  # to this one process, as `kill` does
    process.communicate(timeout=SECONDS)
    assert process.returncode == (130 if signum == signal.SIGINT else 143)
    assert list((tmp_path / "tmp").iterdir()) == []
    wait_until(lambda: not with_mark(mark), SECONDS, "its processes end")
