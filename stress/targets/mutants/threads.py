"""Bugs in threads."""

from __future__ import annotations

from .mutant import Mutant

THREADS = (
    Mutant(
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
    Mutant(
        "thread_ends_early",
        "Thread",
        "window",
        "it is said to have ended before its function has",
        "threads",
        "        try:\n            self.run()\n",
        "        self._ended.set()\n        try:\n            self.run()\n",
    ),
    Mutant(
        "thread_runs_never",
        "Thread",
        "rate",
        "now and then a thread ends without a run",
        "threads",
        "        if target is not None:\n",
        "        if target is not None and not _chance(0.01):\n",
    ),
    Mutant(
        "thread_join_gives_up",
        "Thread",
        "rate",
        "now and then join() returns at once",
        "threads",
        "        self._ended.wait(timeout)",
        "        if not _chance(0.01):\n            self._ended.wait(timeout)",
    ),
    Mutant(
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
