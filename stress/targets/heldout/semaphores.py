"""Bugs of Semaphore and BoundedSemaphore."""

from __future__ import annotations

import _thread
from collections import deque
from typing import Any

from .bug import Bug, Edit


def _handing_over(namespace: dict[str, Any]) -> None:
    original = namespace["Semaphore"]

    class Semaphore(original):  # type: ignore[misc, valid-type]
        """Gives a permit to the first in the queue, even to one who has just stopped waiting."""

        def __init__(self, value: int = 1) -> None:
            super().__init__(value)
            self._line: deque[Any] = deque()

        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            if not blocking and timeout is not None:
                raise ValueError("can't specify timeout for non-blocking acquire")
            with self._cond:
                if self._value > 0 and not self._line:
                    self._value -= 1
                    return True
                if not blocking:
                    return False
                waiter = _thread.allocate_lock()
                waiter.acquire()
                self._line.append(waiter)
            granted = False
            try:
                limit = -1 if timeout is None else min(max(timeout, 0), _thread.TIMEOUT_MAX)
                granted = waiter.acquire(True, limit)
            finally:
                if not granted:
                    with self._cond:
                        if waiter in self._line:
                            self._line.remove(waiter)
            return granted

        __enter__ = acquire

        def release(self, n: int = 1) -> None:
            if n < 1:
                raise ValueError("n must be one or more")
            with self._cond:
                for _ in range(n):
                    if self._line:
                        self._line.popleft().release()
                    else:
                        self._value += 1

    namespace["Semaphore"] = Semaphore


BUGS = (
    Bug(
        "bounded_semaphore_checks_too_early",
        "semaphore",
        "bpo-19158",
        "release() compares with the bound before it takes the lock: two can pass it (rare)",
        "threading",
        (
            Edit(
                "        with self._cond:\n"
                "            if self._value + n > self._initial_value:\n"
                '                raise ValueError("Semaphore released too many times")\n',
                "        if self._value + n > self._initial_value:\n"
                '            raise ValueError("Semaphore released too many times")\n'
                "        with self._cond:\n",
            ),
        ),
    ),
    Bug(
        "semaphore_notifies_from_zero_only",
        "semaphore",
        "llvm/llvm-project#46357 (libc++'s counting_semaphore)",
        "release() wakes nobody unless the value was zero: the second of two releases is not told",
        "threading",
        (
            Edit(
                "            self._value += n\n            self._cond.notify(n)\n",
                "            self._value += n\n            if self._value == n:\n"
                "                self._cond.notify(n)\n",
                2,
            ),
        ),
    ),
    Bug(
        "semaphore_does_not_look_again",
        "semaphore",
        "RIOT-OS/RIOT#6696",
        "who was woken takes a permit without looking whether somebody else took it meanwhile",
        "threading",
        (
            Edit(
                "            while self._value == 0:\n                if not blocking:\n",
                "            for _ in range(self._value == 0):\n                if not blocking:\n",
            ),
            Edit(
                "                            break\n                self._cond.wait(timeout)\n",
                "                            break\n"
                "                if not self._cond.wait(timeout):\n"
                "                    break\n",
            ),
        ),
    ),
    Bug(
        "semaphore_late_grant_lost",
        "semaphore",
        "gh-90155 (asyncio.Semaphore)",
        "a permit that is granted in the moment in which the waiter gives up is lost (rare)",
        "threading",
        _handing_over,
    ),
    Bug(
        "semaphore_starves_who_waits",
        "semaphore",
        "vectorize-io/hindsight#4157, eventlet/eventlet#136",
        "a waiter looks ever more seldom, up to each 50 ms: one who releases and takes again"
        " keeps it out",
        "threading",
        (
            Edit(
                "from time import monotonic as _time\n",
                "from time import monotonic as _time, sleep as _sleep\n",
            ),
            Edit(
                "        rc = False\n        endtime = None\n",
                "        rc = False\n        pause = 0.0005\n        endtime = None\n",
            ),
            Edit(
                "                            break\n                self._cond.wait(timeout)\n",
                "                            break\n"
                "                self._cond.release()\n"
                "                try:\n"
                "                    _sleep(max(0, min(pause, pause if timeout is None else "
                "timeout)))\n"
                "                finally:\n"
                "                    self._cond.acquire()\n"
                "                pause = min(pause * 2, 0.05)\n",
            ),
        ),
    ),
)
