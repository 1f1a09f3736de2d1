"""What all golden primitives are made of: a state under a lock, and waiters in a queue."""

from __future__ import annotations

import _thread
import os
import time
from types import FrameType

HERE = os.path.dirname(__file__)


class Waiter:
    """A thread that sleeps until it is granted what it waits for."""

    def __init__(self) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.granted = False
        self.thread = _thread.get_ident()

    def grant(self) -> None:
        """Wake it up; only under the lock of the state."""
        self.granted = True
        self.gate.release()


def deadline_of(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def sleep(waiter: Waiter, deadline: float | None) -> None:
    """Return when it was granted or the time is over; a signal handler's exception gets through."""
    if deadline is None:
        waiter.gate.acquire()
    else:
        waiter.gate.acquire(True, max(0.0, deadline - time.monotonic()))


def interruptible(frame: FrameType | None) -> bool:
    """Return whether handlers and finalizers may use these primitives in the midst of a frame.

    Not where a primitive's own lock is held or about to be: Python code cannot mask signals. In
    `sleep` none is.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith(HERE):
            return frame.f_code.co_name == "sleep"
        frame = frame.f_back
    return True


class Primitive:
    """A state under a lock, and the queue of who waits for it to change."""

    def __init__(self) -> None:
        self._guard = _thread.allocate_lock()
        self._queue: list[Waiter] = []

    def _wait(self, waiter: Waiter, deadline: float | None) -> bool:
        """Sleep, being in the queue; return whether it was granted.

        Who is interrupted by an exception gives back what it was granted meanwhile.
        """
        try:
            sleep(waiter, deadline)
        except BaseException:
            with self._guard:
                if waiter.granted:
                    self._give_back()
                else:
                    self._queue.remove(waiter)
            raise
        with self._guard:
            if not waiter.granted:
                self._queue.remove(waiter)
            return waiter.granted

    def _give_back(self) -> None:
        """Undo a grant that its waiter cannot use; under the lock."""
