"""Bugs in queues."""

from __future__ import annotations

from .mutant import Mutant

QUEUES = (
    Mutant(
        "queue_loses_item",
        "Queue",
        "rate",
        "now and then an item is not put",
        "queues",
        "            self._items.append(item)\n",
        "            if not _chance(0.002):\n                self._items.append(item)\n",
    ),
    Mutant(
        "queue_doubles_item",
        "Queue",
        "window",
        "an item is looked at without the lock, and taken under it later",
        "queues",
        "            item = self._items.popleft()\n            self._not_full.notify()\n"
        "            return item",
        "            item = self._items[0]\n        with self._lock:\n            if self._items:\n"
        "                self._items.popleft()\n            self._not_full.notify()\n"
        "            return item",
    ),
    Mutant(
        "queue_overtakes",
        "Queue",
        "rate",
        "now and then the newest item is got first",
        "queues",
        "            item = self._items.popleft()\n",
        "            item = self._items.pop() if _chance(0.05) else self._items.popleft()\n",
    ),
    Mutant(
        "queue_wakes_nobody",
        "Queue",
        "window",
        "put() notifies only when the queue was empty",
        "queues",
        "            self._not_empty.notify()\n",
        "            if len(self._items) == 1 and self.maxsize != 1:\n"
        "                self._not_empty.notify()\n",
    ),
    Mutant(
        "queue_shutdown_forgets",
        "Queue",
        "rate",
        "shutdown() wakes nobody who waits for an item",
        "queues",
        "            self._not_empty.notify_all()\n",
        "",
    ),
)
