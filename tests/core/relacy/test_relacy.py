"""The core's memory orders, under Relacy.

The sources from primitives/ down compile as C++, too, on atomics that show a thread any value that
C11 allows, whatever this processor would do. Each test is searched at random, with the same runs
each time. Each acquire and release made relaxed, and each look under the bucket lock left out, must
be found (weakened.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.core.planted import CORE, Patch, patched
from tests.core.relacy.weakened import WEAKENED

HERE = Path(__file__).resolve().parent
# The sleeper and the raw lock as they are; atomics and clock are Relacy's.
SOURCES = [
    CORE / "os" / "futex.c",
    CORE / "os" / "pause.c",
    *sorted((CORE / "parking").glob("*.c")),
    *sorted((CORE / "primitives").glob("*.c")),
]
RUNS = 20_000
MOST_RUNS = 500_000  # to find a planted bug

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="compiles and loads a processor by itself"),
    pytest.mark.skipif(
        shutil.which("g++") is None or not Path("/usr/include/relacy/relacy.hpp").exists(),
        reason="needs g++ and Debian's relacy-dev",
    ),
]


def adapted(patch: Patch, folder: Path) -> Path:
    """Make a copy of the core that compiles as C++ on atomics of Relacy's."""
    core = patched(
        [*patch, ("parking/table.c", "static ftt_bucket table", "ftt_bucket table")], folder
    )
    for path in core.glob("*/*.[ch]"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"_Atomic (unsigned long|\w+) ", r"_Atomic(\1) ", text)  # C++ needs a macro
        path.write_text(text, encoding="utf-8")
    shutil.copy(HERE / "atomics.h", core / "os" / "atomics.h")
    return core


def compiled(source: Path, core: Path, folder: Path) -> Path:
    program = folder / f"{source.parent.name}-{source.stem}.o"
    # void * becomes any pointer without a cast; search.cpp reaches into Relacy's atomics.
    flags = ["-std=gnu++20", "-w", "-fpermissive", "-fno-access-control", f"-I{core}", f"-I{HERE}"]
    flags += ["-O1" if source.parent == HERE else "-O0"]
    command = ["g++", "-x", "c++", *flags, "-c", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


WRAPPED = [f"-Wl,--wrap={name}" for name in ("calloc", "sched_yield", "syscall")]


def linked(objects: list[Path], folder: Path) -> Path:
    program = folder / "search"
    command = ["g++", *map(str, objects), *WRAPPED, "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def built_from(core: Path, names: list[Path]) -> list[Path]:
    return [core / path.relative_to(CORE) for path in names]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make the objects of the core as it is, of the search and of the tests, by their names."""
    folder = tmp_path_factory.mktemp("relacy")
    core = adapted([], folder / "core")
    sources = [*built_from(core, SOURCES), HERE / "search.cpp", HERE / "tests.cpp"]
    made = [compiled(source, core, folder) for source in sources]
    return {path.name: path for path in made}


def search(program: Path, test: str, runs: int) -> str:
    done = subprocess.run(
        [str(program), test, str(runs)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr
    return done.stdout


TESTS = re.findall(r'^    \{"([\w-]+)", ', (HERE / "tests.cpp").read_text(), re.MULTILINE)


@pytest.mark.parametrize("test", TESTS)
def test_core_holds(test: str, objects: dict[str, Path], tmp_path: Path) -> None:
    found = search(linked(list(objects.values()), tmp_path), test, RUNS)
    assert f"iterations: {RUNS}\n" in found, found[-4000:]


@pytest.mark.parametrize(
    ("test", "patch"),
    [(each[0], each[2]) for each in WEAKENED],
    ids=[f"{p[0]}-{p[1]}" for p in WEAKENED],
)
def test_planted_bug_is_found(
    test: str, patch: Patch, objects: dict[str, Path], tmp_path: Path
) -> None:
    core = adapted(patch, tmp_path / "core")
    changed = [CORE / file for file, _, _ in patch]
    if any(path.suffix == ".h" for path in changed):
        changed = [path for path in SOURCES if path.parent.name == "primitives"]
        sources = [*built_from(core, changed), HERE / "tests.cpp"]
    else:
        sources = built_from(core, changed)
    made = {path.name: path for path in (compiled(each, core, tmp_path) for each in sources)}
    found = search(linked(list((objects | made).values()), tmp_path), test, MOST_RUNS)
    assert re.search("DATA RACE|DEADLOCK|USER ASSERT FAILED", found), found
