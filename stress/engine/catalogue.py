"""All scenarios, by name: the shipped ones, and those in files of the user's own."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from toolkit.address import command

from .. import scenarios
from ..api.scenario import Scenario


class NoScenario(Exception):
    """There is no such scenario, or its file cannot be read."""


def _in(module: ModuleType) -> dict[str, type[Scenario]]:
    return {
        cls.name(): cls
        for cls in vars(module).values()
        if inspect.isclass(cls)
        and issubclass(cls, Scenario)
        and cls.__module__ == module.__name__
        and not inspect.isabstract(cls)
        and cls.cast(1)
    }


@functools.cache
def shipped() -> dict[str, type[Scenario]]:
    """Return the scenarios of this package, in the order of their files."""
    found: dict[str, type[Scenario]] = {}
    for part in pkgutil.walk_packages(scenarios.__path__, f"{scenarios.__name__}."):
        found |= _in(importlib.import_module(part.name))
    return found


@functools.cache
def _from_file(path: str) -> dict[str, type[Scenario]]:
    name = f"stress_file_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise NoScenario(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise NoScenario(f"{path}, line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = "".join(traceback.format_exception_only(error)).strip()
        raise NoScenario(
            f"{path} cannot be imported: {what} ({place[0]}, line {place[1]})"
        ) from None
    found = _in(module)
    if not found:
        raise NoScenario(f"no subclass of stress.Scenario with an actor in {path}")
    return found


def all_scenarios(files: Sequence[str] = ()) -> dict[str, type[Scenario]]:
    """Return every scenario by its name; those in `files` come last. Raises NoScenario."""
    found = dict(shipped())
    for path in files:
        found |= _from_file(path)
    return found


def find(name: str, files: Sequence[str] = ()) -> type[Scenario]:
    """Return a scenario by its name. Raises NoScenario."""
    try:
        return all_scenarios(files)[name]
    except KeyError:
        raise NoScenario(f"no scenario {name}; `{command('stress')} list` names them") from None
