"""Plants a mutant's bug into the golden reference, and makes a module of it."""

from __future__ import annotations

import functools
import importlib
import linecache
import re
import sys
from pathlib import Path
from types import ModuleType

from .. import golden
from .barriers import BARRIERS
from .conditions import CONDITIONS
from .events import EVENTS
from .locks import LOCKS
from .mutant import Mutant
from .queues import QUEUES
from .semaphores import SEMAPHORES
from .threads import THREADS

CHANCE = """
import random as _random


def _chance(p):
    return _random.random() < p

"""


TABLES = (LOCKS, CONDITIONS, SEMAPHORES, EVENTS, BARRIERS, QUEUES, THREADS)


class NoMutant(Exception):
    """There is no such mutant, or its bug does not fit into the golden reference any more."""


def mutants() -> dict[str, Mutant]:
    """Return all mutants by name."""
    return {mutant.name: mutant for table in TABLES for mutant in table}


def patched(mutant: Mutant) -> dict[str, str]:
    """Return the source of each part with the bug in it. Raises NoMutant if it does not fit."""
    sources = {}
    for name in golden.PARTS:
        file = importlib.import_module(name).__file__
        assert file is not None
        sources[name.rpartition(".")[2]] = Path(file).read_text(encoding="utf-8")
    count = sources[mutant.part].count(mutant.old)
    if count != 1:
        raise NoMutant(f"mutant {mutant.name}: its piece is {count} times in {mutant.part}")
    sources[mutant.part] = sources[mutant.part].replace(mutant.old, mutant.new)
    return sources


@functools.cache
def build(name: str) -> ModuleType:
    """Return the module of a mutant. Raises NoMutant."""
    try:
        mutant = mutants()[name]
    except KeyError:
        raise NoMutant(f"no mutant {name}") from None
    package = ModuleType(f"stress_mutant_{name}")
    sys.modules[package.__name__] = package
    folder = f"{Path(golden.__file__).parent}/{package.__name__}"
    for part, source in patched(mutant).items():
        module = ModuleType(f"{package.__name__}.{part}")
        module.__file__ = f"{folder}/{part}.py"
        module.__package__ = package.__name__
        sys.modules[module.__name__] = module
        text = re.sub(r"(from __future__ import annotations\n)", r"\1" + CHANCE, source, count=1)
        linecache.cache[module.__file__] = (
            len(text),
            None,
            text.splitlines(keepends=True),
            module.__file__,
        )
        exec(compile(text, module.__file__, "exec"), vars(module))
        for key, value in vars(module).items():
            if getattr(value, "__module__", None) == module.__name__ and not key.startswith("_"):
                setattr(package, key, value)
    for key in ("TIMEOUT_MAX", "BrokenBarrierError", "local", "get_ident", "get_native_id"):
        setattr(package, key, getattr(golden, key))
    package.PARTS = tuple(f"{package.__name__}.{part}" for part in sources_order())  # type: ignore[attr-defined]
    return package


def sources_order() -> list[str]:
    return [name.rpartition(".")[2] for name in golden.PARTS]
