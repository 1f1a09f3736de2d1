"""Give way to green threads.

eventlet and gevent put green threads in the place of threads: all of them run in one thread of the
system, and change over where one would wait. Their `monkey_patch` replaces the lock below the
interpreter's Event, Semaphore and queue, and so these wait green. Ours are C and wait in the
kernel: the first wait of one green thread would stop all of them for ever, without a word.

So the two exclude each other. `install` refuses where threads are green already; and while it is
installed, a finder looks for the import of the module that does the patching, and gives `threading`
back with a warning before it can begin. (The module may be imported only to ask whether it has
patched; to run on plain `threading` then is the smaller evil.)
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The module that patches, and its function that says whether it has.
_PATCHERS = {
    "eventlet.patcher": ("is_monkey_patched", "thread"),
    "gevent.monkey": ("is_module_patched", "threading"),
}

_REASON = "puts green threads in the place of threads, and ftthreading's locks would stop them all"


def refuse() -> None:
    """Raise RuntimeError if threads are green."""
    for name, (function, what) in _PATCHERS.items():
        ask = getattr(sys.modules.get(name), function, None)
        if ask is not None and ask(what):
            raise RuntimeError(f"ftthreading cannot be installed: {name} {_REASON}")


class _Watch:
    """A finder that finds nothing, and sees what is looked for."""

    def __init__(self, give_back: Callable[[], object]) -> None:
        self._give_back = give_back

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in _PATCHERS:
            import warnings

            self._give_back()
            warnings.warn(
                f"ftthreading has given threading back: {name} {_REASON}",
                RuntimeWarning,
                stacklevel=2,
            )


def watch(give_back: Callable[[], object]) -> None:
    """Call `give_back` before a module is imported that makes threads green."""
    if not any(type(finder) is _Watch for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch(give_back))


def unwatch() -> None:
    """Undo `watch`."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder) is not _Watch]
