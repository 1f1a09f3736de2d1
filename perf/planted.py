"""Slowdowns planted into a copy of the sources, to see whether the gate finds them.

Each edits the folder that perf/builds.py makes a build of. A plant whose place is gone raises.
"""

import pathlib
from collections.abc import Callable

Change = Callable[[pathlib.Path], None]
BUSY = """
static ftt_outcome
planted_acquire(ftt_lock *lock, int64_t timeout);

ftt_outcome
ftt_lock_acquire(ftt_lock *lock, int64_t timeout)
{
    if (ftt_lock_try(lock)) {
        return FTT_ACQUIRED;
    }
    ftt_outcome outcome = planted_acquire(lock, timeout);
    for (ftt_time end = ftt_now() + NANOSECONDS; ftt_now() < end;) {
    }
    return outcome;
}
"""


def _replace(path: pathlib.Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise LookupError(f"{path.name}: {text.count(old)} places like {old!r}, not one")
    path.write_text(text.replace(old, new), encoding="utf-8")


def nothing(sources: pathlib.Path) -> None:
    """Change a comment only: another build of the same code."""
    path = sources / "ftthreading" / "core" / "lock.c"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n/* the same */\n", encoding="utf-8")


def instructions(count: int) -> Change:
    """Let `with lock` take so many instructions more."""

    def change(sources: pathlib.Path) -> None:
        head = "lock_enter(PyObject *self, PyObject *Py_UNUSED(ignored))\n{\n"
        more = f'    __asm__ volatile(".rept {count}\\n\\tnop\\n\\t.endr");\n'
        _replace(sources / "ftthreading" / "core" / "lock_type.c", head, head + more)

    return change


def contended(nanoseconds: int) -> Change:
    """Let each acquisition of a lock that was held at first take so much longer."""

    def change(sources: pathlib.Path) -> None:
        path = sources / "ftthreading" / "core" / "lock.c"
        head = "ftt_outcome\nftt_lock_acquire(ftt_lock *lock, int64_t timeout)\n"
        planted = head.replace("ftt_outcome\nftt_lock", "static ftt_outcome\nplanted")
        _replace(path, head, BUSY.replace("NANOSECONDS", str(nanoseconds)) + planted)

    return change
