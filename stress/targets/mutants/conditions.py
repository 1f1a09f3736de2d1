"""Bugs in conditions."""

from __future__ import annotations

from .mutant import Mutant

CONDITIONS = (
    Mutant(
        "condition_drops_notify",
        "Condition",
        "rate",
        "now and then a notification is dropped",
        "conditions",
        "            for _ in range(min(n, len(self._queue))):\n",
        "            for _ in range(0 if _chance(0.01) else min(n, len(self._queue))):\n",
    ),
    Mutant(
        "condition_wakes_one_more",
        "Condition",
        "rate",
        "now and then notify(n) wakes n + 1",
        "conditions",
        "range(min(n, len(self._queue)))",
        "range(min(n + _chance(0.05), len(self._queue)))",
    ),
    Mutant(
        "condition_swallows",
        "Condition",
        "window",
        "who gives up leaves the queue after taking the lock back, as in the standard library",
        "conditions",
        "        try:\n            return self._wait(waiter, deadline)\n"
        "        finally:\n            self._take_back(saved)",
        "        from .waiting import sleep\n        try:\n            sleep(waiter, deadline)\n"
        "            told = waiter.gate.locked() and waiter.granted\n"
        "        finally:\n            self._take_back(saved)\n"
        "        with self._guard:\n"
        "            if waiter in self._queue:\n                self._queue.remove(waiter)\n"
        "        return told",
    ),
    Mutant(
        "condition_releases_first",
        "Condition",
        "window",
        "the lock is let go before the waiter is in the queue",
        "conditions",
        "        with self._guard:\n            self._queue.append(waiter)\n"
        "        saved = self._let_go()\n",
        "        saved = self._let_go()\n"
        "        with self._guard:\n            self._queue.append(waiter)\n",
    ),
    Mutant(
        "condition_unlocked_after_wait",
        "Condition",
        "rate",
        "an exception that ends wait() leaves it without the lock",
        "conditions",
        "        try:\n            return self._wait(waiter, deadline)\n"
        "        finally:\n            self._take_back(saved)",
        "        told = self._wait(waiter, deadline)\n        self._take_back(saved)\n"
        "        return told",
    ),
    Mutant(
        "condition_no_owner_check",
        "Condition",
        "rate",
        "notify() does not ask whether its caller has the lock",
        "conditions",
        '            raise RuntimeError("cannot notify on un-acquired lock")',
        "            pass",
    ),
)
