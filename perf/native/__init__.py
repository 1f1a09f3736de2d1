"""Compile the C files here for the running interpreter, once, and load them.

`_native.c` with `_native_*.c` is what measurements need, `_probe.c` looks into reference counts. A
result lies in the user's cache folder under a hash of the sources, the interpreter and the
compiler's command, so interpreters do not mix and an edit is never missed. Each call compiles into
a file of its own and renames it: concurrent calls do no harm.
"""

import functools
import hashlib
import importlib.machinery
import importlib.util
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import types

HERE = pathlib.Path(__file__).resolve().parent
# What is measured is what the core does; its headers lie beside us or, installed, one level higher.
OS = next(path for path in (up / "ftthreading/core/os" for up in HERE.parents[1:]) if path.is_dir())


class CompileError(Exception):
    """The compiler failed or is missing; the message holds its command and output."""


def _words(name: str) -> list[str]:
    return shlex.split(str(sysconfig.get_config_var(name) or ""))


def _compiler() -> list[str]:
    own = shlex.split(os.environ.get("CC", "")) or _words("CC")
    # An interpreter built elsewhere may name a compiler that this machine lacks.
    return own if own and shutil.which(own[0]) else ["cc"]


def _command(sources: list[pathlib.Path]) -> list[str]:
    flags = [*_words("CFLAGS"), *_words("CCSHARED"), "-O2", "-std=c11", "-D_GNU_SOURCE"]
    flags.append("-fvisibility=hidden")  # the parts' names are between them
    link = _words("LDSHARED")[len(_words("CC")) :] or ["-shared"]
    return [
        *_compiler(),
        *(flag for flag in flags if flag != "-Werror"),
        f"-I{sysconfig.get_path('include')}",
        f"-I{OS}",
        *map(str, sources),
        *link,
        "-pthread",
    ]


def _cache() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base, "ftthreading", "native")


def build(name: str) -> pathlib.Path:
    """Return the path of the compiled module; compile it if there is none yet.

    Raises CompileError.
    """
    sources = [HERE / f"{name}.c", *sorted(HERE.glob(f"{name}_*.c"))]
    command = _command(sources)
    key = hashlib.sha256()
    for file in (*sources, *sorted(HERE.glob("*.h")), *sorted(OS.glob("*.h"))):
        key.update(file.read_bytes())
    for part in (sys.version, sys.prefix, sysconfig.get_config_var("SOABI"), *command):
        key.update(f"{part}\0".encode())
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    target = _cache() / f"{name}-{key.hexdigest()[:20]}{suffix}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=target.parent) as folder:
        result = pathlib.Path(folder, target.name)
        full = [*command, "-o", str(result)]
        try:
            done = subprocess.run(full, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CompileError(f"cannot run {full[0]}: {error}") from error
        if done.returncode:
            raise CompileError(f"{shlex.join(full)}\n{done.stdout}{done.stderr}")
        os.replace(result, target)
    return target


def load(name: str) -> types.ModuleType:
    """Build the module and import it as `perf.native.NAME`. Raises CompileError or ImportError."""
    full = f"perf.native.{name}"
    spec = importlib.util.spec_from_file_location(full, build(name))
    if spec is None or spec.loader is None:
        raise ImportError(f"no loader for {full}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[full] = module
    return module


@functools.cache
def has_ceiling() -> bool:
    """Say whether the interpreter was built with its own benchmark of locks, as we know it."""
    try:
        ceiling(1, 0.001)
    except (ImportError, AttributeError, TypeError, ValueError):
        return False
    return True


def ceiling(threads: int, seconds: float) -> float:
    """Return how often a second C threads take the interpreter's own lock, all together.

    Between them is an empty section of C code. 0 where none of them ran in so short a time.
    """
    benchmark = importlib.import_module("_testinternalcapi").benchmark_locks
    milliseconds = max(1, round(seconds * 1000))
    # Before 3.15 the second says whether to take a PyMutex, then how much is done inside.
    by_mutex = sys.version_info < (3, 15)
    rate, *_ = benchmark(threads, by_mutex, 0, milliseconds)
    return float(rate)


load("_native")

from perf.native._native import (  # noqa: E402
    Floor,
    Gate,
    Section,
    Waits,
    canary,
    pauses,
    ping_pong,
    spin,
    yields,
)

__all__ = [
    "CompileError",
    "Floor",
    "Gate",
    "Section",
    "Waits",
    "build",
    "canary",
    "ceiling",
    "has_ceiling",
    "load",
    "pauses",
    "ping_pong",
    "spin",
    "yields",
]
