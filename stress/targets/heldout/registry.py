"""Bugs of Thread and of the list of all threads."""

from __future__ import annotations

import _thread
import sys
from typing import Any

from .bug import Bug, Edit

HANDLE = "_os_thread_handle" if sys.version_info >= (3, 14) else "_handle"

START = Edit(
    f"        self.{HANDLE} = _ThreadHandle()\n",
    f"        self.{HANDLE} = _ThreadHandle()\n        self._over = False\n",
)
"""A mark of our own in each thread, which says that it is over."""


def _forgets_the_stack_size(namespace: dict[str, Any]) -> None:
    told = 0

    def stack_size(size: int = 0, /) -> int:
        nonlocal told
        before = _thread.stack_size(size) if size else 0
        if size:
            _thread.stack_size(before)
        before, told = told, size
        return before

    namespace["stack_size"] = stack_size


BUGS = (
    Bug(
        "thread_name_twice",
        "registry",
        "bpo-11866",
        "two threads that are made at the same time can get one name",
        "threading",
        (
            Edit("_counter = _count(1).__next__\n", "_counter = 0\n"),
            Edit(
                "    return name_template % _counter()\n",
                "    global _counter\n    _counter += 1\n    return name_template % _counter\n",
            ),
        ),
    ),
    Bug(
        "dummy_thread_stays",
        "registry",
        "gh-114423",
        "a thread that was not started here, and has asked for current_thread(), is listed for"
        " ever, and the next one with its ident takes over its object",
        "threading",
        (Edit("        _DeleteDummyThreadOnDel(self)\n", ""),),
    ),
    Bug(
        "failed_start_stays_in_limbo",
        "registry",
        "gh-140746",
        "a thread that could not be started is listed for ever",
        "threading",
        (
            Edit(
                "            with _active_limbo_lock:\n"
                "                del _limbo[self]\n"
                "            raise\n",
                "            raise\n",
            ),
        ),
    ),
    Bug(
        "join_before_the_thread_state_is_gone",
        "registry",
        "bpo-18808",
        "join() returns, and is_alive() is false, before the thread has dropped its local values",
        "threading",
        (
            Edit(
                f"        self.{HANDLE} = _ThreadHandle()\n",
                f"        self.{HANDLE} = _ThreadHandle()\n        self._ended = Event()\n",
            ),
            Edit(
                "            del _active[get_ident()]\n",
                "            del _active[get_ident()]\n        self._ended.set()\n",
            ),
            Edit(
                "        self._started._at_fork_reinit()\n",
                "        self._started._at_fork_reinit()\n"
                "        self._ended._at_fork_reinit()\n"
                "        if new_ident is None:\n"
                "            self._ended.set()\n",
            ),
            Edit(f"        self.{HANDLE}.join(timeout)\n", "        self._ended.wait(timeout)\n"),
            Edit(
                f"        return self._started.is_set() and not self.{HANDLE}.is_done()\n",
                "        return self._started.is_set() and not self._ended.is_set()\n",
            ),
        ),
    ),
    Bug(
        "join_interrupted_ends_the_thread",
        "registry",
        "bpo-46726",
        "an exception from a signal handler in join() has the thread taken for dead, which runs",
        "threading",
        (
            START,
            Edit(
                f"        self.{HANDLE}.join(timeout)\n",
                "        if self._over:\n"
                "            return\n"
                "        try:\n"
                f"            self.{HANDLE}.join(timeout)\n"
                "        except:\n"
                "            self._over = True\n"
                "            raise\n",
            ),
            Edit(
                f"        return self._started.is_set() and not self.{HANDLE}.is_done()\n",
                "        if self._over:\n"
                "            return False\n"
                f"        return self._started.is_set() and not self.{HANDLE}.is_done()\n",
            ),
        ),
    ),
    Bug(
        "join_interrupted_keeps_the_lock",
        "registry",
        "bpo-45274",
        "an exception that comes when join() has just got the thread's lock leaves it locked: no"
        " later join() ends (rare)",
        "threading",
        (
            Edit(
                f"        self.{HANDLE} = _ThreadHandle()\n",
                f"        self.{HANDLE} = _ThreadHandle()\n"
                "        self._running = _allocate_lock()\n",
            ),
            Edit(
                "            self._started.set()\n            with _active_limbo_lock:\n",
                "            self._running.acquire()\n"
                "            self._started.set()\n"
                "            with _active_limbo_lock:\n",
            ),
            Edit(
                "            del _active[get_ident()]\n",
                "            del _active[get_ident()]\n        self._running.release()\n",
            ),
            Edit(
                "        self._started._at_fork_reinit()\n",
                "        self._started._at_fork_reinit()\n"
                "        self._running._at_fork_reinit()\n"
                "        if new_ident is not None and not isinstance(self, _MainThread):\n"
                "            self._running.acquire()\n",
            ),
            Edit(
                f"        self.{HANDLE}.join(timeout)\n",
                "        limit = -1 if timeout is None else min(timeout, TIMEOUT_MAX)\n"
                "        if self._running.acquire(True, limit):\n"
                "            self._running.release()\n"
                f"            self.{HANDLE}.join(timeout)\n",
            ),
        ),
    ),
    Bug(
        "list_of_threads_not_reentrant",
        "registry",
        "bpo-44422",
        "enumerate() from a signal handler or destructor that comes while the same thread is in"
        " active_count() or starts a thread waits for ever (rare)",
        "threading",
        (Edit("_active_limbo_lock = RLock()\n", "_active_limbo_lock = Lock()\n", 2),),
    ),
    Bug(
        "false_target_not_called",
        "registry",
        "bpo-41149",
        "a target that is false as a truth value is not called",
        "threading",
        (
            Edit(
                "            if self._target is not None:\n",
                "            if self._target:\n",
            ),
        ),
    ),
    Bug(
        "stack_size_forgotten",
        "registry",
        "dragonwell-project/dragonwell8#240 (Java's Thread)",
        "stack_size() remembers the size that it is told, and threads have another one",
        "threading",
        _forgets_the_stack_size,
    ),
)
