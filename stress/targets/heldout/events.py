"""Bugs of Event."""

from __future__ import annotations

from .bug import Bug, Edit

BUGS = (
    Bug(
        "event_wait_reads_the_flag_again",
        "event",
        "bpo-13502",
        "wait() without a timeout returns False if the event is cleared right after it was set",
        "threading",
        (Edit("            return signaled\n", "            return self._flag\n"),),
    ),
    Bug(
        "event_wait_looks_before_the_lock",
        "event",
        "tensorflow/tensorflow#4064 (Notification)",
        "a set() after wait() has looked and before it has the lock is not seen (rare)",
        "threading",
        (
            Edit(
                "        with self._cond:\n            signaled = self._flag\n",
                "        signaled = self._flag\n        with self._cond:\n",
            ),
        ),
    ),
)
