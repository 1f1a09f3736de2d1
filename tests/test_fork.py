"""fork() while other threads use Lock and RLock: the child has all it needs to go on.

Of the threads only the one that called fork() exists in the child. What others held stays held (as
with threading's locks); what they waited for, or were in the middle of, must not matter.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from asleep import once_main_sleeps, start_asleep, wait_until_asleep
from support import SECONDS, run_python, run_threads, start_threads, wait_until

import ftthreading

pytestmark = [
    pytest.mark.thread_unsafe(reason="forks the process, and wants no threads but its own"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()"),
    pytest.mark.skipif(
        "thread-sanitizer" in (sysconfig.get_config_var("CONFIG_ARGS") or ""),
        reason="ThreadSanitizer's runtime lets no child of a process with threads start threads",
    ),
]

both = pytest.mark.parametrize("name", ["Lock", "RLock"])


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


class Child:
    """A forked child that runs a function and exits with 0 if it returned."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            finish(function)

    def end(self) -> None:
        """Wait for it; raise AssertionError unless it exited with 0."""
        status = None

        def ended() -> bool:
            nonlocal status
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid != 0

        try:
            wait_until(ended, timeout=2 * SECONDS, what=f"child {self.pid} has ended")
        except AssertionError:
            os.kill(self.pid, signal.SIGABRT)  # faulthandler shows where it hangs
            os.waitpid(self.pid, 0)
            raise
        assert status == 0


def finish(function: Callable[[], object]) -> None:
    """End the child: nothing of pytest may run in it."""
    status = 1
    try:
        function()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def use(lock: Any) -> None:
    """Use a free lock in every way, with threads that wait for it."""
    assert not lock.locked()
    with lock:
        assert run_threads(2, lambda _: lock.acquire(timeout=0.001)) == [False, False]
        waiting = start_asleep(3, lambda _: (lock.acquire(), lock.release()))
    assert waiting.join() == [(True, None)] * 3
    assert not lock.locked()
    with pytest.raises(RuntimeError):
        lock.release()


@both
@pytest.mark.parametrize("timeout", [-1, 600], ids=["untimed", "timed"])
def test_held_by_the_parent_and_waited_for(name: str, timeout: float) -> None:
    """The child releases the lock, and finds none of the waiters that were its parent's."""
    lock, free = make(name), make(name)
    lock.acquire()
    waiting = start_asleep(4, lambda _: (lock.acquire(True, timeout), lock.release()))

    def child() -> None:
        assert lock.locked()
        if name == "RLock":
            assert lock._is_owned()
            assert lock._recursion_count() == 1
        assert run_threads(2, lambda _: lock.acquire(timeout=0.001)) == [False, False]
        late = start_asleep(2, lambda _: (lock.acquire(), lock.release()))
        lock.release()
        assert late.join() == [(True, None)] * 2
        use(lock)
        use(free)
        use(make(name))

    forked = Child(child)
    forked.end()
    assert lock.locked()
    lock.release()
    assert waiting.join() == [(True, None)] * 4
    use(lock)


@both
def test_held_by_a_thread_that_the_child_does_not_have(name: str) -> None:
    lock = make(name)
    held, let_go = [], _thread.allocate_lock()
    let_go.acquire()

    def hold(_: int) -> None:
        with lock:
            held.append(True)
            let_go.acquire()

    holding = start_threads(1, hold)
    wait_until(lambda: bool(held))
    waiting = start_asleep(2, lambda _: (lock.acquire(), lock.release()))

    def child() -> None:
        assert lock.locked()
        assert lock.acquire(False) is False
        assert lock.acquire(timeout=0.01) is False
        if name == "RLock":
            assert not lock._is_owned()
            with pytest.raises(RuntimeError):
                lock.release()
            lock._at_fork_reinit()
        else:
            lock.release()
        use(lock)

    Child(child).end()
    let_go.release()
    holding.join()
    waiting.join()
    use(lock)


