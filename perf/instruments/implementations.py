"""What is measured: any module shaped like `threading`, and the floor that does nothing."""

import contextlib
import dataclasses
import importlib
import types
from collections.abc import Callable
from typing import Any

from perf import native
from perf.results.case import FLOOR

NAMES = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event")  # the floor's


@dataclasses.dataclass(frozen=True)
class Implementation:
    """A module shaped like `threading`, under the name that the tables show.

    measured: makes what is on while it is measured.
    """

    name: str
    module: Any
    measured: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext

    @classmethod
    def of(cls, name: str) -> "Implementation":
        """Import it; "ftthreading+profile" is with `ftthreading.diagnostics.profile()` on.

        Raises ImportError.
        """
        module, _, on = name.partition("+")
        found = cls(name, importlib.import_module(module))
        if not on:
            return found
        diagnostics = importlib.import_module(f"{module}.diagnostics")
        if not hasattr(diagnostics, on):
            raise ImportError(f"{module}.diagnostics has no {on}")
        return dataclasses.replace(found, measured=getattr(diagnostics, on))

    def make(self, primitive: str, *args: Any) -> Any:
        """Make a primitive by its name in `threading`, such as "Lock"."""
        return getattr(self.module, primitive)(*args)


def floor() -> Implementation:
    """Return the implementation that waits for nothing and costs one method call."""
    return Implementation(FLOOR, types.SimpleNamespace(**dict.fromkeys(NAMES, native.Floor)))


def load(names: str) -> list[Implementation]:
    """Import implementations from a list like "threading,ftthreading"; the first is the base.

    Raises ImportError.
    """
    return [Implementation.of(name) for name in names.split(",")]
