"""Each folder is a room, on a floor of the house: imports run down, so none can go in a circle."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS = {
    "stress": {
        "records": 0,
        "processes": 0,
        "targets": 0,
        "api": 0,
        "__init__": 1,
        "nemeses": 1,
        "linearizability": 1,
        "scenarios": 2,
        "engine": 3,
        "mutation": 4,
        "cli": 5,
        "__main__": 6,
        "pytest_plugin": 6,
    }
}
"""Of each package: its rooms, and the modules that stand in none, by floor, the ground first."""

MOST_FILES = 20

pytestmark = pytest.mark.once


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room(parts: tuple[str, ...]) -> str:
    """The room of a module by its dotted name's parts, the package's own first."""
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield what a file imports, also late or for its types: dotted names, as parts."""
    here = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(name, here)
            yield from ((*base.split("."), alias.name) for alias in node.names)


@pytest.mark.parametrize("package", FLOORS)
def test_imports_run_down_from_room_to_room(package: str) -> None:
    floors = FLOORS[package]
    found = {room(path.relative_to(ROOT).with_suffix("").parts) for path in modules(package)}
    assert found == set(floors)
    wrong = []
    for path in modules(package):
        mine = room(path.relative_to(ROOT).with_suffix("").parts)
        for parts in imports(path):
            theirs = room(parts)
            if parts[0] != package or theirs == mine:
                continue
            # What is no room is a name in the package's own __init__.
            theirs = theirs if theirs in floors else "__init__"
            if floors[theirs] >= floors[mine]:
                wrong.append(f"{path.relative_to(ROOT)} imports {'.'.join(parts)}")
    assert wrong == []


@pytest.mark.parametrize("package", [*FLOORS, "tests"])
def test_no_folder_is_crowded(package: str) -> None:
    folders = {path.parent for path in modules(package)}
    crowded = {folder: len(list(folder.glob("*.py"))) for folder in folders}
    assert {f: n for f, n in crowded.items() if n > MOST_FILES} == {}
