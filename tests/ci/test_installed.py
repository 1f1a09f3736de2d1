"""What `pip install ftthreading` brings, from the source distribution, far from the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.packaging import FILES, FOLDERS, ROOT, copy_of_the_checkout, run

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="runs compilers, installers and processes"),
]

# What belongs to the checkout alone.
KEPT_BACK = {"perf/results.md", "perf/throughput.svg"}

SCENARIO = '''
import sys
from ftthreading.stress import ACCEPTABLE, Scenario, actor

class OneWinner(Scenario):
    """Two threads try to take a lock; one gets it."""

    outcomes = {"1": ACCEPTABLE}

    def setup(self):
        # Else the threading that is tested would be one that is mended.
        assert "ftthreading" not in sys.modules or self.target.__name__ == "ftthreading"
        self.lock = self.target.Lock()
        self.won = []

    @actor(2)
    def take(self, me):
        if self.lock.acquire(False):
            self.won.append(me.index)
        me.did("try")

    def arbiter(self):
        return str(len(self.won))
'''


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source distribution."""
    folder = tmp_path_factory.mktemp("archive")
    backend = "import setuptools.build_meta as b, sys; b.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", backend, folder, cwd=copy_of_the_checkout(folder))
    (path,) = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that pip installs it into."""
    target = tmp_path_factory.mktemp("installed")
    run(
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"),
        *("--no-build-isolation", "--no-index", "--target", target, archive),
        cwd=archive.parent,
    )
    return target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a user's folder, with packages that have the names which the tools have."""
    for name in ("perf", "stress", "toolkit"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    (tmp_path / "one_winner.py").write_text(SCENARIO)
    return tmp_path


def call(
    installed: Path, folder: Path, *words: str, codes: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done


def test_the_archive_holds_what_is_built_from_and_no_more(archive: Path) -> None:
    with tarfile.open(archive) as file:
        names = {each.name.partition("/")[2] for each in file.getmembers() if each.isfile()}
    made = {name for name in names if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    sources = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so")
    }
    assert "ftthreading/core/os/os.h" in sources
    assert names - made == {*FILES, *sources} - KEPT_BACK


def test_everything_but_the_core_is_installed(installed: Path) -> None:
    # perf builds on the headers of the core's ground floor.
    wanted = [*(ROOT / "ftthreading/core/os").glob("*.h")]
    for folder in FOLDERS:
        wanted += [
            path for path in (ROOT / folder).rglob("*") if path.suffix not in (".pyc", ".so")
        ]
    names = {
        str(path.relative_to(ROOT))
        for path in wanted
        if path.is_file() and (path.suffix == ".h" or "core" not in path.parts)
    }
    own = {name for name in names if name.startswith("ftthreading")}
    tools = {f"ftthreading_tools/{name}" for name in names - own - KEPT_BACK}
    core = {name for name in own if "/core/" in name and "/os/" not in name}
    found = {
        str(path.relative_to(installed))
        for path in installed.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so")
    }
    assert {name for name in found if ".dist-info/" not in name} == (own - core) | tools


def test_the_command(installed: Path, folder: Path) -> None:
    said = call(installed, folder, "-m", "ftthreading", "--version").stdout
    assert said.startswith("ftthreading ")
    file = call(installed, folder, "-c", "import ftthreading as f; print(f.__file__)").stdout
    assert file.startswith(str(installed))


@pytest.mark.parametrize("target", ["threading", "ftthreading"])
def test_stress(installed: Path, folder: Path, target: str) -> None:
    words = ["run", "--target", target, "--budget", "1", "--scenarios", "one_winner.py"]
    words += ["--only", "=one_winner,=handoff"]
    # 3: too little was seen, with a GIL, say.
    done = call(installed, folder, "-m", "ftthreading.stress", *words, codes=(0, 3))
    assert "\none_winner " in done.stdout
    assert "harness" not in done.stdout
    assert list((folder / ".stress").glob("*/run.json"))
    wrong = call(installed, folder, "-m", "ftthreading.stress", "repro", "none", codes=(2,))
    assert wrong.stderr.startswith("python -m ftthreading.stress: ")


def test_perf(installed: Path, folder: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no cc here")
    words = ["-m", "ftthreading.perf", "run", "--tier", "smoke", "--only", "lock.with T1"]
    done = call(installed, folder, *words)
    assert "VERDICT: 3 of 3 measured, all results right" in done.stdout
    assert "more: python -m ftthreading.perf compare .perf/results/" in done.stdout
    call(installed, folder, "-m", "ftthreading.perf", "dash")
    page = (folder / ".perf" / "dashboard.html").read_text()
    assert "ftthreading.perf" in page


def test_what_needs_a_checkout_says_so(installed: Path, folder: Path) -> None:
    done = call(installed, folder, "-m", "ftthreading.perf", "ab", "--base", "HEAD", codes=(3,))
    assert done.stderr.endswith("it runs in a checkout of ftthreading only\n")


@pytest.mark.parametrize(("tool", "library"), [("perf", "pyperf"), ("stress", "rich")])
def test_a_missing_extra_is_told(installed: Path, folder: Path, tool: str, library: str) -> None:
    (folder / f"{library}.py").write_text(f"raise ModuleNotFoundError(name={library!r})\n")
    done = call(installed, folder, "-m", f"ftthreading.{tool}", "run", codes=(3,))
    assert done.stderr.endswith(f"needs {library}: pip install 'ftthreading[{tool}]'\n")
    # What a scenario imports needs none.
    call(installed, folder, "-c", f"import ftthreading.{tool}")


def test_a_taken_name_is_told(installed: Path, folder: Path) -> None:
    (folder / "toolkit" / "__init__.py").write_text("")
    done = call(installed, folder, "-c", "import toolkit, ftthreading.stress", codes=(1,))
    assert "the tools of ftthreading need the name 'toolkit', which " in done.stderr


def test_pytest_loads_nothing_until_it_is_asked(installed: Path, folder: Path) -> None:
    (folder / "test_modules.py").write_text(
        "import sys, threading\n"
        "ours = {name.partition('.')[0] for name in sys.modules}\n"
        "def test_quiet():\n"
        "    assert not ours & {'ftthreading', 'stress', 'perf', 'toolkit'}\n"
        "def test_on():\n"
        "    assert threading.Lock is sys.modules['ftthreading'].Lock\n"
    )
    command = ["-m", "pytest", "-q", "-W", "error", "test_modules.py", "-k"]
    call(installed, folder, *command, "quiet")
    call(installed, folder, *command, "on", "--ftthreading", "--lock-order")
    call(installed, folder, *command, "on", "-p", "ftthreading.pytest_plugin", "--lock-order")
    # pytest would rewrite what brings a plugin, and warn that it comes too late.
    call(installed, folder, "-m", "ftthreading", *command, "on")


def test_pytest_runs_scenarios(installed: Path, folder: Path) -> None:
    words = ["-m", "pytest", "-p", "no:run_parallel", "-p", "no:pytest-run-parallel", "-q"]
    words += ["--ftthreading-stress", "--stress-budget", "1s", "--stress-target", "threading"]
    done = call(installed, folder, *words, "one_winner.py")
    assert "1 passed" in done.stdout or "1 skipped" in done.stdout
