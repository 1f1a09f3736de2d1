"""What `--enable-at-startup` puts into an environment: install ftthreading when threads come up.

`commands.enable` copies this file beside the `.pth` or `.start` file, as a module of its own: to
import it from the package would load the package, and `threading`, into every interpreter. Most of
them never use a thread, and those that do find `threading` where they import it first, in whatever
thread that is.

So `watch` only puts a finder in front of the others. It finds `threading` and `ftthreading` as they
do, and sees them loaded: after `threading` it imports ftthreading, and after ftthreading, whoever
imported that, it installs it and goes. Only the second rule installs, for a thread that loads
`threading` while another loads ftthreading gets that half loaded: the import system lets neither
wait for the other.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class _Finder:
    """Finds the two modules, in the way of all finders behind it."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if name not in ("threading", "ftthreading"):
            return None
        finders: list[Any] = [*sys.meta_path]
        for finder in finders[finders.index(self) + 1 :] if self in finders else ():
            spec: ModuleSpec | None = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """Loads a module as its own loader does, and installs ftthreading then."""

    def __init__(self, loader: Any, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        # From here on nobody sees that the module was not loaded by its own loader.
        module.__spec__.loader = self._loader  # type: ignore[union-attr]
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        if module.__name__ == "ftthreading":
            if self._finder in sys.meta_path:
                sys.meta_path.remove(self._finder)
            module.install()
        else:
            _load()


def _load() -> None:
    try:
        import ftthreading  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "ftthreading":  # or else the environment has lost it, and goes on without
            _complain(error)
    except Exception as error:
        _complain(error)


def _complain(error: Exception) -> None:
    """One sentence, for threads that nobody expected to be in want of ftthreading."""
    if sys.stderr is not None:
        sys.stderr.write(
            f"ftthreading is not used, for it cannot be loaded: {type(error).__name__}: {error}"
            f" (install it again, or remove {__file__})\n"
        )


def watch() -> None:
    """Have ftthreading installed as soon as `threading` is imported, unless it is turned off.

    Called by `site`; a second call changes nothing. FTTHREADING_AT_STARTUP=0 turns it off.
    """
    if os.environ.get("FTTHREADING_AT_STARTUP") == "0":
        return
    if "ftthreading" in sys.modules or any(isinstance(each, _Finder) for each in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    if "threading" in sys.modules:
        _load()
