"""What is measured: any module shaped like `threading`, and the floor that does nothing."""

import contextlib
import dataclasses
import importlib
import types
from typing import Any, cast

from perf import native
from perf.results.case import FLOOR

NAMES = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event")  # the floor's


@dataclasses.dataclass(frozen=True)
class Implementation:
    """A module shaped like `threading`, under the name that the tables show."""

    name: str
    module: Any

    def make(self, primitive: str, *args: Any) -> Any:
        """Make a primitive by its name in `threading`, such as "Lock"."""
        return getattr(self.module, primitive)(*args)

    def measured(self) -> contextlib.AbstractContextManager[object]:
        """Return what is to be entered while it is measured: the module's own, if it has one."""
        own = getattr(self.module, "measured", contextlib.nullcontext)
        return cast("contextlib.AbstractContextManager[object]", own())


def floor() -> Implementation:
    """Return the implementation that waits for nothing and costs one method call."""
    return Implementation(FLOOR, types.SimpleNamespace(**dict.fromkeys(NAMES, native.Floor)))


def load(names: str) -> list[Implementation]:
    """Import implementations from a list like "threading,ftthreading"; the first is the base.

    Raises ImportError.
    """
    return [Implementation(name, importlib.import_module(name)) for name in names.split(",")]
