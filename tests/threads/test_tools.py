"""What mending Thread does not disturb: tools that patch it, subclasses, other ways to start."""

from __future__ import annotations

import _thread
import inspect
import pickle
import sys
import threading
from typing import Any

import pytest

import ftthreading
from ftthreading import _thread as mended
from tests.support import SECONDS, run_python, start_threads, wait_until
from tests.support.starting import Gated, alone, processes


@alone
def test_another_way_to_start_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who starts threads in another way gets threading's start(), which needs no more of it."""
    begun: list[object] = []

    def start(*arguments: Any, **names: Any) -> None:
        begun.append(arguments[0].__self__)
        _thread.start_joinable_thread(*arguments, **names)

    monkeypatch.setattr(threading, "_start_joinable_thread", start)
    seen: list[object] = []
    thread = ftthreading.Thread(target=lambda: seen.append(ftthreading.current_thread()))
    thread.start()
    thread.join(SECONDS)
    assert begun == seen == [thread]


def test_a_subclass_that_does_all_itself() -> None:
    class Alone(ftthreading.Thread):
        def _bootstrap_inner(self) -> None:
            self._set_ident()  # type: ignore[attr-defined]
            self._started.set()  # type: ignore[attr-defined]
            gate.acquire(timeout=SECONDS)

    gate = _thread.allocate_lock()
    gate.acquire()
    thread = Alone()
    thread.start()
    assert thread.is_alive()
    gate.release()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert thread not in ftthreading.enumerate()  # threading's would list it for ever


def test_who_waits_for_the_start_of_a_thread_is_told() -> None:
    thread: Any = Gated()
    waiting = start_threads(1, lambda _: thread._started.wait(SECONDS))
    wait_until(lambda: thread._started._cond._waiters)
    thread.start()
    assert waiting.join() == [True]
    thread.gate.release()
    thread.join(SECONDS)


@processes
@pytest.mark.parametrize("first", ["the tool", "ftthreading"])
def test_a_tool_that_puts_itself_in_start_s_place(first: str) -> None:
    run_python(
        """
import sys
import threading

def instrument():
    start = threading.Thread.start
    def instrumented(thread):
        seen.append(thread)
        return start(thread)
    threading.Thread.start = instrumented

seen = []
if sys.argv[1] == "the tool":
    instrument()
    its_own = threading.Thread.start
import ftthreading
if sys.argv[1] == "the tool":
    assert threading.Thread.start is its_own
else:
    instrument()
ftthreading.install()
here = []
thread = threading.Thread(target=lambda: here.append(threading.current_thread()))
thread.start()
thread.join()
assert here == seen == [thread]
""",
        first,
    )


def test_what_is_mended_looks_as_it_did() -> None:
    names = ["start", "join"] if sys.version_info < (3, 14) else ["start"]
    theirs = {"start": mended._start, "join": mended._their_join}
    for name in names:
        ours = getattr(threading.Thread, name)
        assert ours is getattr(mended.Thread, name) is not theirs[name]
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            assert getattr(ours, attribute) == getattr(theirs[name], attribute)
        assert [*inspect.signature(ours).parameters] == [
            *inspect.signature(theirs[name]).parameters
        ]
        assert inspect.isfunction(ours)
        assert inspect.ismethod(getattr(threading.main_thread(), name))
        assert pickle.loads(pickle.dumps(ours)) is ours


@processes
def test_loaded_twice() -> None:
    """The first one's start() stands, and goes on working."""
    run_python(
        """
import sys, threading
import ftthreading
start = threading.Thread.start
for name in [name for name in sys.modules if name.partition(".")[0] == "ftthreading"]:
    del sys.modules[name]
import ftthreading as again
assert again is not ftthreading and threading.Thread.start is start
for module in (ftthreading, again):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(module.current_thread()))
    thread.start()
    thread.join()
    assert seen == [thread] and module.current_thread() is threading.main_thread()
"""
    )
