"""What looks like a deadlock, and is none; and what must not stop whoever looks."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import ftthreading
from ftthreading import _core, _thread, diagnostics
from ftthreading.diagnostics import _deadlocks, _names
from tests.support import SECONDS, wait_until

pytestmark = pytest.mark.thread_unsafe(reason="looks at all threads of the process")


@contextmanager
def running(*functions: Callable[[], None]) -> Iterator[None]:
    """Threads that call the functions again and again."""
    ends = threading.Event()

    def again(function: Callable[[], None]) -> None:
        while not ends.is_set():
            function()

    threads = [threading.Thread(target=again, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join(SECONDS)
            assert not thread.is_alive()


def run(source: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftthreading", *options, "-c", textwrap.dedent(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS, check=False)


@pytest.mark.parametrize("kind", [ftthreading.Lock, ftthreading.RLock])
def test_locks_that_go_from_hand_to_hand(kind: type) -> None:
    first, second = kind(), kind()

    def spin() -> None:
        for _ in range(300):
            pass

    def both() -> None:
        with first, second:
            spin()

    def one_after_the_other() -> None:
        with second:
            spin()
        with first:
            pass

    def only_second() -> None:
        with second:
            spin()

    with running(both, one_after_the_other, only_second, only_second):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            found = diagnostics.deadlocks()
            assert not found, found


def test_condition_whose_lock_goes_from_hand_to_hand() -> None:
    condition = ftthreading.Condition(ftthreading.Lock())

    def wait() -> None:
        with condition:
            condition.wait(0.01)

    def notify() -> None:
        with condition:
            condition.notify()

    with running(wait, wait, notify, notify):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            found = diagnostics.deadlocks()
            assert not found, found


def test_owner_that_has_not_been_written_down_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has just taken a Lock says so a moment later, and until then who had it before stands."""
    lock = ftthreading.Lock()
    looks: list[object] = []
    holder = _core._holder

    def stale(primitive: object) -> tuple[int, bool] | None:
        if primitive is not lock or len(looks) == 2:
            return holder(primitive)
        looks.append(primitive)
        (number,) = (call[0] for call in _core._calls() if call[2] is lock)
        return number, True

    def want() -> None:
        with lock:
            pass

    with lock:
        thread = threading.Thread(target=want)
        thread.start()
        wait_until(lambda: any(call[2] is lock and call[-1] for call in _core._calls()))
        monkeypatch.setattr(_core, "_holder", stale)
        found = diagnostics.deadlocks()
    thread.join(SECONDS)
    assert len(looks) == 2
    assert not found, found


def test_owner_that_is_younger_than_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that starts after it was asked which threads there are, and takes a lock."""
    lock, holds, ends = ftthreading.RLock(), threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def hold() -> None:
        with lock:
            holds.set()
            ends.wait()

    def want() -> None:
        with lock:
            pass

    class Threads(_names.Threads):
        def __init__(self) -> None:
            super().__init__()
            if threads:
                return
            for work in (hold, want):
                threads.append(threading.Thread(target=work))
                threads[-1].start()
                holds.wait()
            wait_until(lambda: any(each.primitive is lock for each in diagnostics.waits()))

    monkeypatch.setattr(_deadlocks, "Threads", Threads)
    try:
        assert not [each for each in diagnostics.deadlocks() if each.kind == "orphan"]
    finally:
        ends.set()
        for thread in threads:
            thread.join(SECONDS)


CYCLE_WITH_MAIN = """
    import signal, threading
    from ftthreading import diagnostics

    lock, holds = threading.Lock(), threading.Event()

    def work():
        holds.wait()
        with lock:
            pass

    class Enough(Exception):
        pass

    def handler(*_):
        raise Enough

    {handler}
    thread = threading.Thread(target=work)
    thread.start()
    def alarm():
        while not any(each.kind == "join" for each in diagnostics.waits()):
            pass
        while not (found := diagnostics.deadlocks()):
            pass
        print(found[0].kind, found[0].certain, found[0].doubt, flush=True)
        {alarm}
    teller = threading.Thread(target=alarm)
    teller.start()
    try:
        with lock:
            holds.set()
            thread.join()
    except Enough:
        print("over")
