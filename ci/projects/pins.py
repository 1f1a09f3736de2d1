"""Which projects `ci/suites` takes: projects.toml, read and checked.

Each project is a table:

version, sha256    of its source distribution
requires           what its tests need besides; versions are in constraints.txt
package            its name in the package index, if another than the table's
tests              arguments for pytest, from the top of the source
programs           files of ours in programs/ that take the place of its tests
plugins            files of ours in programs/ that pytest loads besides
variables          a table of environment variables
remove             folders of the source that would hide the installed package
seconds            the limit of one run of its suite; test_seconds: of one test
deselect           a list of {test, reason}: what is left out on both sides. A test is a node ID of
                   pytest, or a part of one that ends before `::` or `[`, or a pattern
accepted           the same: what may differ. A test is a whole node ID
absent             a table from a tag to the reason why the project cannot be had there
quick              whether it is one of those for every change
"""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PINS = FOLDER / "projects.toml"
CONSTRAINTS = FOLDER / "constraints.txt"
PROGRAMS = FOLDER / "programs"


@dataclasses.dataclass(frozen=True)
class Project:
    """A project, see above."""

    name: str
    version: str
    sha256: str
    package: str
    requires: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    seconds: int = 600
    test_seconds: int = 60
    deselect: Mapping[str, str] = dataclasses.field(default_factory=dict)
    accepted: Mapping[str, str] = dataclasses.field(default_factory=dict)
    absent: Mapping[str, str] = dataclasses.field(default_factory=dict)
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    quick: bool = False

    @property
    def pinned(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"

    @property
    def pinned_as(self) -> str:
        """What people are told."""
        return f"{self.name} {self.version}"


@dataclasses.dataclass(frozen=True)
class Pins:
    """All projects, and what is needed to build sdists and to run tests."""

    build: tuple[str, ...]
    test: tuple[str, ...]
    projects: Mapping[str, Project]


def _reasons(entries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {entry["test"]: entry["reason"] for entry in entries}


def _project(name: str, values: Mapping[str, Any]) -> Project:
    """Raises TypeError or KeyError if something is missing, or there is too much."""
    made: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    for key in ("deselect", "accepted"):
        made[key] = _reasons(values.get(key, ()))
    return Project(**{"name": name, "package": name, **made})


def load(path: Path = PINS) -> Pins:
    """Read the file."""
    values = tomllib.loads(path.read_text())
    projects = {name: _project(name, each) for name, each in values["projects"].items()}
    return Pins(tuple(values["build"]), tuple(values["test"]), projects)
