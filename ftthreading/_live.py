"""What ftthreading does not define is `threading`'s, at this moment, for reading and writing.

A program sets ``threading.excepthook``, a debugger looks at `threading._active`, a test
replaces `threading._start_joinable_thread`: done on ftthreading, it must reach the module
that the threads look at. A copied name would be stale on reading and without effect when set.
"""

from __future__ import annotations

import threading
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def live(module: str, name: str) -> Any:
    """Return what `threading` binds to `name` now. Raises AttributeError for `module`."""
    try:
        return getattr(threading, name)
    except AttributeError:
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name) from None


# What stood in `threading` before a name was set through LiveModule for the first time.
_covered: dict[str, object] = {}


class LiveModule(ModuleType):
    """A module whose names that it does not bind itself are set in `threading`.

    Deleting such a name uncovers what was there before it was set. Tools that patch modules
    delete what they did not find in the module's own namespace, and expect just that.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.__dict__ and hasattr(threading, name):
            _covered.setdefault(name, getattr(threading, name))
            setattr(threading, name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name not in self.__dict__ and name in _covered:
            setattr(threading, name, _covered.pop(name))
        else:
            super().__delattr__(name)
