"""ci/suites: suites that are alike, differ, fail now and then, hang, crash or cannot be had."""

import hashlib
import io
import re
import signal
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path
from typing import Any

import pytest

from ci import suites
from ci.comparing import EXIT
from ci.projects import install, pins, run
from ci.projects.install import PLUGIN, UnavailableError, Workshop
from ci.projects.outcomes import fits
from ci.projects.pins import Pins, Project
from ci.sides import pair
from toolkit.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
TAG = "3.13t"

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="starts interpreters, and replaces a module's names"),
]


def sdist(folder: Path, files: dict[str, str]) -> tuple[Path, str]:
    """Make a source distribution; return it and its sum."""
    path = folder / "synthetic-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"synthetic-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has what this one has."""
    folder = tmp_path_factory.mktemp("environment") / "synthetic"
    venv.create(folder, symlinks=True)
    here = Path(sysconfig.get_path("purelib"))
    there = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (there / "here.pth").write_text(f"{here}\n")
    (there / f"{PLUGIN}.py").write_text((ROOT / "ci/projects/outcomes.py").read_text())
    return folder


class Runs:
    """Runs `ci/suites` on one synthetic project."""

    def __init__(self, place: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(Workshop, "environment", lambda *_: place)
        monkeypatch.setattr(install, "ROOT", folder)
        monkeypatch.setattr(run, "GRACE", 5.0)

    def __call__(self, tests: str, *arguments: str, again: int = 1, **values: Any) -> int:
        archive, _ = sdist(self.folder, {"test_it.py": HEAD + tests})
        self._monkeypatch.setattr(Workshop, "sdist", lambda *_: archive)
        values = {"tests": ("test_it.py",), "seconds": 60, "test_seconds": 30, **values}
        project = Project("synthetic", "1.0", "0", "synthetic", **values)
        known = Pins((), (), {"synthetic": project})
        self._monkeypatch.setattr(pins, "load", lambda: known)
        return suites.main([TAG, "--again", str(again), *arguments])


@pytest.fixture
def runs(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(place, tmp_path, monkeypatch)


HEAD = """
import os, subprocess, sys, threading, time
from pathlib import Path
import pytest
OURS = "ftthreading" in sys.modules and threading.Lock is sys.modules["ftthreading"].Lock
def times(name):
    path = Path(name)
    path.write_text(path.read_text() + "." if path.exists() else ".")
    return len(path.read_text())
"""

ALIKE = """
def test_passes(): pass
def test_fails(): assert 0
def test_skips(): pytest.skip()
@pytest.mark.parametrize("n", [1, 2])
def test_more(n): assert n
"""

DIFFERENT = """
def test_one(): assert not OURS, "the reason"
def test_other(): pass
"""


def row(output: str) -> list[str]:
    """Return the words of the project's line in the table, from the result on."""
    (line,) = re.findall(r"^synthetic 1\.0 +(.*)$", output, re.MULTILINE)
    return re.split(r"  +", line)


