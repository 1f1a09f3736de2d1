"""Bugs of Barrier."""

from __future__ import annotations

from .bug import Bug, Edit

BUGS = (
    Bug(
        "barrier_entered_while_it_drains",
        "barrier",
        "cloudius-systems/osv#857, glibc bug 13065",
        "who comes again before all have left is counted with those who leave, and passes alone",
        "threading",
        (
            Edit("        while self._state in (-1, 1):\n", "        while self._state == -1:\n"),
            Edit("        assert self._state == 0\n", ""),
        ),
    ),
    Bug(
        "barrier_action_breaks_it_silently",
        "barrier",
        "bpo-43352 (asyncio.Barrier, under review)",
        "when the action raises, the barrier is broken, but nobody wakes those who wait in it",
        "threading",
        (
            Edit(
                "            self._break()\n            raise\n",
                "            self._state = -2\n            raise\n",
            ),
        ),
    ),
    Bug(
        "barrier_counts_before_the_lock",
        "barrier",
        "slide-rs/pulse#14",
        "a party is counted before it has the lock: two can have one index, and all wait (rare)",
        "threading",
        (
            Edit(
                "            index = self._count\n            self._count += 1\n",
                "            self._cond.release()\n"
                "            try:\n"
                "                index = self._count\n"
                "                self._count += 1\n"
                "            finally:\n"
                "                self._cond.acquire()\n",
            ),
        ),
    ),
)
