"""Bugs in semaphores."""

from __future__ import annotations

from .mutant import Mutant

SEMAPHORES = (
    Mutant(
        "semaphore_leaks_permit",
        "Semaphore",
        "rate",
        "now and then a released permit is lost",
        "counters",
        "        if self._queue:\n            self._queue.pop(0).grant()\n"
        "        else:\n            self._value += 1",
        "        if _chance(0.002):\n            return\n"
        "        if self._queue:\n            self._queue.pop(0).grant()\n"
        "        else:\n            self._value += 1",
    ),
    Mutant(
        "semaphore_makes_permit",
        "Semaphore",
        "rate",
        "now and then one release gives two permits",
        "counters",
        "            for _ in range(n):\n                self._give_back()",
        "            for _ in range(n + _chance(0.002)):\n                self._give_back()",
    ),
    Mutant(
        "semaphore_check_outside",
        "Semaphore",
        "window",
        "the value is looked at before the guard is taken",
        "counters",
        "        with self._guard:\n            if self._value > 0:\n                self._value -= 1\n",
        "        free = self._value > 0\n        with self._guard:\n"
        "            if free:\n                self._value -= 1\n",
    ),
    Mutant(
        "semaphore_timeout_drops_permit",
        "Semaphore",
        "window",
        "a timeout at the moment of the hand-over drops the permit",
        "counters",
        "            waiter = Waiter()\n            self._queue.append(waiter)\n"
        "        return self._wait(waiter, deadline)\n\n    def release",
        "            waiter = Waiter()\n            self._queue.append(waiter)\n"
        "        import time\n        granted = self._wait(waiter, deadline)\n"
        "        return granted and (deadline is None or time.monotonic() < deadline)\n\n"
        "    def release",
    ),
    Mutant(
        "semaphore_release_unguarded",
        "Semaphore",
        "window",
        "release() counts up without the guard",
        "counters",
        "        with self._guard:\n            self._check(n)\n"
        "            for _ in range(n):\n                self._give_back()",
        "        with self._guard:\n            self._check(n)\n            waiting = bool(self._queue)\n"
        "        if not waiting:\n            value = self._value\n            self._value = value + n\n"
        "            return\n        with self._guard:\n"
        "            for _ in range(n):\n                self._give_back()",
    ),
    Mutant(
        "semaphore_no_bound",
        "Semaphore",
        "rate",
        "a bounded semaphore has no bound",
        "counters",
        '            raise ValueError("Semaphore released too many times")',
        "            pass",
    ),
    Mutant(
        "semaphore_release_wakes_one",
        "Semaphore",
        "rate",
        "release(n) wakes one waiter, and counts the rest",
        "counters",
        "            for _ in range(n):\n                self._give_back()",
        "            self._give_back()\n            self._value += n - 1",
    ),
)
