"""Slowdowns planted into a copy of the sources, to see whether the gate finds them.

Each edits the folder that perf/runner/builds.py makes a build of. A plant whose place is gone
raises.
"""

import pathlib
from collections.abc import Callable

Change = Callable[[pathlib.Path], None]
# From the first time that a lock was held when somebody wanted it.
BUSY = """
    static int planted_contended;
    if (ftt_lock_locked(ftt_lock_of(self))) {
        __atomic_store_n(&planted_contended, 1, __ATOMIC_RELAXED);
    }
    if (ftt_lock_acquire(ftt_lock_of(self), -1) == FTT_FAILED) {
        return NULL;
    }
    if (__atomic_load_n(&planted_contended, __ATOMIC_RELAXED)) {
        for (ftt_time end = ftt_now() + NANOSECONDS; ftt_now() < end;) {
        }
    }
    Py_RETURN_TRUE;
"""
ENTER = "lock_enter(PyObject *self, PyObject *Py_UNUSED(ignored))\n{\n"


def _replace(path: pathlib.Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise LookupError(f"{path.name}: {text.count(old)} places like {old!r}, not one")
    path.write_text(text.replace(old, new), encoding="utf-8")


def nothing(sources: pathlib.Path) -> None:
    """Change a comment only: another build of the same code."""
    path = sources / "ftthreading" / "core" / "primitives" / "lock.c"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n/* the same */\n", encoding="utf-8")


def instructions(count: int) -> Change:
    """Let `with lock` take so many instructions more."""

    def change(sources: pathlib.Path) -> None:
        more = f'    __asm__ volatile(".rept {count}\\n\\tnop\\n\\t.endr");\n'
        _replace(sources / "ftthreading" / "core" / "types" / "lock_type.c", ENTER, ENTER + more)

    return change


def contended(nanoseconds: int) -> Change:
    """Let `with lock` hold it so much longer once threads contend."""

    def change(sources: pathlib.Path) -> None:
        more = BUSY.replace("NANOSECONDS", str(nanoseconds))
        _replace(sources / "ftthreading" / "core" / "types" / "lock_type.c", ENTER, ENTER + more)

    return change
