"""Memory orders of the core made weaker, and looks left out, each with the test that must fail.

Not here, for no test can tell them:

- the orders of a claim, and that of the step which sets AWAKE with it in choose_next() of
  primitives/semaphore.c: a fork would have to copy the memory in between;
- those of `foreign` and of the paths that it switches on: they need the interpreter's algorithm;
- those of `ftt_waiters`: what they publish is plain memory, which Relacy does not watch;
- the release in ftt_sleeper_interrupt(): Relacy has all read-modify-writes in one order.
"""

from __future__ import annotations

import re

from tests.core.planted import Patch


def weaker(file: str, text: str, order: str = "relaxed") -> tuple[str, str, str]:
    return (
        file,
        text,
        re.sub(r"memory_order_(acquire|release|acq_rel)", f"memory_order_{order}", text),
    )


LOCK, LOCK_H, WORD_H = "primitives/lock.c", "primitives/lock.h", "primitives/lock_word.h"
EVENT, EVENT_H = "primitives/event.c", "primitives/event.h"
SEMAPHORE, SEMAPHORE_H = "primitives/semaphore.c", "primitives/semaphore.h"
CONDITION, CONDITION_H = "primitives/condition.c", "primitives/condition.h"
BARRIER, BARRIER_H = "primitives/barrier.c", "primitives/barrier.h"
FUTEX, PARK, THREAD = "os/futex.c", "parking/park.c", "parking/thread.c"
CALL, CALL_H = "parking/call.c", "parking/call.h"