@both
def test_a_storm_of_threads(name: str) -> None:
    """fork() catches the others anywhere: in a queue, under a bucket lock, spinning, waking."""
    busy = [make(name) for _ in range(3)]
    held, mine = make(name), make(name)
    done = False

    def storm(i: int) -> int:
        n = 0
        while not done:
            n += 1
            lock = busy[(i + n) % 3]
            if n % 4 == 0:
                if lock.acquire(timeout=1e-6 * (n % 50)):
                    lock.release()
            else:
                with lock:
                    pass
        return n

    held.acquire()
    parked = start_asleep(4, lambda _: (held.acquire(), held.release()))
    storming = start_threads(6, storm)

    def child() -> None:
        assert mine.locked()
        mine.release()
        use(mine)
        held.release()
        use(held)
        for lock in busy:
            if lock.acquire(timeout=0.001):  # else a thread that is no more has it for ever
                lock.release()
            else:
                assert lock.locked()
                lock._at_fork_reinit()
            use(lock)

    for _ in range(50):
        with mine:
            forked = Child(child)
        forked.end()
    done = True
    assert min(storming.join()) > 0
    held.release()
    parked.join()
    for lock in [*busy, held, mine]:
        use(lock)


@both
def test_children_of_many_threads_at_once(name: str) -> None:
    lock = make(name)

    def work(_: int) -> None:
        for _ in range(5):
            with lock:

                def child() -> None:
                    assert lock.locked()
                    lock.release()
                    use(lock)

                forked = Child(child)
            forked.end()

    run_threads(4, work, timeout=120)
    use(lock)


@both
def test_fork_in_a_signal_handler_that_interrupted_the_wait(name: str) -> None:
    """In the child the wait goes on as well, and ends when the lock is freed there."""
    lock = make(name)
    parent = os.getpid()
    children: list[int] = []
    let_go = _thread.allocate_lock()
    let_go.acquire()

    def hold(_: int) -> None:
        with lock:
            let_go.acquire()

    holding = start_threads(1, hold)
    wait_until(lock.locked)

    def handler(*_: object) -> None:
        pid = os.fork()
        if pid != 0:
            children.append(pid)
        elif name == "Lock":
            start_asleep(1, lambda _: (wait_until_asleep(os.getpid()), lock.release()))
        else:
            lock._at_fork_reinit()

    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        wait_until(lambda: len(children) == 1)
        wait_until_asleep(parent)
        let_go.release()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        interrupting = once_main_sleeps(interrupt)
        acquired = lock.acquire()
        if os.getpid() != parent:

            def child() -> None:
                assert acquired is True
                assert lock.locked()
                lock.release()
                use(lock)

            finish(child)
        interrupting.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert acquired is True
    lock.release()
    holding.join()
    assert os.waitpid(children[0], 0)[1] == 0
    use(lock)


@both
def test_timed_wait_goes_on_in_the_child_of_its_handler(name: str) -> None:
    lock = make(name)
    parent = os.getpid()
    children: list[int] = []
    let_go = _thread.allocate_lock()
    let_go.acquire()

    def hold(_: int) -> None:
        with lock:
            let_go.acquire()

    holding = start_threads(1, hold)
    wait_until(lock.locked)

    def handler(*_: object) -> None:
        pid = os.fork()
        if pid != 0:
            children.append(pid)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        interrupting = once_main_sleeps(
            lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        )
        start = time.monotonic()
        acquired = lock.acquire(timeout=1)
        took = time.monotonic() - start
        if os.getpid() != parent:

            def child() -> None:
                assert acquired is False
                assert took >= 1
                assert lock.locked()

            finish(child)
        interrupting.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert acquired is False
    assert len(children) == 1
    assert os.waitpid(children[0], 0)[1] == 0
    let_go.release()
    holding.join()
    use(lock)


