"""The package as others get it: built from a copy of the checkout, without a warning.

Each compiler at hand builds it with either back end. What is installed from the wheel is imported
in a process of its own, far from the checkout.
"""

import re
import runpy
import shutil
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import setuptools

from tests.support.packaging import copy_of_the_checkout, run

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.thread_unsafe(reason="runs compilers and installers")

SANITIZED = "--with-thread-sanitizer" in (sysconfig.get_config_var("CONFIG_ARGS") or "")


def build(folder: Path, **environment: str) -> tuple[Path, str]:
    """Build the wheel in ``folder``; return its path and the log."""
    source = copy_of_the_checkout(folder)
    log = run(
        *(sys.executable, "-m", "pip", "-v", "wheel", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "-w", folder, "."),
        cwd=source,
        **environment,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel, log


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a wheel built with the interpreter's own compiler, and the log."""
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def wheel(built: tuple[Path, str]) -> Path:
    return built[0]


def check(log: str, compiler: str, *flags: str) -> None:
    expected = {compiler, *flags, "-Wall", "-Wextra", "ftthreading/core/parking/park.c"}
    assert any(expected <= set(line.split()) for line in log.splitlines()), log
    # setuptools calls it a warning that PYTHONDONTWRITEBYTECODE is set.
    told = re.sub(r"warning: \w+: byte-compiling is disabled, skipping\.", "", log)
    warnings = [line for line in told.splitlines() if re.search(r"warning", line, re.IGNORECASE)]
    assert warnings == []


def test_builds_cleanly(built: tuple[Path, str]) -> None:
    check(built[1], sysconfig.get_config_var("CC").split()[0])


@pytest.mark.once  # other interpreters have theirs nightly
@pytest.mark.parametrize("backend", ["linux", "posix"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_builds_cleanly_by_each_compiler(compiler: str, backend: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    if SANITIZED and compiler == "gcc":
        pytest.skip("an extension for an interpreter sanitized by clang must be built by clang")
    flags = "-DFTT_POSIX_BACKEND" if backend == "posix" else ""
    _, log = build(tmp_path, CC=compiler, CPPFLAGS=flags)
    check(log, compiler, *flags.split())


# What is asked of it, it makes an empty file of.
NO_COMPILER = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\n: >"$2"\n'


@pytest.mark.parametrize("flags", [None, "", "-g -DFTT_POSIX_BACKEND", "-O1 -g"])
def test_core_is_optimised_as_the_interpreter_is(tmp_path: Path, flags: str | None) -> None:
    # setuptools takes CFLAGS, even an empty one, in place of the interpreter's -O3: a build that
    # sets it would be correct and half as fast.
    own = (sysconfig.get_config_var("CFLAGS") or "").split()
    levels = [flag for flag in own if flag.startswith("-O")]
    if not levels:
        pytest.skip("the interpreter itself was built without optimisation")
    compiler = tmp_path / "cc"
    compiler.write_text(NO_COMPILER)
    compiler.chmod(0o755)
    given = {} if flags is None else {"CFLAGS": flags}
    _, log = build(tmp_path, CC=str(compiler), **given)
    lines = [line.split() for line in log.splitlines() if " -c ftthreading/core/" in line]
    assert lines, log
    expected = "-O1" if "-O1" in (flags or "") else levels[-1]
    for line in lines:
        assert [flag for flag in line if flag.startswith("-O")][-1] == expected, log
        assert set((flags or "").split()) <= set(line), log


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "ftthreading",
        "ftthreading_tools",  # of which test_installed.py says more
    }
    ours = {name for name in names if name.startswith("ftthreading/")}
    assert {Path(name).suffix for name in ours} <= {".py", ".pyi", ".so", ".typed", ".h"}
    assert "ftthreading/py.typed" in ours
    assert "ftthreading/_core.pyi" in ours
    assert len([name for name in ours if name.endswith(".so")]) == 1
    checkout = {str(path.relative_to(ROOT)) for path in (ROOT / "ftthreading").rglob("*.py")}
    assert checkout == {name for name in ours if name.endswith(".py")}


def test_wheel_needs_nothing_at_run_time(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Name"] == "ftthreading"
    optional = metadata.get_all("Requires-Dist", [])
    assert [requirement for requirement in optional if "extra ==" not in requirement] == []


def test_wheel_brings_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (name,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["License-Expression"] == "MIT"
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_installed_wheel_imports_with_the_lock_still_off(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    run(
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"),
        *("--no-index", "--target", target, wheel),
        cwd=tmp_path,
    )
    script = (
        "import sys, sysconfig, warnings; warnings.simplefilter('error');"
        f"sys.path.insert(0, {str(target)!r});"
        "import ftthreading, ftthreading._core as core;"
        f"assert ftthreading.__file__.startswith({str(target)!r}), ftthreading.__file__;"
        f"assert core.__file__.startswith({str(target)!r}), core.__file__;"
        "free = bool(sysconfig.get_config_var('Py_GIL_DISABLED'));"
        "assert sys._is_gil_enabled() is not free;"
        "print('fine')"
    )
    assert run(sys.executable, "-I", "-c", script, cwd=tmp_path) == "fine\n"


def test_windows_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_setup(**_: object) -> None:
        pytest.fail("setup() was called")

    monkeypatch.setattr(setuptools, "setup", no_setup)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="does not support Windows yet"):
        runpy.run_path(str(ROOT / "setup.py"))
