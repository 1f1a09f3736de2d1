"""stopit raises exceptions in other threads; and a pool of threads that are stopped so."""

import threading
import time

import pytest
from running import SECONDS, until

stopit = pytest.importorskip("stopit")


class Stop(Exception):
    pass


def busy():
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(0.001)


def test_threading_timeout():
    with stopit.ThreadingTimeout(0.1) as timeout:
        busy()
    assert timeout.state == timeout.TIMED_OUT
    with stopit.ThreadingTimeout(SECONDS) as timeout:
        pass
    assert timeout.state == timeout.EXECUTED


def test_threading_timeoutable():
    @stopit.threading_timeoutable(default="late")
    def work():
        busy()
        return "done"

    assert work(timeout=0.1) == "late"


def test_async_raise():
    ended = []

    def work():
        try:
            busy()
        except Stop:
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    stopit.async_raise(thread.ident, Stop)
    thread.join(SECONDS)
    assert ended == [True] or not thread.is_alive()


@pytest.mark.parametrize("kind", ["Event", "Lock", "Condition", "Queue"])
def test_async_raise_and_then_wake(kind):
    """The exception waits for the wait to end, and comes then."""
    import queue

    ended, waiting = [], threading.Event()
    event, lock, condition, items = (
        threading.Event(),
        threading.Lock(),
        threading.Condition(),
        queue.Queue(),
    )
    lock.acquire()

    def work():
        try:
            waiting.set()
            if kind == "Event":
                event.wait()
            elif kind == "Lock":
                lock.acquire()
            elif kind == "Condition":
                with condition:
                    condition.wait()
            else:
                items.get()
            busy()
        except Stop:
            ended.append(kind)

    thread = threading.Thread(target=work)
    thread.start()
    assert waiting.wait(SECONDS)
    stopit.async_raise(thread.ident, Stop)

    def wake():
        event.set()
        if lock.locked():
            lock.release()
        with condition:
            condition.notify_all()
        items.put(None)
        thread.join(0.05)
        return not thread.is_alive()

    until(wake, "the thread ends")
    assert ended == [kind]
