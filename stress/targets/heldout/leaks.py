"""Bugs that keep what nobody needs any more."""

from __future__ import annotations

from .bug import Bug, Edit
from .pools import THREAD
from .promises import BASE
from .registry import HANDLE

BUGS = (
    Bug(
        "unjoined_threads_kept",
        "leaks",
        "bpo-37788",
        "one object is kept for each thread that nobody joins",
        "threading",
        (
            Edit("_limbo = {}\n", "_limbo = {}\n_unjoined = set()\n"),
            Edit(
                "        self._started.wait()  # Will set ident and native_id\n",
                "        self._started.wait()\n"
                "        if not self.daemon:\n"
                "            self._mark = _allocate_lock()\n"
                "            _unjoined.add(self._mark)\n",
            ),
            Edit(
                f"        self.{HANDLE}.join(timeout)\n",
                f"        self.{HANDLE}.join(timeout)\n"
                "        if not self.daemon and not self.is_alive():\n"
                "            _unjoined.discard(self._mark)\n",
            ),
        ),
    ),
    Bug(
        "waiters_of_done_futures_kept",
        "leaks",
        "bpo-20297",
        "each as_completed() leaves an object in each future that it has given",
        BASE,
        (
            Edit(
                "        with f._condition:\n            f._waiters.remove(waiter)\n"
                "        del f\n",
                "        del f\n",
            ),
        ),
    ),
    Bug(
        "pool_keeps_its_last_work",
        "leaks",
        "bpo-16284",
        "a worker keeps what it has done, its arguments and its result until it has more to do",
        THREAD,
        (
            Edit(
                "                del work_item\n                continue\n",
                "                continue\n",
            ),
        ),
    ),
)
