"""The rooms of stress, perf and what they stand on: no import runs up a floor, or in a circle."""

import ast
import graphlib
import importlib.util
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Of each package its folders and modules, from the ground up: each may import what is before it.
FLOORS = {
    "toolkit": ("files", "machine", "tables", "progress", "child"),
    "perf": (
        *("programs", "native", "results", "analysis", "instruments", "cases", "worker"),
        *("runner", "dashboard", "cli", "__main__"),
    ),
}
# Of our own packages those that each may import beside itself.
BELOW: dict[str, set[str]] = {
    "toolkit": set(),
    "perf": {"toolkit"},
    "stress": {"toolkit", "ftthreading"},
    "ci": {"toolkit"},
}
OURS = {"toolkit", "perf", "stress", "ci", "tests", "ftthreading"}
MOST_FILES = 20

pytestmark = pytest.mark.once


def name_of(path: pathlib.Path) -> str:
    """Return a file's name as a module, such as "perf.cases.latency"; a package is its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): path
    for package in BELOW
    for path in sorted((ROOT / package).rglob("*.py"))
    if "programs" not in path.relative_to(ROOT).parts[:-1] or path.name == "catalogue.py"
}
"""All, but for programs that run as files of their own: they see nothing of ours."""


def imported(name: str) -> Iterator[str]:
    """Yield the modules of ours that a module imports, anywhere in it."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level + (node.module or "")
            start = importlib.util.resolve_name(dots, package)
            deeper = [f"{start}.{each.name}" for each in node.names]
            found = [each if each in MODULES else start for each in deeper]
        else:
            continue
        yield from (each for each in found if each.partition(".")[0] in OURS)


def room(name: str) -> str:
    """Return the folder or the module right below the package, or "" for the package itself."""
    return name.partition(".")[2].partition(".")[0]


@pytest.mark.parametrize("package", BELOW)
def test_packages_import_only_what_they_stand_on(package: str) -> None:
    arrows = [
        (name, other)
        for name in MODULES
        if name.partition(".")[0] == package
        for other in imported(name)
        if other.partition(".")[0] not in {package, *BELOW[package]}
    ]
    assert arrows == []


@pytest.mark.parametrize("package", FLOORS)
def test_no_import_runs_up_a_floor(package: str) -> None:
    floors = FLOORS[package]
    inside = [name for name in MODULES if name.startswith(f"{package}.")]
    assert {room(name) for name in inside} == set(floors)
    arrows = [
        (name, other)
        for name in inside
        for other in imported(name)
        if other.startswith(f"{package}.") and floors.index(room(other)) > floors.index(room(name))
    ]
    assert arrows == []


@pytest.mark.parametrize("package", FLOORS)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    graph = {
        name: {other for other in imported(name) if other in MODULES and other != name}
        for name in MODULES
        if name.partition(".")[0] == package
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("package", FLOORS)
def test_no_folder_is_a_heap(package: str) -> None:
    folders = [path for path in (ROOT / package).rglob("*") if path.is_dir()]
    sizes = {
        str(folder.relative_to(ROOT)): sum(1 for path in folder.iterdir() if path.is_file())
        for folder in [ROOT / package, *folders]
        if folder.name != "__pycache__"
    }
    assert {folder: size for folder, size in sizes.items() if size > MOST_FILES} == {}
