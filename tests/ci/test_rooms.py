"""The rooms of the packages: imports run down, so none goes in a circle."""

import ast
import collections
import graphlib
import importlib.util
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Of each package its rooms, folders and modules right below it, floor by floor from the ground up.
# A room imports of itself and of the floors below its own.
FLOORS = {
    "toolkit": (
        (
            "__init__",
            "address",
            "child",
            "exits",
            "files",
            "machine",
            "pages",
            "progress",
            "tables",
        ),
    ),
    "perf": (
        ("__init__", "analysis", "native", "programs", "results"),
        ("instruments",),
        ("cases",),
        ("dashboard", "worker"),
        ("runner",),
        ("cli",),
        ("__main__",),
    ),
    "stress": (
        ("api", "processes", "records", "targets"),
        ("linearizability", "nemeses"),
        ("scenarios",),
        ("engine",),
        ("__init__", "mutation"),
        ("cli",),
        ("__main__", "pytest_plugin"),
    ),
}
# Of our packages those that each may import beside itself.
BELOW: dict[str, set[str]] = {
    "toolkit": set(),
    "ftthreading": {"ftthreading_tools"},
    "ftthreading_tools": set(),
    "perf": {"toolkit"},
    "stress": {"toolkit", "ftthreading"},
    "ci": {"toolkit"},
}
OURS = {*BELOW, "tests"}
# `install` puts the names of the whole package in threading's place, and is one of them.
AT_LAST = ("ftthreading._install", "ftthreading")
MOST_FILES = 20

pytestmark = pytest.mark.once


def name_of(path: pathlib.Path) -> str:
    """Return a file's name as a module, such as "perf.cases.latency"; a package is its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def runs_alone(path: pathlib.Path) -> bool:
    """Say whether it is a program that runs as a file, and so sees nothing of ours."""
    folders = path.relative_to(ROOT).parts[:-1]
    return "programs" in folders and path.name not in ("__init__.py", "catalogue.py")


MODULES = {
    name_of(path): path
    for package in BELOW
    for path in sorted((ROOT / package).rglob("*.py*"))
    if path.name == "_core.pyi" or (path.suffix == ".py" and not runs_alone(path))
}


def of(package: str) -> list[str]:
    return [name for name in MODULES if name.partition(".")[0] == package]


def imported(name: str) -> Iterator[str]:
    """Yield the modules of ours that a module imports, also late or for its types."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            deeper = [f"{start}.{each.name}" for each in node.names]
            found = [each if each in MODULES else start for each in deeper]
        else:
            continue
        yield from (each for each in found if each.partition(".")[0] in OURS)


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


@pytest.mark.parametrize("package", BELOW)
def test_packages_import_only_what_they_stand_on(package: str) -> None:
    known = {package, *BELOW[package]}
    arrows = [(name, other) for name in of(package) for other in imported(name)]
    assert [arrow for arrow in arrows if arrow[1].partition(".")[0] not in known] == []


@pytest.mark.parametrize("package", FLOORS)
def test_imports_run_down_from_room_to_room(package: str) -> None:
    floors = {room: floor for floor, rooms in enumerate(FLOORS[package]) for room in rooms}
    assert {room(name) for name in of(package)} == set(floors)
    arrows = [
        (name, other)
        for name in of(package)
        for other in imported(name)
        if other.partition(".")[0] == package and room(other) != room(name)
    ]
    assert [(a, b) for a, b in arrows if floors[room(b)] >= floors[room(a)]] == []


@pytest.mark.parametrize("package", [*FLOORS, "ftthreading"])
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    graph = {
        name: {
            other
            for other in imported(name)
            if other in MODULES and other != name and (name, other) != AT_LAST
        }
        for name in of(package)
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_a_class_name_occurs_once() -> None:
    """But for targets, whose classes are named as threading's."""
    found = collections.defaultdict(list)
    for name, path in MODULES.items():
        if not name.startswith("stress.targets."):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(name)
    assert {name: where for name, where in found.items() if len(where) > 1} == {}


@pytest.mark.parametrize("package", [*BELOW, "tests"])
def test_no_folder_is_crowded(package: str) -> None:
    folders = [path for path in (ROOT / package).rglob("*") if path.is_dir()]
    sizes = {
        str(folder.relative_to(ROOT)): sum(1 for path in folder.iterdir() if path.is_file())
        for folder in [ROOT / package, *folders]
        if folder.name != "__pycache__"
    }
    assert {folder: size for folder, size in sizes.items() if size > MOST_FILES} == {}
