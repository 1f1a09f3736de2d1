"""Who waits for what, and who has it: `waits`, `owner_of`, `dump`, and the signal for it."""

from __future__ import annotations

import gc
import io
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import ftthreading
from ftthreading import diagnostics
from tests.support import SECONDS, in_time, run_threads, wait_until

pytestmark = pytest.mark.thread_unsafe(reason="looks at all threads of the process")


@contextmanager
def waiting(function: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
    """A thread "waiter" that calls the function, until the end has ended its wait."""
    thread = threading.Thread(target=function, name="waiter", daemon=True)
    thread.start()
    wait_until(lambda: any(wait.name == "waiter" for wait in diagnostics.waits()))
    try:
        yield
    finally:
        end()
        thread.join(SECONDS)
        assert not thread.is_alive()


def the_wait() -> diagnostics.Wait:
    (wait,) = [wait for wait in diagnostics.waits() if wait.name == "waiter"]
    return wait


def test_lock() -> None:
    lock = ftthreading.Lock()
    before = time.monotonic()
    with lock:
        owner = diagnostics.owner_of(lock)
        assert owner is not None
        assert owner.sure
        assert owner.exists
        assert owner.thread is threading.current_thread()

        def work() -> None:
            with lock:
                pass

        with waiting(work, lambda: None):
            wait = the_wait()
            assert wait.primitive is lock
            assert wait.kind == "acquire"
            assert wait.called == "Lock.acquire()"
            assert before <= wait.since <= time.monotonic()
            assert wait.deadline is None
            assert wait.owner is not None
            assert wait.owner.ident == threading.get_ident()
            assert wait.place is not None
            assert wait.place.function.endswith("work")
            assert wait.place.text == "with lock:"
            lock.release()
            wait_until(lambda: not any(wait.name == "waiter" for wait in diagnostics.waits()))
            assert lock.acquire()
    assert diagnostics.owner_of(lock) is None


def test_lock_taken_by_acquire_is_not_sure() -> None:
    lock = ftthreading.Lock()
    assert lock.acquire()
    owner = diagnostics.owner_of(lock)
    assert owner is not None
    assert not owner.sure
    assert owner.ident == threading.get_ident()
    lock.release()
    assert lock.acquire(timeout=1)
    assert diagnostics.owner_of(lock) is not None
    lock.release()


def test_owner_is_who_was_handed_the_lock() -> None:
    lock = ftthreading.Lock()
    has, done = threading.Event(), threading.Event()

    def work() -> None:
        with lock:
            has.set()
            done.wait()

    lock.acquire()
    thread = threading.Thread(target=work, name="waiter", daemon=True)
    thread.start()
    wait_until(lambda: any(wait.primitive is lock for wait in diagnostics.waits()))
    lock.release()
    assert has.wait(SECONDS)
    owner = diagnostics.owner_of(lock)
    assert owner is not None
    assert owner.thread is thread
    assert owner.sure
    done.set()
    thread.join(SECONDS)


def test_condition_keeps_how_its_lock_was_taken() -> None:
    lock = ftthreading.Lock()
    condition = ftthreading.Condition(lock)
    with condition:
        condition.wait(0.01)
        owner = diagnostics.owner_of(condition)
        assert owner is not None
        assert owner.sure
        assert owner.ident == threading.get_ident()
    condition.acquire()
    condition.wait(0.01)
    owner = diagnostics.owner_of(condition)
    assert owner is not None
    assert not owner.sure
    condition.release()


def test_owner_of_what_has_none() -> None:
    for thing in (ftthreading.Event(), ftthreading.Semaphore(), object()):
        with pytest.raises(TypeError, match="has no owner"):
            diagnostics.owner_of(thing)


def test_deadline() -> None:
    event = ftthreading.Event()
    with waiting(lambda: event.wait(SECONDS * 2), event.set):
        wait = the_wait()
        assert wait.kind == "wait"
        assert wait.called == "Event.wait()"
        assert wait.owner is None
        assert wait.deadline is not None
        assert wait.deadline - wait.since == pytest.approx(SECONDS * 2)


def test_condition_semaphore_barrier() -> None:
    condition = ftthreading.Condition()

    def wait_for_notification() -> None:
        with condition:
            condition.wait()

    def notify() -> None:
        with condition:
            condition.notify()

    with waiting(wait_for_notification, notify):
        assert the_wait().primitive is condition
        assert the_wait().called == "Condition.wait()"
    semaphore = ftthreading.Semaphore(0)
    with waiting(semaphore.acquire, semaphore.release):
        assert the_wait().kind == "acquire"
        assert the_wait().called == "Semaphore.acquire()"
    barrier = ftthreading.Barrier(2)
    with waiting(barrier.wait, barrier.wait):
        assert the_wait().primitive is barrier
        assert the_wait().called == "Barrier.wait()"


def test_what_the_program_called() -> None:
    code = """
import queue, sys, threading
from concurrent.futures import Future
from ftthreading import diagnostics
items, future, done = queue.Queue(), Future(), threading.Event()
target = threading.Thread(target=done.wait, name="target", daemon=True)
target.start()
for name, function in (("get", items.get), ("result", future.result), ("join", target.join)):
    threading.Thread(target=function, name=name, daemon=True).start()
while len(waits := diagnostics.waits()) < 4: pass
print(sorted((wait.name, wait.called, type(wait.callee).__name__) for wait in waits))
"""
    done = subprocess.run(
        [sys.executable, "-m", "ftthreading", "-c", code],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout.strip() == str(
        [
            ("get", "Queue.get()", "Queue"),
            ("join", "Thread.join()", "Thread"),
            ("result", "Future.result()", "Future"),
            ("target", "Event.wait()", "Event"),
        ]
    ), done.stderr


def test_join_says_for_whom_and_until_when() -> None:
    done = ftthreading.Event()
    target = threading.Thread(target=done.wait, name="target", daemon=True)
    target.start()
    with waiting(lambda: target.join(SECONDS * 2), done.set):
        wait = the_wait()
        assert wait.kind == "join"
        assert wait.primitive is target
        assert wait.owner is not None
        assert wait.owner.thread is target
        assert wait.deadline is not None


def test_stack_begins_and_ends_in_the_program() -> None:
    """Neither the library that waits for it is in it, nor the pool that runs it."""
    event = ftthreading.Event()

    def mine() -> list[diagnostics.Wait]:
        return [wait for wait in diagnostics.waits() if wait.primitive is event]

    def work() -> None:
        event.wait()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        wait_until(mine)
        (wait,) = mine()
        event.set()
    assert [place.file for place in wait.stack] == [__file__]


def test_dump_of_a_running_thread_ends_in_the_program() -> None:
    done = False

    def run() -> None:
        while not done:
            time.sleep(0.001)

    thread = threading.Thread(target=run, name="running")
    thread.start()
    file = io.StringIO()
    diagnostics.dump(file)
    done = True
    thread.join(SECONDS)
    _, _, block = file.getvalue().partition('Thread "running"')
    block = block.partition("\n\n")[0]
    assert __file__ in block
    assert threading.__file__ not in block


def test_dump() -> None:
    lock = ftthreading.RLock()

    def work() -> None:
        with lock:
            pass

    with lock:
        thread = threading.Thread(target=work, name="waiter", daemon=True)
        thread.start()
        wait_until(lambda: any(wait.primitive is lock for wait in diagnostics.waits()))
        out = io.StringIO()
        diagnostics.dump(out)
    thread.join(SECONDS)
    text = out.getvalue()
    assert 'Thread "waiter"' in text
    assert "waits to acquire RLock at" in text
    assert f'held by "{threading.current_thread().name}"' in text
    assert 'Thread "MainThread"' in text
    assert "in test_dump" in text


def test_thousand_waiting_threads() -> None:
    event = ftthreading.Event()
    threads = [threading.Thread(target=event.wait, name=f"many-{i}") for i in range(1000)]
    try:
        for thread in threads:
            thread.start()

        def waits() -> int:
            return sum(wait.primitive is event for wait in diagnostics.waits())

        wait_until(lambda: waits() == len(threads), timeout=4 * SECONDS)
        out = io.StringIO()
        diagnostics.dump(out)
        assert out.getvalue().count("waits on Event at") == len(threads)
    finally:
        event.set()
        for thread in threads:
            thread.join()


def test_waits_end_while_eight_threads_look() -> None:
    """Threads that hand locks to each other, and others that look: nobody sees what is gone."""
    lock, condition = ftthreading.Lock(), ftthreading.Condition()
    over = ftthreading.Event()

    def work(i: int) -> None:
        if i % 2 == 0:
            for _ in range(300):
                for wait in diagnostics.waits():
                    assert wait.ident
                    assert wait.called
            over.set()
        while not over.is_set():
            with lock:
                pass
            with condition:
                condition.notify()
                condition.wait(0.0001)

    run_threads(8, work, timeout=4 * SECONDS)


def test_collections_while_others_look() -> None:
    lock, over = ftthreading.Lock(), ftthreading.Event()

    def work(i: int) -> None:
        if i == 0:
            for _ in range(50):
                gc.collect()
            over.set()
        while not over.is_set():
            if i % 2 == 1:
                diagnostics.waits()
            else:
                with lock:
                    pass

    run_threads(6, work, timeout=4 * SECONDS)


SIGNALLED = """
import sys, threading, time
from ftthreading import diagnostics
{how}
done = threading.Event()
threading.Thread(target=done.wait, name="waiter", daemon=True).start()
while not any(wait.name == "waiter" for wait in diagnostics.waits()):
    time.sleep(0.001)
print("ready", flush=True)
{block}
print("end", flush=True)
"""


@pytest.mark.parametrize(
    "block",
    [
        "threading.Event().wait(60)",
        # In C, without a look at signals.
        (
            "import ctypes; lock = ctypes.CDLL(None).pthread_mutex_lock; "
            "mutex = ctypes.create_string_buffer(256); lock(mutex); lock(mutex)"
        ),
    ],
    ids=["in-a-wait", "in-c"],
)
def test_signal_prints_the_dump(block: str) -> None:
    code = SIGNALLED.format(how="", block=block)
    command = [sys.executable, "-m", "ftthreading", "--dump-on=USR1", "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with in_time(process):
                assert process.stdout.readline() == "ready\n"
                for _ in range(2):
                    process.send_signal(signal.SIGUSR1)
                    lines = []
                    for line in process.stderr:
                        lines.append(line)
                        if "waits on Event" in line and 'Thread "waiter"' in "".join(lines):
                            break
                    assert any('Thread "MainThread"' in line for line in lines)
                    assert process.poll() is None
        finally:
            process.kill()


def test_fork_goes_on_looking_and_does_not_warn() -> None:
    code = """
import os, sys, signal, threading, time, warnings
warnings.simplefilter("error")
from ftthreading import diagnostics
diagnostics.enable(signal=signal.SIGUSR1, deadlocks="report")
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(60)
print(child, flush=True)
os.waitpid(child, 0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        with in_time(process):
            child = int(process.stdout.readline())
        try:
            ready, _, _ = select.select([process.stderr], [], [], SECONDS)
            assert ready, "the child has not answered its signal"
            assert "ftthreading: 1 threads" in process.stderr.readline()
        finally:
            os.kill(child, signal.SIGKILL)
            assert process.wait(SECONDS) == 0


def test_disable_gives_the_signal_back() -> None:
    code = """
import os, signal, threading
from ftthreading import diagnostics
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
diagnostics.enable(signal=signal.SIGUSR1)
diagnostics.enable(signal=signal.SIGUSR1, deadlocks="report")
diagnostics.disable()
diagnostics.disable()
os.kill(os.getpid(), signal.SIGUSR1)
print(seen, threading.active_count())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.stdout == "[1] 1\n", done.stderr
