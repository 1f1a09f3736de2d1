"""Bugs in the child of a fork."""

from __future__ import annotations

from .bug import Bug, Edit
from .registry import HANDLE

BUGS = (
    Bug(
        "fork_native_id_of_the_parent",
        "fork",
        "gh-132542, bpo-38707",
        "the thread that forked has its parent's native_id in the child",
        "threading",
        (
            Edit(
                f"            assert self.{HANDLE}.ident == new_ident\n"
                "            if _HAVE_THREAD_NATIVE_ID:\n",
                f"            assert self.{HANDLE}.ident == new_ident\n            if False:\n",
            ),
        ),
    ),
    Bug(
        "fork_main_thread_of_the_parent",
        "fork",
        "bpo-31517",
        "in the child of another thread than the main one, main_thread() is the parent's",
        "threading",
        (Edit("    _main_thread = current\n", ""),),
    ),
    Bug(
        "fork_while_the_list_is_locked",
        "fork",
        "bpo-874900",
        "a fork while another thread starts or lists threads: the child waits for that one (rare)",
        "threading",
        (Edit("\n    _active_limbo_lock = RLock()\n", "\n"),),
    ),
    Bug(
        "fork_dead_threads_listed",
        "fork",
        "bpo-874900",
        "the parent's other threads, which are not in the child, are listed there",
        "threading",
        (
            Edit("        _active.clear()\n", ""),
            Edit("        assert len(_active) == 1\n", ""),
        ),
    ),
    Bug(
        "fork_in_a_dummy_thread",
        "fork",
        "gh-102512",
        "in the child of a thread that was not started here, the main thread is a dummy",
        "threading",
        (
            Edit(
                "            self.__class__ = _MainThread\n"
                "            self._name = 'MainThread'\n"
                "            self._daemonic = False\n",
                "            pass\n",
            ),
        ),
    ),
)
