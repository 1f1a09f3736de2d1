"""The lower half of the core, without an interpreter: see tests/core/.

A wrong memory order cannot be seen from Python, not even on a ThreadSanitizer build of the
interpreter, whose own atomics order the threads.  So a C program hammers each entry from
loops in C.  The correct core must pass in every build; each planted bug
(ftthreading/core/testing.h) must be reported, which shows that the program can fail.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "ftthreading" / "core"
SOURCES = [
    *(CORE / name for name in ("park.c", "thread.c", "spin.c", "os_linux.c", "os_posix.c")),
    *(CORE / name for name in ("lock.c", "rlock.c")),
    *sorted((ROOT / "tests" / "core").glob("*.c")),
]
TSAN = "-fsanitize=thread"
POSIX = "-DFTT_POSIX_BACKEND"
WIDEN = "-DFTT_WIDEN"

pytestmark = [
    pytest.mark.core_c,
    pytest.mark.thread_unsafe(reason="compiles and loads both processors by itself"),
]


def can_build(compiler: str, flags: tuple[str, ...], folder: Path) -> bool:
    """Whether the compiler is there with the runtime that the flags need."""
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    command = [compiler, *flags, str(probe), "-o", str(folder / "probe")]
    return shutil.which(compiler) is not None and subprocess.run(command).returncode == 0


def build(compiler: str, flags: tuple[str, ...], folder: Path) -> Path:
    program = folder / "core"
    command = [compiler, "-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", *flags]
    command += [f"-I{CORE}", *map(str, SOURCES), "-o", str(program), "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return program


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("widen", [(), (WIDEN,)], ids=["plain", "widened"])
@pytest.mark.parametrize("sanitizer", [(), (TSAN,)], ids=["optimised", "tsan"])
@pytest.mark.parametrize("backend", [(), (POSIX,)], ids=["native", "posix"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_correct_core_passes(
    compiler: str,
    backend: tuple[str, ...],
    sanitizer: tuple[str, ...],
    widen: tuple[str, ...],
    tmp_path: Path,
) -> None:
    flags = (*backend, *sanitizer, *widen)
    if not can_build(compiler, flags, tmp_path):
        pytest.skip(f"{compiler} cannot build with {' '.join(flags)} here")
    program = build(compiler, flags, tmp_path)
    for seed, threads in (("1", "4"), ("2", "16")):
        done = run(program, "-t", threads, "-n", "10000", "-s", seed)
        assert done.returncode == 0, f"{program} -t {threads} -s {seed}\n{done.stdout}"
        assert "ThreadSanitizer" not in done.stdout, done.stdout


PLANTED = [
    # bug, flags, scenarios, what the report says
    ("WEAK_RELEASE", (TSAN,), ("exclusion", "hand-over"), "data race"),
    ("NO_RECHECK", (WIDEN,), ("hand-over",), "STANDSTILL"),
    ("DROP_WAKE", (), ("exclusion",), "STANDSTILL"),
    ("KEEP_AWAKE", (WIDEN,), ("exclusion",), "STANDSTILL"),
    ("TIMEOUT_WINS", (WIDEN,), ("timeouts",), "STANDSTILL"),
    ("FORGET_CLAIMS", (WIDEN,), ("fork",), "STANDSTILL"),
]


@pytest.mark.parametrize("bug, flags, scenarios, report", PLANTED, ids=[p[0] for p in PLANTED])
def test_planted_bug_is_caught(
    bug: str, flags: tuple[str, ...], scenarios: tuple[str, ...], report: str, tmp_path: Path
) -> None:
    flags = (*flags, f"-DFTT_PLANT_{bug}")
    if not can_build("gcc", flags, tmp_path):
        pytest.skip(f"gcc cannot build with {' '.join(flags)} here")
    program = build("gcc", flags, tmp_path)
    done = run(program, "-t", "8", "-n", "100000", *scenarios)
    assert done.returncode != 0, f"the bug was not noticed\n{done.stdout}"
    assert report in done.stdout, done.stdout
