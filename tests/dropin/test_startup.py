"""--enable-at-startup: interpreters that nobody launches by hand run on ftthreading too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

import ftthreading
from tests.support import CHECKOUT

pytestmark = pytest.mark.thread_unsafe(reason="makes an environment and runs its interpreter")

LOOK = "import threading; print(threading.Event.__base__.__name__)"  # ours inherits from theirs
GRANDCHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {LOOK!r}], check=True)"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment of its own, where ftthreading is installed."""
    folder = tmp_path_factory.mktemp("startup") / "env"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    import ftthreading._core

    Path(site).mkdir(parents=True, exist_ok=True)
    package = Path(site, "ftthreading")
    package.symlink_to(Path(ftthreading._core.__file__).parent)
    return python


def run(python: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), *arguments],
        cwd="/",
        env={**os.environ, **environment, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def last(text: str) -> str:
    return text.splitlines()[-1]


def test_enable_status_disable(python: Path) -> None:
    before = run(python, "-m", "ftthreading", "--status")
    assert before.returncode == 1, before.stderr
    assert last(before.stdout).startswith("VERDICT: disabled")
    assert run(python, "-c", LOOK).stdout == "object\n"

    enabled = run(python, "-m", "ftthreading", "--enable-at-startup")
    assert enabled.returncode == 0, enabled.stderr
    assert last(enabled.stdout).startswith("VERDICT: enabled")
    assert run(python, "-m", "ftthreading", "--status").returncode == 0
    for code in (LOOK, GRANDCHILD):
        done = run(python, "-c", code)
        assert (done.stdout, done.stderr) == ("Event\n", "")
    assert run(python, "-c", LOOK, FTTHREADING_AT_STARTUP="0").stdout == "object\n"
    assert run(python, "-S", "-c", LOOK).stdout == "object\n"

    disabled = run(python, "-m", "ftthreading", "--disable-at-startup")
    assert disabled.returncode == 0, disabled.stderr
    assert run(python, "-c", LOOK).stdout == "object\n"
    again = run(python, "-m", "ftthreading", "--disable-at-startup")
    assert again.returncode == 0
    assert last(again.stdout).startswith("VERDICT: nothing to do")


@pytest.fixture
def enabled(python: Path) -> Iterator[Path]:
    """The same interpreter, with the files in place."""
    done = run(python, "-m", "ftthreading", "--enable-at-startup")
    assert done.returncode == 0, done.stderr
    yield python
    assert run(python, "-m", "ftthreading", "--disable-at-startup").returncode == 0


NOT_YET = """
import sys
assert not {"threading", "ftthreading", "ftthreading._core"} & {*sys.modules}
"""

OURS = """
import sys, threading, ftthreading
assert threading.Lock is ftthreading.Lock and threading.Thread is ftthreading.Thread
assert ftthreading.install().replaced, "not installed"
assert not [finder for finder in sys.meta_path if "at_startup" in type(finder).__module__]
assert type(threading.__spec__.loader) is type(ftthreading.__spec__.loader), "a trace of it"
assert threading.__loader__ is threading.__spec__.loader
print("ours")
"""

FIRST = {
    "threading": "import threading",
    "ftthreading": "import ftthreading",
    "a submodule": "import ftthreading._install",
    "a library": "import queue",
    "only looked for": """
        import importlib.util
        for name in ("threading", "ftthreading"):
            assert importlib.util.find_spec(name).loader.get_source(name)
        assert "threading" not in sys.modules
    """,
    "another thread": """
        import _thread
        ended = _thread.allocate_lock()
        ended.acquire()
        def load():
            import threading
            ended.release()
        _thread.start_new_thread(load, ())
        ended.acquire()
    """,
    "two threads": """
        import _thread
        gate = _thread.allocate_lock()
        ended = [_thread.allocate_lock() for _ in range(4)]
        def load(number):
            try:
                with gate:
                    pass
                __import__("ftthreading" if number % 2 else "threading")
            finally:
                ended[number].release()
        with gate:
            for number in range(4):
                ended[number].acquire()
                _thread.start_new_thread(load, (number,))
        for each in ended:
            each.acquire()
    """,
}


@pytest.mark.parametrize("first", FIRST)
def test_installed_when_first_imported(enabled: Path, first: str) -> None:
    """And no sooner: most interpreters never use a thread."""
    done = run(enabled, "-c", NOT_YET + textwrap.dedent(FIRST[first]) + OURS)
    assert done.stderr == ""
    assert done.stdout == "ours\n"


def test_imported_before(enabled: Path) -> None:
    """Another start-up file was first, and had imported threading."""
    site = run(enabled, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
    early = Path(site.strip(), "_early.pth")
    early.write_text("import threading\n")
    try:
        done = run(enabled, "-c", OURS)
        assert (done.stdout, done.stderr) == ("ours\n", "")
    finally:
        early.unlink()


def test_file_cannot_be_written(python: Path) -> None:
    """Nor is its beginning left behind."""
    place = "from ftthreading._startup import files; print(*files.startup_files(), sep='\\n')"
    obstacle = Path(run(python, "-c", place).stdout.splitlines()[-1])
    site = obstacle.parent
    obstacle.mkdir()
    try:
        done = run(python, "-m", "ftthreading", "--enable-at-startup")
        assert done.returncode == 1
        assert "VERDICT: FAILED: " in done.stderr
        assert {file.name for file in site.iterdir()} >= {obstacle.name, "ftthreading"}
        assert [*site.glob(".*ftthreading*"), *site.glob("_ftthreading*")] == []
    finally:
        obstacle.rmdir()


def test_without_the_package(python: Path) -> None:
    """The file of an environment that lost ftthreading does no harm."""
    assert run(python, "-m", "ftthreading", "--enable-at-startup").returncode == 0
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
    package = Path(site.strip(), "ftthreading")
    target = package.readlink()
    package.unlink()
    try:
        done = run(python, "-c", LOOK)
        assert (done.stdout, done.stderr) == ("object\n", "")
    finally:
        package.symlink_to(target)
        assert run(python, "-m", "ftthreading", "--disable-at-startup").returncode == 0


BROKEN = {
    "only caches": ({"__pycache__/x.pyc": ""}, None),
    "no core": ({"__init__.py": "from ._core import Lock"}, "No module named 'ftthreading._core'"),
    "no install": ({"__init__.py": "Lock = 1"}, "has no attribute 'install'"),
    "install fails": ({"__init__.py": "def install(): 1 / 0"}, "ZeroDivisionError: "),
    "of another Python": ({"__init__.py": "print 1"}, "SyntaxError: "),
}


@pytest.mark.parametrize("what", BROKEN)
def test_with_a_broken_package(enabled: Path, what: str) -> None:
    """Half removed, or of another version: threads go on, and one sentence says why so."""
    site = run(enabled, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
    package = Path(site.strip(), "ftthreading")
    files, complaint = BROKEN[what]
    target = package.readlink()
    package.unlink()
    try:
        for name, text in files.items():
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).write_text(text)
        assert run(enabled, "-c", "").stderr == ""
        done = run(enabled, "-c", LOOK + "; threading.Thread(target=print).start()")
        assert (done.returncode, done.stdout) == (0, "object\n\n")
        if complaint is None:
            assert done.stderr == ""
        else:
            assert complaint in done.stderr
            assert done.stderr.startswith("ftthreading is not used, for it cannot be loaded: ")
            assert "_ftthreading_at_startup.py)" in done.stderr
            assert done.stderr.count("\n") == 1
    finally:
        shutil.rmtree(package)
        package.symlink_to(target)


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="a .start file names an entry point")
def test_half_of_the_files_is_gone(enabled: Path) -> None:
    site = run(enabled, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
    (watcher,) = Path(site.strip()).glob("_ftthreading_at_startup.py")
    watcher.unlink()
    done = run(enabled, "-c", LOOK)
    assert (done.stdout, done.stderr) == ("object\n", "")


STATUS = "import ftthreading; print(ftthreading.status())"


def test_status_of_a_process(python: Path) -> None:
    def told(*arguments: str, **environment: str) -> str:
        done = run(python, *arguments, "-c", STATUS, **environment)
        assert done.stderr == ""
        return done.stdout.strip()

    launcher = ("-m", "ftthreading")
    assert told() == "Status(here=False, children=False)"
    assert told(*launcher) == "Status(here=True, children=False)"
    before = run(python, *launcher, "--status").stdout
    assert "this process: plain threading\n" in before
    assert "ftthreading runs: ftthreading; what it starts: plain threading\n" in before
    assert run(python, *launcher, "--enable-at-startup").returncode == 0
    try:
        assert told() == told(*launcher) == "Status(here=True, children=True)"
        off = {"FTTHREADING_AT_STARTUP": "0"}
        assert told(**off) == "Status(here=False, children=False)"
        assert told(*launcher, **off) == "Status(here=True, children=False)"
        after = run(python, *launcher, "--status").stdout
        assert "this process: ftthreading\n" in after
        assert "what it starts: ftthreading\n" in after
        site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
        watcher = Path(site.strip(), "_ftthreading_at_startup.py")
        watcher.write_text(watcher.read_text() + "# of another version\n")
        assert told(*launcher) == "Status(here=True, children=False)"
        renew = f"{watcher}: there, of another version (--enable-at-startup renews it)\n"
        assert renew in run(python, *launcher, "--status").stdout
    finally:
        assert run(python, *launcher, "--disable-at-startup").returncode == 0


def test_status_is_a_record() -> None:
    status = ftthreading.status()
    assert status == ftthreading.Status(status.here, status.children) != ()
    assert hash(status) == hash(ftthreading.Status(status.here, status.children))
    with pytest.raises(AttributeError):
        status.here = True
    with pytest.raises(AttributeError):
        del status.children


def test_not_installed(tmp_path: Path) -> None:
    """From a checkout only: nothing is left behind."""
    folder = tmp_path / "env"
    venv.create(folder, symlinks=True)
    import ftthreading._core

    where = f"{CHECKOUT}:{Path(ftthreading._core.__file__).parent.parent}"
    done = subprocess.run(
        [folder / "bin" / "python", "-m", "ftthreading", "--enable-at-startup"],
        cwd="/",
        env={**os.environ, "PYTHONPATH": where},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "VERDICT: FAILED: a new interpreter did not find ftthreading" in done.stderr
    assert not list(folder.rglob("*ftthreading*"))
