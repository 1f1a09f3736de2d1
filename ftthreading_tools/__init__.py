"""Finds the tools, `stress` and `perf`, for `ftthreading.stress` and `ftthreading.perf`.

They are not in the package `ftthreading`: importing that mends the interpreter's Thread, and what
tests or measures `threading` in a process of its own must do without. So they keep the names that
they have in a checkout: `stress`, `perf`, `toolkit`. Where ftthreading is installed they lie in
this folder, which is not put on sys.path. `ftthreading.stress` is a second name of the one module
`stress`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import runpy
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))
# In a checkout they lie beside this folder.
FOLDER = _HERE if os.path.isdir(os.path.join(_HERE, "stress")) else os.path.dirname(_HERE)


def load(tool: str) -> ModuleType:
    """Return the module `stress` or `perf`. Raises ImportError where its name is taken."""
    for name in ("toolkit", tool):
        _import(name)
    return sys.modules[tool]


def run(tool: str) -> None:
    """Be ``python -m stress`` or ``python -m perf``."""
    load(tool)
    runpy.run_module(tool, run_name="__main__", alter_sys=True)


def _import(name: str) -> None:
    folder = os.path.join(FOLDER, name)
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
        if file is None or os.path.dirname(os.path.abspath(file)) != folder:
            raise ImportError(
                f"the tools of ftthreading need the name {name!r}, which {file} has", name=name
            )
        return
    spec = importlib.machinery.PathFinder.find_spec(name, [FOLDER])
    if spec is None or spec.loader is None:
        raise ImportError(f"the tools of ftthreading are not in {folder}", name=name)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
