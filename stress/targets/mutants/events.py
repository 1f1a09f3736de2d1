"""Bugs in events."""

from __future__ import annotations

from .mutant import Mutant

EVENTS = (
    Mutant(
        "event_drops_set",
        "Event",
        "rate",
        "now and then set() wakes nobody",
        "counters",
        "            for waiter in self._queue:\n                waiter.grant()\n",
        "            if _chance(0.02):\n                return\n"
        "            for waiter in self._queue:\n                waiter.grant()\n",
    ),
    Mutant(
        "event_flag_outside",
        "Event",
        "window",
        "wait() looks at the flag before it takes the guard",
        "counters",
        "        with self._guard:\n            if self._flag:\n                return True\n"
        "            waiter",
        "        if self._flag:\n            return True\n        with self._guard:\n            waiter",
    ),
    Mutant(
        "event_wakes_one",
        "Event",
        "rate",
        "set() wakes the first waiter only",
        "counters",
        "            for waiter in self._queue:\n                waiter.grant()\n"
        "            self._queue.clear()",
        "            if self._queue:\n                self._queue.pop(0).grant()",
    ),
    Mutant(
        "event_flag_last",
        "Event",
        "window",
        "set() wakes who waits and sets the flag afterwards, outside of the guard",
        "counters",
        "        with self._guard:\n            self._flag = True\n"
        "            for waiter in self._queue:\n                waiter.grant()\n"
        "            self._queue.clear()",
        "        with self._guard:\n            for waiter in self._queue:\n"
        "                waiter.grant()\n            self._queue.clear()\n        self._flag = True",
    ),
    Mutant(
        "event_handler_deadlock",
        "Event",
        "window",
        "handlers may strike while set() has the guard, as in the standard library",
        "waiting",
        '            return frame.f_code.co_name == "sleep"',
        "            return True",
        "it takes a handler that interrupts set(); then set() waits for itself, and no call returns"
        " anything that could be wrong",
    ),
)
