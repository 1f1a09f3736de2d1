"""Programs that hang, for the tests of the diagnostics, and one way to run them.

Each function is a program of its own: `python deadlocked.py NAME` runs it. None sleeps in the hope
that something has happened: threads meet at events and barriers, and then do what cannot end.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable


def _start(name: str, function: Callable[..., object], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=function, name=name, args=arguments, daemon=True)
    thread.start()
    return thread


def ab_ba() -> None:
    """Two Locks in two orders."""
    a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)

    def left() -> None:
        with a:
            both.wait()
            with b:  # left waits
                pass

    def right() -> None:
        with b:
            both.wait()
            with a:  # right waits
                pass

    threads = [_start("left", left), _start("right", right)]
    for thread in threads:
        thread.join()
    print("over")


def rlock_and_condition() -> None:
    """A Condition's lock and another RLock in two orders."""
    other, condition, both = threading.RLock(), threading.Condition(), threading.Barrier(2)

    def notifier() -> None:
        with other, other:
            both.wait()
            with condition:  # notifier waits
                condition.notify()

    def holder() -> None:
        with condition:
            both.wait()
            other.acquire()  # holder waits

    threads = [_start("notifier", notifier), _start("holder", holder)]
    for thread in threads:
        thread.join()


def reacquire() -> None:
    """A Condition's wait is over, but its lock is held by one that waits for the waiter."""
    condition, gate = threading.Condition(), threading.RLock()
    waits = threading.Event()

    def waiter() -> None:
        with gate, condition:
            waits.set()
            condition.wait()  # waiter waits

    def notifier() -> None:
        waits.wait()
        with condition:
            condition.notify()
            with gate:  # waits for the gate
                pass

    threads = [_start("waiter", waiter), _start("notifier", notifier)]
    for thread in threads:
        thread.join()


def joins() -> None:
    """Two threads that wait for each other's end."""
    threads: list[threading.Thread] = []
    known = threading.Event()

    def first() -> None:
        known.wait()
        threads[1].join()  # first waits

    def second() -> None:
        known.wait()
        threads[0].join()  # second waits

    threads += [_start("first", first), _start("second", second)]
    known.set()
    for thread in threads:
        thread.join()
    print("over")


def join_holding() -> None:
    """A thread joins another, whose lock it holds."""
    from ftthreading import diagnostics

    lock = threading.Lock()

    def work() -> None:
        with lock:  # worker waits
            pass

    def close() -> None:
        with lock:
            worker = _start("worker", work)
            while not any(wait.name == "worker" for wait in diagnostics.waits()):
                time.sleep(0.01)
            worker.join()  # closer waits

    _start("closer", close).join()
    print("over")


def three() -> None:
    """A cycle of three."""
    locks = [threading.Lock() for _ in range(3)]
    all_have = threading.Barrier(3)

    def take(i: int) -> None:
        with locks[i]:
            all_have.wait()
            with locks[(i + 1) % 3]:
                pass

    for thread in [_start(f"taker {i}", take, i) for i in range(3)]:
        thread.join()


def again() -> None:
    """A Lock taken twice by the same thread."""

    def work() -> None:
        lock = threading.Lock()
        with lock:
            lock.acquire()  # again waits

    _start("again", work).join()


def ended() -> None:
    """The thread that took the lock has ended."""
    lock = threading.RLock()
    _start("taker", lock.acquire).join()

    def want() -> None:
        with lock:  # wanter waits
            pass

    _start("wanter", want).join()


def forked() -> None:
    """A fork while another thread holds a lock: nobody in the child will release it."""
    lock, has, done = threading.RLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            has.set()
            done.wait()

    _start("keeper", hold)
    has.wait()
    child = os.fork()
    if child == 0:
        with lock:  # the child waits
            os._exit(1)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


def lost_notify() -> None:
    """Nobody is left to notify."""
    condition = threading.Condition()
    with condition:
        condition.notify()

    def wait() -> None:
        with condition:
            condition.wait()  # loser waits

    _start("loser", wait).join()


def empty_queue() -> None:
    """A consumer of a queue whose producer has gone."""
    items: queue.Queue[int] = queue.Queue()
    _start("consumer", items.get).join()


def handed_on() -> None:
    """No deadlock: a Lock that one thread takes and another releases."""
    a, b = threading.Lock(), threading.Lock()
    a.acquire()
    b.acquire()
    crossed = threading.Barrier(2)

    def one() -> None:
        crossed.wait()
        a.acquire()
        print("one has a", flush=True)

    thread = _start("one", one)
    crossed.wait()
    time.sleep(3)  # as long as the look at what hangs may take, and longer
    a.release()
    thread.join()


def timed() -> None:
    """No deadlock: one of the two waits ends by itself."""
    a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)

    def left() -> None:
        with a:
            both.wait()
            b.acquire(timeout=2.5)

    def right() -> None:
        with b:
            both.wait()
            with a:
                pass

    for thread in [_start("left", left), _start("right", right)]:
        thread.join()
    print("over")


if __name__ == "__main__":
    vars()[sys.argv[1]]()
