"""fork() while other threads use Lock and RLock: the child has all it needs to go on.

Of the threads only the one that called fork() exists in the child. What others held stays held (as
with threading's locks); what they waited for, or were in the middle of, must not matter.
"""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import Any

import pytest

import ftthreading
from tests.support import SECONDS, run_python, run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep, take
from tests.support.forking import Child, marks, run_destructors_of_dead_threads, use
from tests.support.interrupting import Holder

pytestmark = marks

both = pytest.mark.parametrize("name", ["Lock", "RLock"])


def make(name: str) -> Any:
    return getattr(ftthreading, name)()


@both
@pytest.mark.parametrize("timeout", [-1, 600], ids=["untimed", "timed"])
def test_held_by_the_parent_and_waited_for(name: str, timeout: float) -> None:
    """The child releases the lock, and finds none of the waiters that were its parent's."""
    lock, free = make(name), make(name)
    lock.acquire()

    def wait(_: int) -> bool:
        acquired: bool = lock.acquire(True, timeout)
        lock.release()
        return acquired

    waiting = start_asleep(4, wait)

    def child() -> None:
        assert lock.locked()
        if name == "RLock":
            assert lock._is_owned()
            assert lock._recursion_count() == 1
        assert run_threads(2, lambda _: lock.acquire(timeout=0.001)) == [False, False]
        late = start_asleep(2, take, lock)
        lock.release()
        assert late.join() == [True] * 2
        use(lock)
        use(free)
        use(make(name))

    Child(child).end()
    assert lock.locked()
    lock.release()
    assert waiting.join() == [True] * 4
    use(lock)


@both
def test_held_by_a_thread_that_the_child_does_not_have(name: str) -> None:
    lock = make(name)
    holder = Holder(lock)
    waiting = start_asleep(2, take, lock)

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
    holder.end()
    waiting.join()
    use(lock)


# In the next two tests the threads share nothing with the child but our locks, no variable of an
# enclosing function above all. On a free-threaded build the interpreter itself locks such shared
# objects in passing, and a child hangs that comes to one which a thread of its parent had locked
# (seen with a cell, in PyCell_GetRef(), on 3.13.5t).


class Storm:
    """Threads that use the locks all the time, while it blows."""

    def __init__(self, locks: tuple[Any, ...]) -> None:
        self._locks = locks
        self._blowing = Event()
        self._ended = False
        self._counts = [0] * 4
        self._threads = start_threads(len(self._counts), self._use)

    def _use(self, i: int) -> None:
        n = 0
        while not self._ended:
            lock = self._locks[(i + n) % len(self._locks)]
            if n % 4 == 0:
                if lock.acquire(timeout=1e-6 * (n % 50)):
                    lock.release()
            else:
                with lock:
                    pass
            n += 1
            self._counts[i] = n
            self._blowing.wait()

    def rise(self) -> None:
        before = list(self._counts)
        self._blowing.set()
        wait_until(
            lambda: all(now > then for now, then in zip(self._counts, before, strict=True)),
            what="every thread has used a lock",
        )

    def calm(self) -> None:
        """Without this the child would wait for a processor nearly all the time."""
        self._blowing.clear()

    def end(self) -> None:
        self._ended = True
        self._blowing.set()
        self._threads.join()


def weather(busy: tuple[Any, ...], held: Any, mine: Any) -> None:
    """The child of a storm: use what it was about."""
    assert mine.locked()
    mine.release()
    held.release()
    for lock in busy:
        if lock.acquire(timeout=0.001):  # else a thread that is no more has it for ever
            lock.release()
        else:
            assert lock.locked()
            lock._at_fork_reinit()
        with lock:
            pass
    for lock in (mine, held, busy[0]):
        use(lock, start_threads)


@both
def test_a_storm_of_threads(name: str) -> None:
    """fork() catches the others anywhere: in a queue, under a bucket lock, spinning, waking."""
    busy = make(name), make(name), make(name)
    held, mine = make(name), make(name)
    held.acquire()
    parked = start_asleep(4, take, held)
    storm = Storm(busy)
    for _ in range(100):
        storm.rise()
        with mine:
            forked = Child(partial(weather, busy, held, mine))
        storm.calm()
        forked.end()
    storm.end()
    held.release()
    parked.join()
    for lock in (*busy, held, mine):
        use(lock)


def release_and_use(lock: Any) -> None:
    assert lock.locked()
    lock.release()
    use(lock)


def fork_and_wait(_: int, lock: Any) -> None:
    for _ in range(5):
        with lock:
            forked = Child(partial(release_and_use, lock))
        forked.end()


@both
def test_children_of_many_threads_at_once(name: str) -> None:
    lock = make(name)
    run_threads(4, fork_and_wait, lock, timeout=120)
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


def test_grandchildren() -> None:
    lock = ftthreading.Lock()
    lock.acquire()
    start_asleep(1, lambda _: lock.acquire(timeout=SECONDS))

    def grandchild() -> None:
        lock.release()
        use(lock)

    def child() -> None:
        late = start_asleep(1, take, lock)
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
    run_destructors_of_dead_threads(
        """
held, used = ftthreading.Lock(), ftthreading.RLock()
held.acquire()
go_on = ftthreading.Lock()
go_on.acquire()
let_go = go_on.release

def wait():
    go_on.acquire()
    go_on.release()

def delete():
    with used, used:
        acquired = held.acquire(timeout=0.001)
    go_on.release()
    return acquired, go_on.acquire(False)
""",
        [(False, True)] * 4,
    )
