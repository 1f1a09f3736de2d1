"""excepthook, settrace and setprofile: the interpreter's own, in threads that are ours.

CPython's tests run on ours too (ci/cpython-tests). Here is what they do not try: hooks and
threads of ours that meet.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

import ftthreading
from tests.support import SECONDS, run_python, wait_until
from tests.support.asleep import wait_until_asleep

alone = pytest.mark.thread_unsafe(reason="changes hooks of the whole process")
processes = pytest.mark.thread_unsafe(reason="runs interpreters by itself")


class Fault(Exception):
    pass


def fail() -> None:
    raise Fault("on purpose")


def fail_not() -> None:
    pass


def run(target: Any) -> ftthreading.Thread:
    thread = ftthreading.Thread(target=target)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive()
    return thread


@alone
def test_replaced_hook_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(ftthreading, "excepthook", seen.append)
    thread = run(fail)
    (args,) = seen
    assert isinstance(args, ftthreading.ExceptHookArgs)
    assert args.exc_type is Fault
    assert str(args.exc_value) == "on purpose"
    assert args.exc_traceback is not None
    assert args.exc_traceback.tb_frame.f_code.co_name == "_bootstrap_inner"
    assert args.thread is thread


@alone
def test_hook_may_use_primitives_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in the thread that ends, which is still listed and still itself."""
    seen: list[Any] = []
    told = ftthreading.Event()

    def hook(args: Any) -> None:
        me = ftthreading.current_thread()
        helper = ftthreading.Thread(target=told.set)
        helper.start()
        seen.append((me is args.thread, me in ftthreading.enumerate(), told.wait(SECONDS)))
        helper.join()

    monkeypatch.setattr(ftthreading, "excepthook", hook)
    run(fail)
    assert seen == [(True, True, True)]


@alone
def test_hook_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def hook(args: Any) -> None:
        raise Fault("of the hook")

    seen: list[Any] = []
    monkeypatch.setattr(ftthreading, "excepthook", hook)
    monkeypatch.setattr(sys, "excepthook", lambda *args: seen.append(args))
    thread = run(fail)
    ((kind, value, _),) = seen
    assert kind is Fault
    assert str(value) == "of the hook"
    assert thread not in ftthreading.enumerate()


@alone
@pytest.mark.parametrize("error", [SystemExit, SystemExit(3)])
def test_system_exit_is_silent(
    error: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave() -> None:
        raise error

    monkeypatch.setattr(ftthreading, "excepthook", ftthreading.__excepthook__)  # not pytest's
    run(leave)
    assert capfd.readouterr() == ("", "")
    run(fail)
    assert "Fault: on purpose" in capfd.readouterr().err


@alone
def test_nothing_keeps_the_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cycle through the thread, its arguments or what is kept for current_thread()."""
    gone: list[Any] = []

    def hook(args: Any) -> None:
        gone.append(weakref.ref(args.exc_value))

    class Target:
        def __call__(self) -> None:
            assert ftthreading.current_thread()
            fail()

    target = Target()
    gone.append(weakref.ref(target))
    monkeypatch.setattr(ftthreading, "excepthook", hook)
    thread = run(target)
    gone.append(weakref.ref(thread))
    del thread, target
    assert len(gone) == 3
    wait_until(lambda: not any(each() for each in gone))


@processes
@pytest.mark.parametrize("moment", ["before", "after"])
def test_standard_error_is_gone(moment: str) -> None:
    """A thread remembers the one that was there when it was made, if any."""
    done = run_python(
        f"""
import sys
import ftthreading as threading

def fail():
    raise ValueError

if {moment!r} == "before":
    sys.stderr = None
thread = threading.Thread(target=fail)
sys.stderr = None
thread.start()
thread.join()
print("on")
"""
    )
    assert done.stdout == "on\n"
    assert ("ValueError" in done.stderr) == (moment == "after")


@alone
@pytest.mark.parametrize("kind", ["trace", "profile"])
def test_set_for_threads_to_come(kind: str) -> None:
    events: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: object) -> Any:
        events.append((frame.f_code.co_name, event))
        return note

    getattr(ftthreading, f"set{kind}")(note)
    try:
        assert getattr(ftthreading, f"get{kind}")() is note
        run(fail_not)
    finally:
        getattr(ftthreading, f"set{kind}")(None)
    assert ("fail_not", "call") in events
    assert ("fail_not", "return") in events
    before = len(events)
    run(fail_not)
    assert len(events) == before


@alone
@pytest.mark.parametrize("kind", ["trace", "profile"])
def test_set_in_threads_that_wait(kind: str) -> None:
    """Those asleep in a primitive have the hook too, when they go on."""
    lock, event, semaphore = ftthreading.Lock(), ftthreading.Event(), ftthreading.Semaphore(0)
    condition, barrier = ftthreading.Condition(), ftthreading.Barrier(2)
    lock.acquire()
    seen: dict[str, object] = {}

    def note(frame: FrameType, event: str, _: object) -> Any:
        return note

    def wait_for_condition() -> None:
        with condition:
            condition.wait()

    waits: dict[str, Callable[[], object]] = {
        "lock": lock.acquire,
        "event": event.wait,
        "semaphore": semaphore.acquire,
        "condition": wait_for_condition,
        "barrier": barrier.wait,
    }

    def wait(name: str) -> None:
        waits[name]()
        seen[name] = getattr(sys, f"get{kind}")()

    threads = [ftthreading.Thread(target=wait, args=(name,)) for name in waits]
    for thread in threads:
        thread.start()
    wait_until_asleep(*(thread.native_id or 0 for thread in threads))
    getattr(ftthreading, f"set{kind}_all_threads")(note)
    try:
        lock.release()
        event.set()
        semaphore.release()
        with condition:
            condition.notify()
        barrier.wait(SECONDS)
        for thread in threads:
            thread.join(SECONDS)
    finally:
        getattr(ftthreading, f"set{kind}_all_threads")(None)
    assert seen == dict.fromkeys(waits, note)