def test_alike(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    assert runs(ALIKE) == 0
    output = capfd.readouterr().out
    assert "synthetic 1.0: 1 failed, 3 passed, 1 skipped: alike\n" in output
    assert row(output)[:7] == ["alike", "5", "3", "3", "0", "0", "0"]
    assert output.endswith("VERDICT: 5 tests of 1 projects, alike on both sides.\n")


def test_a_difference_is_told_with_the_command_that_shows_it(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    assert runs(DIFFERENT) == 1
    output, errors = capfd.readouterr()
    assert "[0/1] synthetic" in errors
    name = "test_it.py::test_one"
    assert f"    {name}: passed under threading, failed under ftthreading\n" in output
    assert "AssertionError: the reason" in output
    assert f"to see it again: ci/suites synthetic 3.13t --only {name}\n" in output
    assert "test_other:" not in output
    assert row(output)[:7] == ["DIFFERENT", "2", "2", "1", "1", "0", "0"]
    assert output.endswith("VERDICT: FAILED: different in 1 of 1: synthetic.\n")


def test_a_difference_that_is_accepted(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    assert runs(DIFFERENT, accepted={"test_it.py::test_one": "for a reason"}) == 0
    output = capfd.readouterr().out
    assert "failed under ftthreading; for a reason\n" in output
    assert row(output)[:7] == ["alike", "2", "2", "1", "0", "1", "0"]


def test_what_is_left_out_is_left_out_on_both_sides(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    assert runs(DIFFERENT, deselect={"test_it.py::test_one": "a reason"}) == 0
    assert "of 1 projects" in capfd.readouterr().out
    assert runs(DIFFERENT, "--only", "*::test_other") == 0
    assert runs(DIFFERENT, "--list", deselect={"test_it.py::test_one": "a reason"}) == 0
    output = capfd.readouterr().out
    assert "synthetic: left out: test_it.py::test_one: a reason\n" in output


def test_a_test_that_fails_under_threading_too_is_a_flake(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    flaky = "def test_flaky(): assert times('count') % 2 != OURS\n"
    assert runs(flaky + "def test_other(): pass\n", again=2) == 0
    output = capfd.readouterr().out
    assert "failed or passed under threading" in output
    assert "; not counted\n" in output
    assert row(output)[:7] == ["alike", "2", "1", "1", "0", "0", "1"]


def test_one_that_fails_on_our_side_alone_is_none(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    assert runs("def test_flaky(): assert not OURS or times('count') > 1\n", again=2) == 1
    assert "passed under threading, failed or passed under" in capfd.readouterr().out


def test_a_test_that_hangs_shows_its_stacks_and_the_others_run(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    hanging = """
def hang():
    while OURS: time.sleep(0.01)
def test_1(): pass
def test_2(): hang()
def test_3(): pass
"""
    assert runs(hanging, again=0, test_seconds=2) == 1
    output = capfd.readouterr().out
    assert "test_2: passed under threading, hung under ftthreading\n" in output
    assert "in hang" in output
    assert row(output)[:5] == ["DIFFERENT", "3", "3", "2", "1"]


def test_a_suite_whose_time_is_over(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    slow = """
def test_1(): pass
def test_2():
    while OURS: time.sleep(0.01)
def test_3(): pass
"""
    assert runs(slow, again=0, seconds=4) == 1
    output = capfd.readouterr().out
    assert f"{EXIT}: 0 under threading, its time was over under ftthreading\n" in output
    assert "test_3: passed under threading, not run under ftthreading\n" in output


def test_a_test_that_crashes_and_the_others_run(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    crashing = """
def test_1(): pass
def test_2():
    if OURS: os.abort()
def test_3(): pass
"""
    assert runs(crashing, again=0) == 1
    output = capfd.readouterr().out
    word = f"crashed (-{signal.SIGABRT:d})"
    assert f"test_2: passed under threading, {word} under ftthreading\n" in output
    assert row(output)[:5] == ["DIFFERENT", "3", "3", "2", "1"]


def test_an_interpreter_that_does_not_end(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    waiting = """
def test_1():
    if OURS: threading.Thread(target=threading.Event().wait).start()
"""
    assert runs(waiting, again=0, test_seconds=3) == 1
    output = capfd.readouterr().out
    assert f"{EXIT}: 0 under threading, hung after the tests under ftthreading\n" in output


def test_a_file_that_cannot_be_loaded(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    assert runs("def test_1(): pass\nif OURS: import nothing_is_named_so\n", again=0) == 1
    output = capfd.readouterr().out
    assert "test_it.py: not run under threading, error under ftthreading\n" in output


def test_a_suite_that_does_not_work_is_not_run(
    runs: Runs, capfd: pytest.CaptureFixture[str]
) -> None:
    assert runs("import nothing_is_named_so\n") == 3
    output = capfd.readouterr().out
    assert "No module named 'nothing_is_named_so'" in output
    assert "only 0 of 1 tests pass under threading" in output
    assert output.endswith("VERDICT: FAILED: could not be run: synthetic.\n")
    assert runs("", "--only", "nothing") == 3


def test_children(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    """They are on threading, but for those of our side with the start-up file."""
    child = """
CODE = "import sys, threading; sys.exit('ftthreading' in sys.modules)"
def test_child(): assert subprocess.run([sys.executable, "-c", CODE]).returncode == 0
"""
    assert runs(child) == 0
    assert runs(child, "--startup") == 1
    output = capfd.readouterr().out
    assert "again: ci/suites synthetic 3.13t --startup --only test_it.py::test_child" in output
    assert runs(child) == 0  # the file is gone


def test_a_side_that_is_not_what_it_says_is_refused(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def plain(*arguments: Any, **options: Any) -> Any:
        theirs, ours = pair(*arguments, **options)
        ours.command[1:] = []
        return theirs, ours

    monkeypatch.setattr(suites, "pair", plain)
    assert runs(ALIKE) == 3
    assert "ftthreading is not in force" in capfd.readouterr().out


def test_one_that_cannot_be_had_on_a_tag(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    assert runs(ALIKE, absent={TAG: "no wheels"}) == 3  # nothing was shown
    output = capfd.readouterr().out
    assert row(output)[0] == "absent"
    assert output.endswith("VERDICT: FAILED: not on 3.13t: synthetic.\n")


def test_usage(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        suites.main([TAG, "nothing-is-named-so"])
    assert caught.value.code == 2
    assert "no such project: nothing-is-named-so; there are " in capfd.readouterr().err


SETUP = "from setuptools import setup\nsetup(name='synthetic', version='1.0', py_modules=['it'])\n"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """One that downloads from a folder, and builds by this environment's tools."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(Workshop, "_tools", lambda _: sys.executable)
    return Workshop(TAG, Pins((), (), {}), Progress(1))


def test_a_project_is_downloaded_built_and_kept(workshop: Workshop, tmp_path: Path) -> None:
    archive, digest = sdist(tmp_path, {"setup.py": SETUP, "it.py": "x = 1\n", "PKG-INFO": INFO})
    project = Project("synthetic", "1.0", digest, "synthetic")
    folder = workshop.environment(project, 0)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    assert (packages / "it.py").read_text() == "x = 1\n"
    assert (packages / "ftthreading").is_dir()
    assert (packages / f"{PLUGIN}.py").exists()
    archive.unlink()
    (packages / "mark").touch()
    assert workshop.environment(project, 0) == folder
    assert (packages / "mark").exists()
    kept = workshop.sdist(project)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == digest
    kept.write_bytes(b"other")
    with pytest.raises(UnavailableError, match="downloading synthetic"):
        workshop.sdist(project)


INFO = "Metadata-Version: 2.1\nName: synthetic\nVersion: 1.0\n"


def test_a_wrong_sum_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    sdist(tmp_path, {"setup.py": SETUP, "it.py": "", "PKG-INFO": INFO})
    with pytest.raises(UnavailableError):
        workshop.environment(Project("synthetic", "1.0", "0" * 64, "synthetic"), 0)


def test_a_project_that_cannot_be_built_is_named(
    workshop: Workshop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    broken = "raise SystemExit('it needs a compiler')\n"
    _, digest = sdist(tmp_path, {"setup.py": broken, "PKG-INFO": INFO})
    project = Project("synthetic", "1.0", digest, "synthetic", tests=("test_it.py",))
    known = Pins((), (), {"synthetic": project})
    monkeypatch.setattr(pins, "load", lambda: known)
    assert suites.main([TAG]) == 3
    output = capfd.readouterr().out
    assert "it needs a compiler" in output
    assert row(output)[0] == "NOT RUN"
    assert output.endswith("VERDICT: FAILED: could not be run: synthetic.\n")


def test_the_pins() -> None:
    known = pins.load()
    assert len({project.package for project in known.projects.values()}) >= 25
    for project in known.projects.values():
        assert re.fullmatch(r"[0-9a-f]{64}", project.sha256), project.name
        assert bool(project.tests) != bool(project.programs), project.name
        for program in (*project.programs, *project.plugins):
            assert (pins.PROGRAMS / program).is_file(), project.name
        reasons = {**project.deselect, **project.accepted, **project.absent}.values()
        assert all(len(reason) > 10 for reason in reasons), project.name
    versions = pins.CONSTRAINTS.read_text()
    for each in (
        *known.build,
        *known.test,
        *(r for p in known.projects.values() for r in p.requires),
    ):
        name = re.split(r"[\[<>=;! ]", each)[0].replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", versions, re.MULTILINE | re.IGNORECASE), name


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.py::test[x]", True),
        ("a.py::test", True),
        ("a.py", True),
        ("a.py::te", False),
        ("*::test[[]x]", False),
        ("*::test*", True),
        ("*[x]", True),
    ],
)
def test_patterns(pattern: str, expected: bool) -> None:
    assert fits("a.py::test[x]", pattern) is expected
