"""Bugs of Future, wait() and as_completed()."""

from __future__ import annotations

from .bug import Bug, Edit

BASE = "concurrent.futures._base"
UNEXPECTED = (
    "            if self._state in {CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED}:\n"
    "                raise InvalidStateError('{}: {!r}'.format(self._state, self))\n"
)

BUGS = (
    Bug(
        "wait_counts_without_a_lock",
        "futures",
        "bpo-14406",
        "wait(ALL_COMPLETED) may miss the last future if two end at the same time (rare)",
        BASE,
        (
            Edit(
                "        with self.lock:\n            self.num_pending_calls -= 1\n"
                "            if not self.num_pending_calls:\n                self.event.set()\n",
                "        self.num_pending_calls -= 1\n"
                "        if not self.num_pending_calls:\n            self.event.set()\n",
            ),
        ),
    ),
    Bug(
        "wait_leaves_without_the_lock",
        "futures",
        "bpo-20319",
        "a wait() that ends while a future does can have another one's notice skipped (rare)",
        BASE,
        (
            Edit(
                "    for f in fs:\n        with f._condition:\n"
                "            f._waiters.remove(waiter)\n",
                "    for f in fs:\n        f._waiters.remove(waiter)\n",
            ),
        ),
    ),
    Bug(
        "as_completed_given_one_twice",
        "futures",
        "bpo-20367",
        "as_completed() fails at a future that it was given twice",
        BASE,
        (
            Edit(
                "    fs = set(fs)\n    total_futures = len(fs)\n",
                "    fs = list(fs)\n    total_futures = len(fs)\n",
            ),
            Edit("        pending = fs - finished\n", "        pending = set(fs) - finished\n"),
        ),
    ),
    Bug(
        "as_completed_keeps_what_it_gave",
        "futures",
        "bpo-27144",
        "as_completed() keeps a future until the next one is asked for",
        BASE,
        (
            Edit(
                "        yield fs.pop()\n",
                "        yield fs[-1]\n        fs.pop()\n",
            ),
        ),
    ),
    Bug(
        "future_cancelled_gets_a_result",
        "futures",
        "bpo-33238",
        "a future that was cancelled or has a result takes another one, and calls back again",
        BASE,
        (Edit(UNEXPECTED, "", 2),),
    ),
    Bug(
        "future_cancelled_while_it_begins",
        "futures",
        "dabeaz/curio#374, rohanpm/more-executors#151",
        "cancel() looks at the state before it has the lock: it cancels one that runs (rare)",
        BASE,
        (
            Edit(
                "        with self._condition:\n"
                "            if self._state in [RUNNING, FINISHED]:\n"
                "                return False\n",
                "        if self._state in [RUNNING, FINISHED]:\n            return False\n"
                "        with self._condition:\n",
            ),
        ),
    ),
    Bug(
        "callback_error_hits_who_adds_it",
        "futures",
        "bpo-33110",
        "add_done_callback() raises what the callback raises, if the future is done",
        BASE,
        (
            Edit(
                "        try:\n            fn(self)\n        except Exception:\n",
                "        fn(self)\n        try:\n            pass\n        except Exception:\n",
            ),
        ),
    ),
)
