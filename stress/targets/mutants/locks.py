"""Bugs in locks."""

from __future__ import annotations

from .mutant import Mutant

LOCKS = (
    Mutant(
        "lock_double_grant",
        "Lock",
        "rate",
        "now and then a held lock is granted",
        "locks",
        "            if not self._locked:\n                self._locked = True\n",
        "            if not self._locked or _chance(0.002):\n                self._locked = True\n",
    ),
    Mutant(
        "lock_check_outside",
        "Lock",
        "window",
        "looked at before its guard is taken",
        "locks",
        "        with self._guard:\n            if not self._locked:\n                self._locked = True\n",
        "        free = not self._locked\n        with self._guard:\n"
        "            if free:\n                self._locked = True\n",
    ),
    Mutant(
        "lock_timeout_keeps_place",
        "Lock",
        "window",
        "who gives up stays in the queue, and is handed the lock",
        "waiting",
        "                self._queue.remove(waiter)\n            return waiter.granted",
        "                pass\n            return waiter.granted",
    ),
    Mutant(
        "lock_timeout_drops_handover",
        "Lock",
        "window",
        "a timeout at the moment of the hand-over drops the lock",
        "locks",
        "        return self._wait(waiter, deadline_of(limit))\n\n    def release(self) -> None:\n"
        "        with self._guard:\n            if not self._locked:",
        "        deadline = deadline_of(limit)\n        granted = self._wait(waiter, deadline)\n"
        "        import time\n"
        "        return granted and (deadline is None or time.monotonic() < deadline)\n\n"
        "    def release(self) -> None:\n"
        "        with self._guard:\n            if not self._locked:",
    ),
    Mutant(
        "lock_free_release",
        "Lock",
        "rate",
        "release() of a free lock is let pass",
        "locks",
        '                raise RuntimeError("release unlocked lock")\n',
        "                return\n",
    ),
    Mutant(
        "lock_early_timeout",
        "Lock",
        "rate",
        "now and then a wait ends early",
        "waiting",
        "        waiter.gate.acquire(True, max(0.0, deadline - time.monotonic()))",
        "        left = max(0.0, deadline - time.monotonic())\n"
        "        waiter.gate.acquire(True, left / 2 if _chance(0.02) else left)",
        "that a call gave up is right by its result; how long it took, one oracle looks at",
    ),
    Mutant(
        "lock_one_guard",
        "Lock",
        "window",
        "all primitives have one guard, and no fork resets it",
        "waiting",
        "        self._guard = _thread.allocate_lock()\n",
        "        self._guard = _thread.__dict__.setdefault('_stress_guard', _thread.allocate_lock())\n",
        "all is right in the process itself; it takes a forked child, and only one scenario has such",
    ),
    Mutant(
        "rlock_torn_count",
        "RLock",
        "window",
        "the owner and the count are changed without the guard",
        "locks",
        "        self._count -= 1\n        if self._count == 0:\n            self._pass_on()",
        "        self._count -= 1\n        if self._count <= 1:\n            self._pass_on()",
    ),
    Mutant(
        "rlock_owner_late",
        "RLock",
        "window",
        "a free lock's owner is looked at outside of the guard",
        "locks",
        "            if not self._owner:\n                self._take(me, 1)\n                return True\n",
        "            free = not self._owner\n        if free:\n            self._take(me, 1)\n"
        "            return True\n        with self._guard:\n",
    ),
    Mutant(
        "rlock_foreign_release",
        "RLock",
        "rate",
        "now and then another thread's release is let pass",
        "locks",
        "            if self._owner != _thread.get_ident():\n"
        '                raise RuntimeError("cannot release un-acquired lock")\n'
        "            self._give_back()",
        "            if self._owner != _thread.get_ident() and not (self._owner and _chance(0.05)):\n"
        '                raise RuntimeError("cannot release un-acquired lock")\n'
        "            self._give_back()",
    ),
    Mutant(
        "rlock_save_forgets_depth",
        "RLock",
        "rate",
        "what was given back at depth n is restored at depth 1",
        "locks",
        "        with self._guard:\n            self._count = count\n",
        "",
    ),
    Mutant(
        "rlock_handler_waits",
        "RLock",
        "window",
        "a thread that waits twice is granted once",
        "locks",
        "[waiter for waiter in self._queue if waiter.thread == owner]",
        "self._queue[:1]",
        "it takes a handler that waits for the lock for which its own thread waits; then both wait"
        " for ever, and no call returns anything that could be wrong",
    ),
)
