"""Bugs of Condition."""

from __future__ import annotations

from typing import Any

from .bug import Bug, Edit


def _one_semaphore(namespace: dict[str, Any]) -> None:
    original, now = namespace["Condition"], namespace["_time"]

    class Condition(original):  # type: ignore[misc, valid-type]
        """All waiters sleep on one semaphore, and whoever comes first takes the wake-up."""

        def __init__(self, lock: Any = None) -> None:
            super().__init__(lock)
            self._posted = 0

        def _at_fork_reinit(self) -> None:
            super()._at_fork_reinit()
            self._posted = 0

        def wait(self, timeout: float | None = None) -> bool:
            if not self._is_owned():
                raise RuntimeError("cannot wait on un-acquired lock")
            end = None if timeout is None else now() + timeout
            while not self._posted:
                if not super().wait(None if end is None else end - now()):
                    return False
            self._posted -= 1
            return True

        def notify(self, n: int = 1) -> None:
            before = len(self._waiters)
            super().notify(n)
            self._posted += before - len(self._waiters)

    namespace["Condition"] = Condition


BUGS = (
    Bug(
        "condition_wait_polls",
        "condition",
        "bpo-7316",
        "a wait with a timeout looks for its wake-up ever more seldom, and is up to 50 ms late",
        "threading",
        (
            Edit(
                "from time import monotonic as _time\n",
                "from time import monotonic as _time, sleep as _sleep\n",
            ),
            Edit(
                "                    gotit = waiter.acquire(True, timeout)\n",
                "                    endtime, pause = _time() + timeout, 0.0005\n"
                "                    while not (gotit := waiter.acquire(False)):\n"
                "                        if (rest := endtime - _time()) <= 0:\n"
                "                            break\n"
                "                        pause = min(pause * 2, rest, 0.05)\n"
                "                        _sleep(pause)\n",
            ),
        ),
    ),
    Bug(
        "condition_timed_out_waiter_stays",
        "condition",
        "bpo-32734 (asyncio.Lock, whose cancelled waiter stays the first in the queue)",
        "a waiter whose time is over stays in the queue, and notify() wakes it, who is gone",
        "threading",
        (Edit("            if not gotit:\n", "            if False:\n"),),
    ),
    Bug(
        "condition_wakeup_stolen",
        "condition",
        "glibc bug 13165",
        "who begins to wait after a notify() can take the wake-up of one who waited before it",
        "threading",
        _one_semaphore,
    ),
    Bug(
        "condition_wait_for_begins_anew",
        "condition",
        "bpo-30768 (PyThread_acquire_lock_timed(), at each signal)",
        "wait_for() gives its whole timeout again to each wait after a wake-up for nothing",
        "threading",
        (
            Edit(
                "                    waittime = endtime - _time()\n"
                "                    if waittime <= 0:\n                        break\n"
                "            self.wait(waittime)\n",
                "                    pass\n"
                "            if not self.wait(waittime):\n"
                "                return predicate()\n",
            ),
        ),
    ),
)
