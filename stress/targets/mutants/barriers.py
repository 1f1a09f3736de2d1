"""Bugs in barriers."""

from __future__ import annotations

from .mutant import Mutant

BARRIERS = (
    Mutant(
        "barrier_early",
        "Barrier",
        "rate",
        "now and then one leaves before all have come",
        "barriers",
        "                sleep(waiter, deadline)\n",
        "                if not _chance(0.01):\n                    sleep(waiter, deadline)\n"
        "                else:\n                    return number\n",
    ),
    Mutant(
        "barrier_mixes_generations",
        "Barrier",
        "window",
        "the next generation begins only after the last one was let go",
        "barriers",
        "            if last:\n                self._now = Generation()\n",
        "            if last:\n",
    ),
    Mutant(
        "barrier_number_outside",
        "Barrier",
        "window",
        "two that come at once get one number",
        "barriers",
        "        with self._guard:\n            if self._broken:\n"
        "                raise BrokenBarrierError\n            mine = self._now\n"
        "            number = len(mine.waiters)\n            waiter = Waiter()\n",
        "        number = len(self._now.waiters)\n        with self._guard:\n"
        "            if self._broken:\n                raise BrokenBarrierError\n"
        "            mine = self._now\n            waiter = Waiter()\n",
    ),
    Mutant(
        "barrier_abort_forgets",
        "Barrier",
        "rate",
        "abort() does not wake who waits already",
        "barriers",
        "            self._broken = True\n            for generation in (self._now, *self._acting):\n"
        "                generation.end(broken=True)\n",
        "            self._broken = True\n",
    ),
    Mutant(
        "barrier_reset_loses",
        "Barrier",
        "window",
        "reset() replaces the generation outside of the guard, and loses who came in between",
        "barriers",
        "                generation.end(broken=True)\n            self._now = Generation()\n"
        "            self._broken = False",
        "                generation.end(broken=True)\n        self._now = Generation()\n"
        "        self._now.over = False\n        self._broken = False",
    ),
)