"""


def test_cycle_that_a_signal_handler_can_end() -> None:
    source = CYCLE_WITH_MAIN.format(
        handler="signal.signal(signal.SIGUSR2, handler)",
        alarm="signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR2)",
    )
    done = run(source)
    assert "cycle False a signal handler (SIGUSR2) may end the main thread's wait" in done.stdout
    assert "over" in done.stdout


def test_cycle_that_no_signal_handler_can_end() -> None:
    done = run(CYCLE_WITH_MAIN.format(handler="", alarm="__import__('os')._exit(0)"))
    assert "cycle True" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is never certain")
def test_standstill_that_a_thread_of_c_may_end() -> None:
    done = run(
        """
        import ctypes, os, threading
        from ftthreading import diagnostics

        libc = ctypes.CDLL(None)
        thread = ctypes.c_ulong()
        assert libc.pthread_create(ctypes.byref(thread), None, libc.pause, None) == 0

        class File:
            text = ""
            def write(self, text):
                self.text += text
                if "STANDSTILL" in self.text:
                    print(self.text, flush=True)
                    os._exit(7)

            def flush(self):
                pass

        diagnostics.enable(deadlocks="abort", file=File())
        threading.Event().wait()
        """
    )
    assert done.returncode == 7, done.stderr
    assert "POSSIBLE STANDSTILL" in done.stdout
    assert "a thread that runs no Python code" in done.stdout


def test_signal_handler_that_waits_for_the_one_that_is_looked_at() -> None:
    done = run(
        """
        import signal, threading
        from ftthreading import diagnostics
        from ftthreading.diagnostics import _stacks

        lock, got = threading.Lock(), threading.Event()
        lock.acquire()

        def work():
            lock.acquire()
            got.set()

        def handler(*_):
            lock.release()
            print("came back", got.wait(20))

        def read(*args):
            signal.raise_signal(signal.SIGALRM)
            return real(*args)

        thread = threading.Thread(target=work)
        thread.start()
        while not any(each.thread is thread for each in diagnostics.waits()):
            pass
        signal.signal(signal.SIGALRM, handler)
        real, _stacks.read = _stacks.read, read
        diagnostics.waits()
        """
    )
    assert "came back True" in done.stdout, done.stderr


def test_thread_with_properties_of_its_own() -> None:
    """The program's code does not run for a look, and cannot stop it."""
    ends = ftthreading.Event()

    class Odd(threading.Thread):
        @property
        def name(self) -> str:  # type: ignore[override]
            raise LookupError

        def is_alive(self) -> bool:
            raise LookupError

    thread = Odd(target=ends.wait)
    thread.start()
    try:
        wait_until(lambda: any(each.primitive is ends for each in diagnostics.waits()))
        diagnostics.deadlocks()
        file = io.StringIO()
        diagnostics.dump(file)
        assert "Event.wait()" in file.getvalue()
    finally:
        ends.set()
        threading.Thread.join(thread, SECONDS)


def test_join_asks_nothing_of_its_timeout() -> None:
    """Nothing that threading does not ask."""
    asked = []

    class Timeout:
        def __float__(self) -> float:
            asked.append("float")
            return 0.01

        def __gt__(self, other: object) -> bool:
            return False

        __lt__ = __gt__

    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    outcomes = []
    for join in (_thread._their_join, threading.Thread.join):
        asked.clear()
        try:
            join(thread, Timeout())  # type: ignore[arg-type]
            raised = None
        except TypeError as error:  # before 3.15
            raised = str(error)
        outcomes.append((raised, list(asked)))
    done.set()
    thread.join(SECONDS)
    assert outcomes[0] == outcomes[1]


def test_nothing_is_raised_while_a_condition_gets_its_lock_back() -> None:
    """Not in a lock either that the Condition only knows by its methods."""

    class Foreign:
        def __init__(self) -> None:
            self.inner = ftthreading.Lock()

        def acquire(self, *args: Any) -> bool:
            return self.inner.acquire(*args)

        def release(self) -> None:
            self.inner.release()

    ends: list[object] = []
    for lock in (ftthreading.Lock(), ftthreading.RLock(), Foreign()):
        condition, waits = ftthreading.Condition(lock), threading.Event()

        def wait(condition: ftthreading.Condition = condition, waits: Any = waits) -> None:
            condition.acquire()
            waits.set()
            ends.append(condition.wait())
            condition.release()

        thread = threading.Thread(target=wait)
        thread.start()
        waits.wait()
        condition.acquire()
        condition.notify()

        def back(thread: threading.Thread = thread) -> list[diagnostics.Wait]:
            found = [each for each in diagnostics.waits() if each.thread is thread]
            return [each for each in found if each.kind == "reacquire"]

        wait_until(back)
        (found,) = back()
        assert not _core._throw(found.number, found.began, diagnostics.DeadlockError())
        condition.release()
        thread.join(SECONDS)
        assert not thread.is_alive()
    assert ends == [True] * 3
