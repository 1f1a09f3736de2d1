"""What signal handlers, exceptions, reporters and forks do to the recorder."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from ftthreading import Condition, Lock, RLock, _core
from ftthreading.diagnostics import _lock_order_recorder as recorder
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.watching import (
    Derived,
    in_threads,
    nest,
    watching,
)
from tests.support import SignalHandler, handling

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")


class Stop(Exception):
    pass


@pytest.mark.parametrize("event", ["wanted", "taken", "released", "made", "waits"])
def test_an_exception_of_a_handler_loses_no_lock(
    event: str,
) -> None:
    """As if a signal handler had raised in the recorder, at every event."""

    class Raising:
        """In the place of the watch."""

        def __getattr__(self, name: str) -> object:
            raise Stop

    raising: Any = Raising()
    makes: list[Callable[[], Any]] = [Lock, RLock, Derived, Condition, lambda: Condition(Lock())]
    for make in makes:
        a = make()
        with lock_order(quiet=True):
            watch = recorder._watch
            try:
                if event == "made":
                    recorder._watch = raising
                    with pytest.raises(Stop):
                        make()
                elif event in ("wanted", "taken"):
                    recorder._watch = raising
                    with pytest.raises(Stop):
                        a.acquire(event == "wanted")
                    with pytest.raises(Stop):
                        with a:
                            pytest.fail("not reached")
                elif event == "released":
                    a.acquire()
                    recorder._watch = raising
                    with pytest.raises(Stop):
                        a.release()
                elif isinstance(a, Condition):
                    a.acquire()
                    recorder._watch = raising
                    with pytest.raises(Stop):
                        a.wait(0)
                    assert a._is_owned()
                    recorder._watch = watch
                    a.release()
            finally:
                recorder._watch = watch
        assert a.acquire(blocking=False), (event, make)
        a.release()


def with_both(a: Lock, b: RLock) -> None:
    with a, b:
        Lock()


def hold_both(a: Lock, b: RLock) -> None:
    _core._holding(a, _core._holding, b, Lock)


@pytest.mark.parametrize(
    "take",
    [
        pytest.param(
            with_both,
            marks=pytest.mark.skipif(
                sys.version_info[:2] == (3, 14),
                reason="3.14 runs handlers between __enter__ and the block: if one raises, the lock"
                " stays held, under threading too",
            ),
        ),
        hold_both,
    ],
)
def test_a_handler_that_takes_locks_in_the_midst(take: Callable[[Lock, RLock], None]) -> None:
    """Handlers run wherever they can, in the recorder too, and take the same locks, and raise."""
    a, b, own = Lock(), RLock(), RLock()
    calls: list[int] = []

    def work() -> None:
        while len(calls) < 60 and striker.is_alive():
            take(a, b)

    def is_at_work() -> bool:
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code is not work.__code__:
            frame = frame.f_back
        return frame is not None

    def handler() -> None:
        calls.append(1)
        with b, own:
            pass
        if len(calls) % 3 == 0 and is_at_work():
            raise Stop

    def strike(handler_: SignalHandler) -> None:
        for _ in range(60):
            handler_.strike()

    with lock_order(quiet=True) as order, handling(handler) as handler_:
        striker = threading.Thread(target=strike, args=(handler_,))
        striker.start()
        while len(calls) < 60 and striker.is_alive():
            try:
                work()
            except Stop:
                pass
        striker.join()
    assert len(calls) >= 60
    assert order.inversions == ()
    assert a.acquire(blocking=False)
    a.release()
    assert not b._is_owned()
    assert not own._is_owned()


def test_a_reporter_may_take_the_very_locks() -> None:
    """A file whose write() needs a lock that is held, or wanted, by the thread at the moment."""
    a, b = RLock(), RLock()

    class File:
        text = ""

        def write(self, text: str) -> None:
            with a, b:
                self.text += text

    file = File()
    with lock_order(file=file):
        nest(a, b)
        nest(b, a)
    assert "inversion" in file.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_child_of_a_fork_goes_on() -> None:
    a, b = Lock(), Lock()
    with lock_order(quiet=True) as order:
        nest(a, b)
        watching().guard.acquire()  # as if another thread had it
        child = os.fork()
        if child == 0:
            try:
                in_threads(lambda: nest(b, a))
                os._exit(len(order.inversions))
            finally:
                os._exit(9)
        watching().guard.release()
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert order.inversions == ()
