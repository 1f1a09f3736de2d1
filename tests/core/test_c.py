"""The lower half of the core, without an interpreter: see c/.

A wrong memory order cannot be seen from Python, not even on a ThreadSanitizer build of the
interpreter, whose own atomics order the threads.  So a C program hammers each entry from
loops in C.  The correct core must pass in every build; each planted bug (planted.py) must be
reported, which shows that the program can fail.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.core.planted import BUGS, CORE, WINDOWS, patched

ROOT = Path(__file__).resolve().parents[2]
# Everything below blocking.h, the interface to Python: the waiting, and each primitive's algorithm.
FLOORS = ("os", "parking", "primitives")
LOWER_HALF = [path for floor in FLOORS for path in sorted((CORE / floor).glob("*.c"))]
PROGRAM = sorted((ROOT / "tests" / "core" / "c").glob("*.c"))
TSAN = "-fsanitize=thread"
POSIX = "-DFTT_POSIX_BACKEND"
WIDEN = "-DWIDEN"
"""The core gets WINDOWS then; to the program it says that it has to supply them."""

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="compiles and loads both processors by itself"),
]


def can_build(compiler: str, flags: tuple[str, ...], folder: Path) -> bool:
    """Whether the compiler is there with the runtime that the flags need."""
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    command = [compiler, *flags, str(probe), "-o", str(folder / "probe")]
    return (
        shutil.which(compiler) is not None and subprocess.run(command, check=False).returncode == 0
    )


def build(compiler: str, flags: tuple[str, ...], folder: Path, bug: str | None = None) -> Path:
    program = folder / "core"
    patch = [*(WINDOWS if WIDEN in flags else []), *(BUGS[bug] if bug else [])]
    core = patched(patch, folder / "patched")
    sources = [core / path.relative_to(CORE) for path in LOWER_HALF] + PROGRAM
    command = [compiler, "-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", *flags]
    command += [f"-I{core}", *map(str, sources), "-o", str(program), "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return program


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
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
        done = run(program, "-t", threads, "-n", "2000", "-s", seed)
        assert done.returncode == 0, f"{program} -t {threads} -s {seed}\n{done.stdout}"
        assert "ThreadSanitizer" not in done.stdout, done.stdout


@pytest.mark.parametrize("bug", [None, *BUGS])
def test_patch_applies(bug: str | None, tmp_path: Path) -> None:
    patched([*WINDOWS, *(BUGS[bug] if bug else [])], tmp_path / "patched")


def test_patch_that_does_not_apply_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"os/os\.h has 0 places like 'no such text', not one"):
        patched([("os/os.h", "no such text", "")], tmp_path / "patched")


@pytest.mark.parametrize("path", LOWER_HALF, ids=lambda path: path.name)
def test_lower_half_knows_nothing_of_python(path: Path) -> None:
    command = ["gcc", "-std=c11", "-MM", f"-I{CORE}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Python.h" not in done.stdout


def test_no_include_runs_up_a_floor() -> None:
    floors = [*FLOORS, "python", "profiling", "types", "threads", "inspection", "tracing"]
    assert {path.parent.name for path in CORE.glob("*/*.[ch]")} == set(floors)
    for path in CORE.glob("*/*.[ch]"):
        for floor in re.findall(r'^#include "(\w+)/', path.read_text(), re.MULTILINE):
            assert floors.index(floor) < floors.index(path.parent.name), path


STANDSTILL = "STANDSTILL"
PLANTED = [
    # bug, flags, scenarios, what the report says
    ("WEAK_RELEASE", (TSAN,), ("exclusion", "hand-over"), "data race"),
    ("WEAK_RELEASE", (TSAN,), ("permit",), "data race"),
    ("WEAK_RELEASE", (TSAN,), ("event-turns",), "data race"),
    ("WEAK_RELEASE", (TSAN,), ("event-again",), "data race"),
    ("NO_RECHECK", (WIDEN,), ("hand-over",), STANDSTILL),
    ("NO_RECHECK", (WIDEN,), ("permit",), STANDSTILL),
    ("NO_RECHECK", (WIDEN,), ("event-turns",), STANDSTILL),
    ("DROP_WAKE", (), ("exclusion",), STANDSTILL),
    ("DROP_WAKE", (), ("queue-lock",), STANDSTILL),
    ("DROP_WAKE", (), ("generations",), STANDSTILL),
    ("KEEP_AWAKE", (WIDEN,), ("exclusion",), STANDSTILL),
    ("KEEP_AWAKE", (WIDEN,), ("permit",), STANDSTILL),
    ("TIMEOUT_WINS", (WIDEN,), ("timeouts",), STANDSTILL),
    ("TIMEOUT_WINS", (WIDEN,), ("permit",), STANDSTILL),
    ("FORGET_CLAIMS", (WIDEN,), ("fork",), STANDSTILL),
    ("JUMP_TURN", (), ("turns",), "two actions at once"),
    ("KEEP_TURN", (WIDEN,), ("turns",), STANDSTILL),
    ("END_UNREAD", (WIDEN,), ("calls",), "FAILED calls"),
]


def hunt(folder: Path, bug: str, flags: tuple[str, ...], scenarios: tuple[str, ...]) -> str | None:
    """Return what the program said when it met the bug, or at last; None if it cannot be built."""
    folder.mkdir()
    if not can_build("gcc", flags, folder):
        return None
    program = build("gcc", flags, folder, bug)
    # A race is met by chance: seed after seed for a while, and the first that meets it will do.
    end = time.monotonic() + 90
    for seed in itertools.count(1):
        done = run(program, "-t", "8", "-n", "30000", "-s", str(seed), *scenarios)
        if done.returncode != 0 or time.monotonic() > end:
            break
    return done.stdout if done.returncode != 0 else f"the bug was not noticed\n{done.stdout}"


@pytest.fixture(scope="module")
def hunts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Future[str | None]]]:
    """All hunts, some at a time: most of each is the wait for a thread that does not get on."""
    folder = tmp_path_factory.mktemp("planted")
    with ThreadPoolExecutor(6) as pool:
        hunts = [
            pool.submit(hunt, folder / str(i), *planted[:3]) for i, planted in enumerate(PLANTED)
        ]
        yield hunts
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=[f"{p[0]}-{p[2][0]}" for p in PLANTED])
def test_planted_bug_is_caught(number: int, hunts: list[Future[str | None]]) -> None:
    found = hunts[number].result(timeout=250)
    if found is None:
        pytest.skip("gcc cannot build it here")
    assert PLANTED[number][3] in found, found