WEAKENED: list[tuple[str, str, Patch]] = [
    # test, bug, patch
    ("lock-excludes", "try", [weaker(WORD_H, "&seen, FTT_LOCKED, memory_order_acquire")]),
    ("lock-barges", "try-late", [weaker(WORD_H, "seen | FTT_LOCKED, memory_order_acquire")]),
    ("lock-looks", "locked", [weaker(WORD_H, "(&lock->word, memory_order_acquire)")]),
    ("lock-excludes", "contend", [weaker(LOCK, "&seen, taken, memory_order_acquire")]),
    ("lock-excludes", "release", [weaker(LOCK_H, "&seen, 0, memory_order_release")]),
    ("lock-excludes", "release-slow", [weaker(LOCK, "seen & ~FTT_LOCKED, memory_order_release")]),
    ("lock-excludes", "choose", [weaker(LOCK, "&seen, next, memory_order_release")]),
    (
        "lock-excludes",
        "no-recheck",
        [(LOCK, "if ((seen & FTT_LOCKED) == 0) {\n            return false;\n", "if (false) {\n")],
    ),
    (
        "condition-notifies",
        "keep-awake",
        [(LOCK, "(seen | FTT_PARKED) & ~(me->awake ? FTT_AWAKE : 0u)", "seen | FTT_PARKED")],
    ),
    (
        "lock-excludes",
        "raw-acquire",
        [
            weaker(
                FUTEX,
                "if (ftt_cas(&lock->word, &seen, 1, memory_order_acquire)) {\n        return;",
            )
        ],
    ),
    ("lock-excludes", "raw-acquire-slow", [weaker(FUTEX, "&lock->word, 2, memory_order_acquire")]),
    ("lock-excludes", "raw-release", [weaker(FUTEX, "&lock->word, 0, memory_order_release")]),
    (
        "lock-excludes",
        "post",
        [
            weaker(
                FUTEX, "FTT_POSTED_STATE,\n                                    memory_order_release"
            )
        ],
    ),
    ("lock-excludes", "sleep", [weaker(FUTEX, "(&sleeper->state, memory_order_acquire)")]),
    (
        "lock-excludes",
        "timeout-wins",
        [
            (
                PARK,
                "        case CHOSEN:\n            await_post(wait->waiter);\n",
                "case CHOSEN:\n            return end;\n",
            )
        ],
    ),
    (
        "permit-excludes",
        "try",
        [weaker(SEMAPHORE_H, "PERMIT,\n                         memory_order_acquire")],
    ),
    ("permit-excludes", "contend", [weaker(SEMAPHORE, "&seen, taken, memory_order_acquire")]),
    (
        "permit-excludes",
        "release",
        [weaker(SEMAPHORE_H, "PERMIT,\n                         memory_order_release")],
    ),
    (
        "permit-excludes",
        "release-slow",
        [weaker(SEMAPHORE, "count * PERMIT, memory_order_release")],
    ),
    (
        "permit-excludes",
        "choose",
        [weaker(SEMAPHORE, "next, memory_order_release));\n    if (token")],
    ),
    (
        "permit-looks",
        "value",
        [
            weaker(
                SEMAPHORE_H,
                "int64_t state = atomic_load_explicit(&semaphore->state, memory_order_acquire)",
            )
        ],
    ),
    (
        "permit-excludes",
        "no-recheck",
        [
            (
                SEMAPHORE,
                "if (seen >= PERMIT || seen < 0) {\n            return",
                "if (false) {\n            return",
            )
        ],
    ),
    ("event-publishes", "set", [weaker(EVENT_H, "&seen, FTT_EVENT_SET, memory_order_release")]),
    ("event-clears", "set-again", [weaker(EVENT, "&seen, FTT_EVENT_SET, memory_order_release")]),
    ("event-looks", "publish", [weaker(EVENT, "&seen, next, memory_order_release")]),
    ("event-clears", "last-look", [weaker(EVENT, "(me->word, memory_order_acquire)")]),
    (
        "event-publishes",
        "last-look-failing",
        [
            (
                EVENT,
                "memory_order_acquire));\n    return true",
                "memory_order_relaxed));\n    return true",
            )
        ],
    ),
    ("event-publishes", "is-set", [weaker(EVENT_H, "memory_order_acquire) & FTT_EVENT_SET")]),
    (
        "event-clears",
        "clear-acquires",
        [weaker(EVENT_H, "FTT_EVENT_SET, memory_order_acq_rel)) {", "release")],
    ),
    (
        "event-looks-clear",
        "clear-releases",
        [weaker(EVENT_H, "FTT_EVENT_SET, memory_order_acq_rel)) {", "acquire")],
    ),
    (
        "event-clears",
        "set-looks-only",
        [
            (
                EVENT_H,
                "    return ftt_cas(&event->word, &seen, FTT_EVENT_SET,",
                "    return ftt_event_is_set(event) || ftt_cas(&event->word, &seen, FTT_EVENT_SET,",
            )
        ],
    ),
    (
        "event-clears",
        "no-recheck",
        [(EVENT, "if ((me->seen & (FTT_EVENT_SET | FTT_EVENT_FOREIGN)) != 0)", "if (false)")],
    ),
    (
        "condition-counts",
        "look",
        [weaker(CONDITION_H, "(&condition->waiters, memory_order_acquire)")],
    ),
    (
        "condition-counts",
        "join",
        [weaker(CONDITION, "difference,\n                          memory_order_release")],
    ),
    ("condition-counts-down", "recount", [weaker(CONDITION, "left, memory_order_release")]),
    (
        "rlock-excludes",
        "keep-owner",
        [
            (
                "primitives/rlock.h",
                "owner, 0, memory_order_relaxed);\n    ftt_lock_release(&rlock->lock);",
                "owner, 1, memory_order_relaxed);\n    ftt_lock_release(&rlock->lock);",
            ),
        ],
    ),
    (
        "barrier-counts",
        "publish",
        [weaker(BARRIER, "waiting,\n                          memory_order_release")],
    ),
    ("barrier-counts", "count", [weaker(BARRIER_H, "(&barrier->waiting, memory_order_acquire)")]),
    ("barrier-aborts", "break", [weaker(BARRIER, "broken, memory_order_release")]),
    ("barrier-aborts", "broken", [weaker(BARRIER_H, "(&barrier->broken, memory_order_acquire)")]),
    (
        "lock-excludes",
        "raw-acquire-awake",
        [weaker(FUTEX, "0 &&\n            ftt_cas(&lock->word, &seen, 1, memory_order_acquire)")],
    ),
    (
        "event-publishes",
        "posted-awake",
        [weaker(PARK, "(&self->sleeper.state, memory_order_acquire)")],
    ),
    (
        "call-throws",
        "throw",
        [
            weaker(
                THREAD,
                "exception,\n                                                 memory_order_release",
            )
        ],
    ),
    ("call-throws", "raise", [weaker(PARK, "NULL, memory_order_acquire")]),
    ("call-is-read", "begin", [weaker(CALL, "FTT_CALL_LIVE, memory_order_release")]),
    ("call-is-read", "read", [weaker(CALL_H, "FTT_CALL_READER, memory_order_acquire")]),
    (
        "call-is-read",
        "unread",
        [
            weaker(
                CALL_H,
                "ftt_call_unread(ftt_call *call)\n{\n"
                "    atomic_fetch_sub_explicit(&call->state, FTT_CALL_READER, memory_order_release",
            )
        ],
    ),
    ("call-is-read", "end", [weaker(CALL, "FTT_CALL_LIVE, memory_order_acquire")]),
    ("call-is-read", "end-late", [weaker(CALL, "(&call->state, memory_order_acquire)")]),
    (
        "call-is-read",
        "end-unread",
        [(CALL, "if ((seen & ~FTT_CALL_LIVE) != 0)", "if (false && seen)")],
    ),
]
