"""Bugs of Timer."""

from __future__ import annotations

from .bug import Bug, Edit

BUGS = (
    Bug(
        "timer_arguments_shared",
        "timer",
        "bpo-17435",
        "all timers without arguments have one list and one dictionary of them",
        "threading",
        (
            Edit(
                "    def __init__(self, interval, function, args=None, kwargs=None):\n",
                "    def __init__(self, interval, function, args=[], kwargs={}):\n",
            ),
        ),
    ),
    Bug(
        "timer_sleeps_through_cancel",
        "timer",
        "ftpsolutions/collapsing-thread-pool-executor#3 (sleeping workers hear of no end)",
        "a timer that was cancelled lives on until its interval is over",
        "threading",
        (
            Edit(
                "from time import monotonic as _time\n",
                "from time import monotonic as _time, sleep as _sleep\n",
            ),
            Edit(
                "        self.finished.wait(self.interval)\n",
                "        _sleep(max(self.interval, 0))\n",
            ),
        ),
    ),
)