def test_an_rlock_stays_its_owners_in_the_child() -> None:
    rlock = ftthreading.RLock()
    with rlock, rlock, rlock:

        def child() -> None:
            assert rlock._recursion_count() == 3
            assert f"owner={ftthreading.get_ident()} count=3" in repr(rlock)
            assert rlock.acquire()
            state = rlock._release_save()
            use(rlock)
            rlock._acquire_restore(state)
            for _ in range(4):
                rlock.release()
            use(rlock)

        Child(child).end()
        assert rlock._recursion_count() == 3


def test_signals_interrupt_waits_in_a_child_of_another_thread() -> None:
    """The thread that called fork() is the child's main thread: it runs the handlers there."""

    class Alarm(Exception):
        pass

    def handler(*_: object) -> None:
        raise Alarm

    def child() -> None:
        signal.signal(signal.SIGALRM, handler)
        for lock in (ftthreading.Lock(), ftthreading.RLock()):
            run_threads(1, lambda _, lock=lock: lock.acquire())
            with pytest.raises(Alarm):
                signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
                lock.acquire(timeout=SECONDS)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def fork(_: int) -> None:
        Child(child).end()

    run_threads(1, fork, timeout=3 * SECONDS)


def test_grandchildren() -> None:
    lock = ftthreading.Lock()
    lock.acquire()
    start_asleep(1, lambda _: lock.acquire(timeout=SECONDS))

    def grandchild() -> None:
        lock.release()
        use(lock)

    def child() -> None:
        late = start_asleep(1, lambda _: (lock.acquire(), lock.release()))
        Child(grandchild).end()
        lock.release()
        late.join()
        use(lock)

    Child(child).end()
    lock.release()


def test_register_at_fork() -> None:
    """As logging does it: hold the lock over fork(), make it new in the child."""
    out = run_python(
        """
import os, threading, ftthreading

lock, rlock = ftthreading.Lock(), ftthreading.RLock()

def before():
    lock.acquire()
    rlock.acquire()

def in_parent():
    rlock.release()
    lock.release()

def in_child():
    assert lock.locked() and rlock.locked()
    rlock._at_fork_reinit()
    lock._at_fork_reinit()

os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
done = False

def use():
    while not done:
        with rlock, rlock:
            pass
        with lock:
            pass

threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        assert lock.acquire(False) and rlock.acquire(False)
        waiting = threading.Thread(target=lambda: (lock.acquire(), lock.release()))
        waiting.start()
        lock.release()
        rlock.release()
        waiting.join()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
done = True
for thread in threads:
    thread.join()
print("done")
""",
        env={"PYTHONWARNINGS": "ignore"},
    )
    assert (out.stdout, out.stderr) == ("done\n", "")


def test_destructors_of_dead_threads_use_locks() -> None:
    """The child drops what the threads it does not have had, before any hook runs."""
    out = run_python(
        """
import os, threading, time, ftthreading

held, used = ftthreading.Lock(), ftthreading.RLock()
held.acquire()
local = threading.local()
go_on = ftthreading.Lock()
go_on.acquire()
ready = []
deleted = []

class InThread:
    def __del__(self):
        with used, used:
            deleted.append(held.acquire(timeout=0.001))
        go_on.release()
        deleted.append(go_on.acquire(False))

def run():
    local.value = InThread()
    ready.append(1)
    go_on.acquire()
    go_on.release()

threads = [threading.Thread(target=run) for _ in range(4)]
for thread in threads:
    thread.start()
while len(ready) < 4:
    time.sleep(0.001)
pid = os.fork()
if pid == 0:
    os._exit(0 if deleted == [False, True] * 4 else 1 + len(deleted))
status = os.waitpid(pid, 0)[1]
go_on.release()
for thread in threads:
    thread.join()
assert status == 0, status
print("done")
""",
        env={"PYTHONWARNINGS": "ignore"},
    )
    assert (out.stdout, out.stderr) == ("done\n", "")
