"""The bugs planted into all but locks and conditions: name, primitive, family, what is wrong, and where (see `planting`)."""

from __future__ import annotations

OTHERS: tuple[tuple[str, ...], ...] = (
    (
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
    (
        "semaphore_makes_permit",
        "Semaphore",
        "rate",
        "now and then one release gives two permits",
        "counters",
        "            for _ in range(n):\n                self._give_back()",
        "            for _ in range(n + _chance(0.002)):\n                self._give_back()",
    ),
    (
        "semaphore_check_outside",
        "Semaphore",
        "window",
        "the value is looked at before the guard is taken",
        "counters",
        "        with self._guard:\n            if self._value > 0:\n                self._value -= 1\n",
        "        free = self._value > 0\n        with self._guard:\n"
        "            if free:\n                self._value -= 1\n",
    ),
    (
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
    (
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
    (
        "semaphore_no_bound",
        "Semaphore",
        "rate",
        "a bounded semaphore has no bound",
        "counters",
        '            raise ValueError("Semaphore released too many times")',
        "            pass",
    ),
    (
        "semaphore_release_wakes_one",
        "Semaphore",
        "rate",
        "release(n) wakes one waiter, and counts the rest",
        "counters",
        "            for _ in range(n):\n                self._give_back()",
        "            self._give_back()\n            self._value += n - 1",
    ),
    (
        "event_drops_set",
        "Event",
        "rate",
        "now and then set() wakes nobody",
        "counters",
        "            for waiter in self._queue:\n                waiter.grant()\n",
        "            if _chance(0.02):\n                return\n"
        "            for waiter in self._queue:\n                waiter.grant()\n",
    ),
    (
        "event_flag_outside",
        "Event",
        "window",
        "wait() looks at the flag before it takes the guard",
        "counters",
        "        with self._guard:\n            if self._flag:\n                return True\n"
        "            waiter",
        "        if self._flag:\n            return True\n        with self._guard:\n            waiter",
    ),
    (
        "event_wakes_one",
        "Event",
        "rate",
        "set() wakes the first waiter only",
        "counters",
        "            for waiter in self._queue:\n                waiter.grant()\n"
        "            self._queue.clear()",
        "            if self._queue:\n                self._queue.pop(0).grant()",
    ),
    (
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
    (
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
    (
        "barrier_early",
        "Barrier",
        "rate",
        "now and then one leaves before all have come",
        "barriers",
        "                sleep(waiter, deadline)\n",
        "                if not _chance(0.01):\n                    sleep(waiter, deadline)\n"
        "                else:\n                    return number\n",
    ),
    (
        "barrier_mixes_generations",
        "Barrier",
        "window",
        "the next generation begins only after the last one was let go",
        "barriers",
        "            if last:\n                self._now = Generation()\n",
        "            if last:\n",
    ),
    (
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
    (
        "barrier_abort_forgets",
        "Barrier",
        "rate",
        "abort() does not wake who waits already",
        "barriers",
        "            self._broken = True\n            for generation in (self._now, *self._acting):\n"
        "                generation.end(broken=True)\n",
        "            self._broken = True\n",
    ),
    (
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
    (
        "queue_loses_item",
        "Queue",
        "rate",
        "now and then an item is not put",
        "queues",
        "            self._items.append(item)\n",
        "            if not _chance(0.002):\n                self._items.append(item)\n",
    ),
    (
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
    (
        "queue_overtakes",
        "Queue",
        "rate",
        "now and then the newest item is got first",
        "queues",
        "            item = self._items.popleft()\n",
        "            item = self._items.pop() if _chance(0.05) else self._items.popleft()\n",
    ),
    (
        "queue_wakes_nobody",
        "Queue",
        "window",
        "put() notifies only when the queue was empty",
        "queues",
        "            self._not_empty.notify()\n",
        "            if len(self._items) == 1 and self.maxsize != 1:\n"
        "                self._not_empty.notify()\n",
    ),
    (
        "queue_shutdown_forgets",
        "Queue",
        "rate",
        "shutdown() wakes nobody who waits for an item",
        "queues",
        "            self._not_empty.notify_all()\n",
        "",
    ),
    (
        "thread_starts_twice",
        "Thread",
        "window",
        "whether it was started is looked at outside of the guard",
        "threads",
        "        with self._guard:\n            if self._started:\n"
        '                raise RuntimeError("threads can only be started once")\n'
        "            self._started = True\n",
        "        if self._started:\n"
        '            raise RuntimeError("threads can only be started once")\n'
        "        self._started = True\n",
        "two calls of start() have to meet; only one scenario has them meet, and it looks first at"
        " how many were refused",
    ),
    (
        "thread_ends_early",
        "Thread",
        "window",
        "it is said to have ended before its function has",
        "threads",
        "        try:\n            self.run()\n",
        "        self._ended.set()\n        try:\n            self.run()\n",
    ),
    (
        "thread_runs_never",
        "Thread",
        "rate",
        "now and then a thread ends without a run",
        "threads",
        "        if target is not None:\n",
        "        if target is not None and not _chance(0.01):\n",
    ),
    (
        "thread_join_gives_up",
        "Thread",
        "rate",
        "now and then join() returns at once",
        "threads",
        "        self._ended.wait(timeout)",
        "        if not _chance(0.01):\n            self._ended.wait(timeout)",
    ),
    (
        "thread_not_waited_for",
        "Thread",
        "rate",
        "the interpreter ends without waiting for threads that are no daemons",
        "threads",
        "        if not self.daemon:\n            _waited_for.add(self)\n",
        "",
        "all is right until the interpreter ends; only one scenario ends one, and looks at what it"
        " has printed",
    ),
)
