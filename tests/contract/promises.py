"""What `threading` promises and breaks, and ftthreading keeps, one scenario each.

A scenario knows a module and its public names, nothing of what is inside. By hand:

    python -m tests.contract.promises MODULE SCENARIO ROUNDS PATIENCE DEADLINE

(seconds for one wait, and for all) exits with 0 if the promise was kept, with 3 if it was not;
with 1, and all stacks, if it hung. Nothing of pytest is imported: an interpreter starts for each.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.support import alarms, handling, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep, wait_until_asleep


class BrokenPromise(Exception):
    pass


class Raised(Exception):
    """What signal handlers raise here."""


def check(kept: object, otherwise: str) -> None:
    if not kept:
        raise BrokenPromise(otherwise)


def start(m: Any, patience: float) -> None:
    """Of two threads that call start() one wins, the other gets RuntimeError, the thread runs."""
    inside: list[None] = []
    lost: list[None] = []
    ran: list[None] = []

    class Thread(m.Thread):
        @property
        def daemon(self) -> bool:  # start() asks for it, past its first look at the thread
            inside.append(None)
            wait_until(lambda: len(inside) + len(lost) > 1)
            return False

    def call(_: int) -> None:
        try:
            thread.start()
        except RuntimeError:
            lost.append(None)
        except KeyError:  # threading's, when the thread itself was faster than the loser
            wrong.append(None)

    wrong: list[None] = []
    thread = Thread(target=ran.append, args=(None,))
    start_threads(2, call).join()
    check(not wrong, "a call got KeyError")
    check(len(lost) == 1, f"{len(lost)} of the two calls were refused")
    thread.join(patience)
    check(not thread.is_alive() and thread not in m.enumerate(), "it does not end")
    check(len(ran) == 1, "it did not run")


def notify_late(m: Any, patience: float) -> None:
    """notify(1) reaches a waiter that is then told so, and never gets lost on one that gives up.

    Who has not run since its time was over has not given up: the notification may be its own.
    """
    cond = m.Condition()
    results: dict[str, bool] = {}

    def wait(name: str, timeout: float) -> None:
        with cond:
            inside.append(name)
            told = cond.wait(timeout)
        results[name] = told

    for timeout in (0.005, 0.1, 2.0):
        inside: list[str] = []
        results.clear()
        late = start_threads(1, lambda _, timeout=timeout: wait("late", timeout))
        wait_until(lambda: "late" in inside)
        patient = start_threads(1, lambda _: wait("patient", patience))
        wait_until(lambda: "patient" in inside)
        with cond:
            in_time = "late" not in results
            over = time.monotonic() + timeout * 1.5
            wait_until(lambda: time.monotonic() > over)
            cond.notify(1)
        late.join()
        patient.join(patience + 10)
        if in_time:
            break
    else:
        raise AssertionError("two threads could not begin to wait within 2 seconds")
    check(results["patient"] or results["late"], "the notification went to who had given up")
    check(not (results["patient"] and results["late"]), "one notification was two")


def wait_lock(m: Any, patience: float) -> None:
    """An exception that interrupts Condition.wait() leaves the lock held by the waiter."""
    lock = m.Lock()
    cond = m.Condition(lock)
    others = True

    def hold() -> None:
        nonlocal others
        lock.acquire()
        cond.notify()
        wait_until_asleep(os.getpid())  # the main thread wants the lock back
        handler.strike()
        wait_until_asleep(os.getpid())
        others = False
        lock.release()

    def fail() -> None:
        raise Raised

    with handling(fail) as handler:
        lock.acquire()
        once_main_sleeps(hold)
        try:
            cond.wait(patience)
        except Raised:
            check(not others, "wait() has ended while another thread holds the lock")
        check(lock.locked(), "wait() has ended without the lock")
        lock.release()


def set_inside(m: Any, patience: float) -> None:
    """Event.set() in a handler that interrupted set() returns, and nobody misses either."""
    event = m.Event()
    waiting = start_threads(1, lambda _: event.wait(patience))
    handled: list[bool] = []
    inside: list[bool] = []

    def handle() -> None:
        if not inside:
            inside.append(True)
            event.set()
            handled.append(inside.pop())

    with alarms(handle):
        while len(handled) < 20:
            event.set()
    check(waiting.join() == [True], "a waiter was not told of set()")


def release_inside(m: Any, patience: float) -> None:
    """Semaphore.release() in a handler that interrupted release() returns; every permit counts."""
    semaphore = m.Semaphore(0)
    handled: list[bool] = []
    inside: list[bool] = []
    released = 0

    def handle() -> None:
        if not inside:
            inside.append(True)
            semaphore.release()
            handled.append(inside.pop())

    with alarms(handle):
        while len(handled) < 20:
            semaphore.release()
            released += 1
    expected = released + len(handled)
    taken = 0
    while semaphore.acquire(False):
        taken += 1
    check(taken == expected, f"{taken} permits instead of {expected}")


def permit(m: Any, patience: float) -> None:
    """A permit that came while a waiter was being interrupted goes to the next who waits."""
    semaphore = m.Semaphore(0)

    def release_and_raise() -> None:
        semaphore.release()
        raise Raised

    second: list[Any] = []

    def interrupt() -> None:
        # Without a limit: at its end threading would look at the number of permits again.
        second.append(start_asleep(1, lambda _: semaphore.acquire()))
        handler.strike()

    with handling(release_and_raise) as handler:
        interrupting = once_main_sleeps(interrupt)
        try:
            semaphore.acquire()
        except Raised:
            pass
        else:
            raise AssertionError("the handler's exception did not come out")
        interrupting.join()
    with contextlib.suppress(AssertionError):
        wait_until(lambda: second[0].finished, patience)
    check(second[0].finished, "a thread waits though there is a permit")


def rlock(m: Any, patience: float) -> None:
    """An RLock that a handler takes while its thread waits for that RLock does not hang it."""
    lock = m.RLock()
    held: list[bool] = []
    inside: list[bool] = []

    def hold() -> None:
        lock.acquire()
        held.append(True)
        wait_until_asleep(os.getpid())  # the main thread wants it
        striking = start_threads(1, lambda _: handler.strike())
        wait_until(lambda: inside)
        wait_until_asleep(os.getpid())  # and so does its handler
        lock.release()
        striking.join()

    def take() -> None:
        inside.append(True)
        lock.acquire()

    with handling(take) as handler:
        holding = start_threads(1, lambda _: hold())
        wait_until(lambda: held)
        check(lock.acquire(timeout=patience), "the thread that has the lock cannot acquire it")
        holding.join()
    lock.release()
    lock.release()
    check(start_threads(1, lambda _: lock.acquire(False)).join() == [True], "it is not free")


def barrier(m: Any, patience: float) -> None:
    """Barrier.abort() and reset() in the barrier's action do not hang, and take effect."""
    for method in ("abort", "reset"):
        calls: list[str] = []

        def action(method: str = method, calls: list[str] = calls) -> None:
            if not calls:
                calls.append(method)
                getattr(shared, method)()

        def cross(_: int) -> int | None:
            try:
                number: int = shared.wait(patience)
                return number
            except m.BrokenBarrierError:
                return None

        shared = m.Barrier(2, action)
        check(
            start_threads(2, cross).join() == [None, None], f"it was crossed in spite of {method}"
        )
        check(
            shared.broken == (method == "abort"), "it is broken" if method == "reset" else "whole"
        )
        shared.reset()
        check(sorted(start_threads(2, cross).join()) == [0, 1], "it cannot be used any more")


SCENARIOS: dict[str, Callable[[Any, float], None]] = {
    scenario.__name__: scenario
    for scenario in (
        *(start, notify_late, wait_lock, set_inside, release_inside, permit, rlock, barrier),
    )
}


def main(module: str, name: str, rounds: str, patience: str, deadline: str) -> int:
    faulthandler.dump_traceback_later(float(deadline), exit=True)
    m = importlib.import_module(module)
    for n in range(int(rounds)):
        try:
            SCENARIOS[name](m, float(patience))
        except BrokenPromise as broken:
            print(f"{name}: broken in round {n + 1}: {broken}", flush=True)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGALRM])
            os._exit(3)  # threads may hang
    print(f"{name}: kept {rounds} times")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
