"""Bugs that are planted into copies of the core's sources, and wider windows for all bugs.

A patch is a list of replacements: a file below ftthreading/core, a text that stands in it once, and
what takes its place. One that no longer applies raises LookupError.
"""

from __future__ import annotations

import shutil
from pathlib import Path

CORE = Path(__file__).resolve().parents[2] / "ftthreading" / "core"

Patch = list[tuple[str, str, str]]


def window_in(file: str, *functions: str) -> Patch:
    """Have these functions begin with a window: a chance that other threads run there."""
    return [(file, f"{each}\n{{\n", f"{each}\n{{\n    ftt_window();\n") for each in functions]


def window_before(file: str, *lines: str) -> Patch:
    """Have a window before these lines."""
    return [(file, each, f"    ftt_window();\n{each}") for each in lines]


LOCK, EVENT, SEMAPHORE = "primitives/lock.c", "primitives/event.c", "primitives/semaphore.c"
BARRIER, CONDITION = "primitives/barrier.c", "primitives/condition.c"

WINDOWS: Patch = [
    ("os/atomics.h", "#include <stdint.h>\n", "#include <stdint.h>\n\nvoid ftt_window(void);\n"),
    *(
        replacement
        for system in ("os/futex.c", "os/posix.c")
        for replacement in window_in(
            system,
            "ftt_sleeper_post(ftt_sleeper *sleeper)",
            "ftt_sleeper_wake(ftt_sleeper *sleeper)",
            "ftt_sleeper_interrupt(ftt_sleeper *sleeper)",
            "ftt_raw_acquire(ftt_raw_lock *lock)",
        )
    ),
    # Between a look at the word and the step that rests on it.
    *window_before(
        LOCK,
        "        if ((seen & FTT_LOCKED) == 0) {\n            uint32_t taken",
        "        if ((seen & FTT_LOCKED) == 0) {\n            return false;\n",
        "        me->was_locked = (seen & FTT_LOCKED) != 0;\n",
    ),
    *window_before(EVENT, "        if ((me->seen & (FTT_EVENT_SET | FTT_EVENT_FOREIGN)) != 0)"),
    *window_before(
        SEMAPHORE,
        "        if ((seen & AWAKE) != 0 || seen < 0 || (oldest",
        "        if (seen >= PERMIT) {\n            int64_t taken",
        "        if (seen >= PERMIT || seen < 0) {\n",
        "        me->refused = seen < 0",
    ),
    # In a long section under the bucket lock; between the queue and the release of the lock.
    *window_before(BARRIER, "    me->self->ticket = me->arrival->generation ="),
    *window_before(CONDITION, "    bool with = (ftt_load(&monitor.lock->holder)"),
    # What a reader must not see half written.
    *window_before("parking/call.c", "    /* Not a store: a reader"),
]
"""Yields at the points where another thread's step would hurt most."""


def relaxed(file: str, text: str) -> tuple[str, str, str]:
    return file, text, text.replace("memory_order_release", "memory_order_relaxed")


BUGS: dict[str, Patch] = {
    # The critical section is not published by release.
    "WEAK_RELEASE": [
        relaxed("primitives/lock.h", "ftt_cas(&lock->word, &seen, 0, memory_order_release)"),
        relaxed(LOCK, "ftt_cas(word, &seen, next, memory_order_release)"),
        relaxed(LOCK, "ftt_cas(&lock->word, &seen, seen & ~FTT_LOCKED, memory_order_release)"),
        relaxed("primitives/event.h", "&seen, FTT_EVENT_SET, memory_order_release)"),
        relaxed(EVENT, "ftt_cas(me->word, &seen, next, memory_order_release)"),
        relaxed(EVENT, "&seen, FTT_EVENT_SET, memory_order_release)"),
        relaxed("primitives/semaphore.h", "                         memory_order_release)"),
        relaxed(SEMAPHORE, "next, memory_order_release));\n    if (token == FTT_TOKEN_HANDOFF)"),
        relaxed(SEMAPHORE, "seen + count * PERMIT, memory_order_release)"),
    ],
    # Parks without looking at the word again under the bucket lock.
    "NO_RECHECK": [
        (
            LOCK,
            "if ((seen & FTT_LOCKED) == 0) {\n            return false;\n        }\n        parked",
            "parked",
        ),
        (EVENT, "if ((me->seen & (FTT_EVENT_SET | FTT_EVENT_FOREIGN)) != 0)", "if (false)"),
        (
            SEMAPHORE,
            "if (seen >= PERMIT || seen < 0) {\n            return false;\n        }\n",
            "",
        ),
    ],
    # Takes a waiter off its queue, decides its verdict, and never tells it: one time in 64.
    "DROP_WAKE": [
        (
            "parking/unpark.c",
            "post(ftt_waiter *waiter)\n{\n",
            """post(ftt_waiter *waiter)
{
    static _Atomic uint32_t posts;
    if ((atomic_fetch_add_explicit(&posts, 1, memory_order_relaxed) & 63) == 63) {
        return;
    }
""",
        )
    ],
    # Goes back to sleep still holding the AWAKE bit, as if it were given up.
    "KEEP_AWAKE": [
        (LOCK, "(seen | FTT_PARKED) & ~(me->awake ? FTT_AWAKE : 0u)", "seen | FTT_PARKED"),
        (SEMAPHORE, "(seen | WAITERS) & ~(int64_t)(me->awake ? AWAKE : 0)", "seen | WAITERS"),
    ],
    # Begins the action of a closed generation although another's still runs.
    "JUMP_TURN": [(BARRIER, "me->leads = !turn_is_on(barrier);", "me->leads = true;")],
    # Leaves by an exception with the turn, when just told to lead.
    "KEEP_TURN": [
        (BARRIER, "if (wait->chosen && wait->waiter->token == TOKEN_LEAD)", "if (false)")
    ],
    # Leaves the bits of threads that a forked child does not have.
    "FORGET_CLAIMS": [
        ("parking/thread.c", "if (claim != NULL)", "if (false)"),
        ("parking/thread.c", "if (long_claim != NULL)", "if (false)"),
    ],
    # Lets a timeout win over a verdict that was already decided.
    "TIMEOUT_WINS": [
        (
            "parking/park.c",
            "        case CHOSEN:\n            await_post(wait->waiter);\n",
            "        case CHOSEN:\n            return end;\n",
        )
    ],
    # Lets a call end although somebody reads it.
    "END_UNREAD": [("parking/call.c", "if ((seen & ~FTT_CALL_LIVE) != 0)", "if (false && seen)")],
}


def patched(patch: Patch, folder: Path) -> Path:
    """Make a copy of the core with these replacements, in a folder that is not there yet.

    Raises LookupError.
    """
    shutil.copytree(CORE, folder)
    for file, old, new in patch:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise LookupError(f"{file} has {text.count(old)} places like {old!r}, not one")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder
