"""No call loses a reference: counted by the interpreter, which only a debug build can do.

Lock and RLock have theirs in test_lock_objects.py.
"""

from __future__ import annotations

import copy
import gc
import sys
import weakref
from collections.abc import Callable

import pytest

import ftthreading

pytestmark = [
    pytest.mark.skipif(
        not hasattr(sys, "gettotalrefcount"), reason="only a debug build counts all references"
    ),
    pytest.mark.thread_unsafe(reason="counts the references of the whole process"),
]

ROUNDS = 100


class ForeignLock:
    def __init__(self) -> None:
        self._lock = ftthreading.Lock()

    def acquire(self, *arguments: object) -> bool:
        return self._lock.acquire(*arguments)  # type: ignore[arg-type]

    def release(self) -> None:
        self._lock.release()


def refused(
    error: type[BaseException], function: Callable[..., object], *arguments: object
) -> None:
    with pytest.raises(error):
        function(*arguments)


def condition() -> None:
    for lock in (None, ftthreading.Lock(), ftthreading.RLock(), ForeignLock()):
        cond = ftthreading.Condition(lock)
        weakref.ref(cond)
        with cond:
            cond.wait(1e-6)
            cond.wait(-1)
            cond.wait_for(lambda: False, 1e-6)
            cond.wait_for(lambda: [1])
            cond.notify(3)
            cond.notify_all()
            refused(ZeroDivisionError, cond.wait_for, lambda: 1 / 0)
            refused(TypeError, cond.wait, "soon")
        refused(RuntimeError, cond.wait)
        refused(RuntimeError, cond.notify)
        repr(cond)
        refused(TypeError, copy.copy, cond)
    refused(AttributeError, ftthreading.Condition, object())


def semaphore() -> None:
    for make in (ftthreading.Semaphore, ftthreading.BoundedSemaphore):
        permits = make(2)
        with permits:
            permits.acquire(timeout=1e-6)
            permits.acquire(timeout=1e-6)
            permits.acquire(blocking=False)
            refused(ValueError, permits.acquire, False, 1)
            refused(TypeError, permits.acquire, True, "soon")
            permits.release()
        refused(ValueError, permits.release, 0)
        repr(permits)
        refused(ValueError, make, -1)
    refused(ValueError, permits.release)


def event() -> None:
    flag = ftthreading.Event()
    flag.wait(1e-6)
    flag.set()
    flag.wait()
    flag.clear()
    refused(TypeError, flag.wait, "soon")
    flag.attribute = flag  # type: ignore[attr-defined]
    repr(flag)


def barrier() -> None:
    gate = ftthreading.Barrier(1, lambda: None, timeout=1)
    gate.wait()
    gate.reset()
    gate.abort()
    refused(ftthreading.BrokenBarrierError, gate.wait)
    gate = ftthreading.Barrier(1, lambda: 1 / 0)
    refused(ZeroDivisionError, gate.wait)
    gate = ftthreading.Barrier(2)
    refused(ftthreading.BrokenBarrierError, gate.wait, 1e-6)
    repr(gate)
    refused(ValueError, ftthreading.Barrier, 0)
    refused(TypeError, gate.wait, "soon")


def thread() -> None:
    seen: list[object] = []
    worker = ftthreading.Thread(target=lambda: seen.append(ftthreading.current_thread()))
    worker.start()
    worker.join()
    refused(RuntimeError, worker.start)
    assert seen == [worker]
    timer = ftthreading.Timer(0, seen.append, [ftthreading.get_native_id()])
    timer.start()
    timer.join()


def asleep() -> None:
    """Waits that another thread ends."""
    flag, gate = ftthreading.Event(), ftthreading.Semaphore(0)
    cond = ftthreading.Condition()

    def wait() -> None:
        flag.wait()
        gate.acquire()
        with cond:
            cond.wait_for(lambda: done)

    done: list[None] = []
    workers = [ftthreading.Thread(target=wait) for _ in range(3)]
    for worker in workers:
        worker.start()
    flag.set()
    gate.release(3)
    with cond:
        done.append(None)
        cond.notify_all()
    for worker in workers:
        worker.join()


@pytest.mark.parametrize("use", [condition, semaphore, event, barrier, thread, asleep])
def test_no_reference_leaks(use: Callable[[], None]) -> None:
    def many() -> int:
        before: int = sys.gettotalrefcount()
        for _ in range(ROUNDS):
            use()
        gc.collect()
        return sys.gettotalrefcount() - before

    many()  # what others have left is collected with it
    # A leak of one reference a call shows as ROUNDS each time. What the interpreter keeps for later
    # shows as well, but less and less: after other tests it can take twenty times to come to rest.
    grown: list[int] = []
    while min(grown, default=ROUNDS) >= ROUNDS // 10 and len(grown) < 40:
        grown.append(many())
    assert min(grown) < ROUNDS // 10, grown
