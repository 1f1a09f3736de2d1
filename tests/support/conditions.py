"""What tests of Condition need: a thread in wait(), and the least that a lock can be."""

from collections import deque

from ftthreading import Lock
from tests.support import start_threads, wait_until


class DuckLock:
    """The least that a lock can be, in Python."""

    def __init__(self):
        self.lock = Lock()
        self.log = deque()

    def acquire(self, blocking=True):
        self.log.append("acquire")
        return self.lock.acquire(blocking)

    def release(self):
        self.log.append("release")
        self.lock.release()


class Waiter:
    """A thread in cond.wait()."""

    def __init__(self, cond, timeout=None):
        self.cond = cond
        self.inside = False
        self.running = start_threads(1, self._main, timeout)
        wait_until(self.waits, what="the thread waits for the condition")

    def _main(self, _, timeout):
        self.cond.acquire()
        try:
            self.inside = True
            return self.cond.wait(timeout)
        finally:
            self.cond.release()

    def waits(self):
        # Who has the lock while the thread is inside knows that it waits.
        if not self.inside or not self.cond.acquire(False):
            return False
        self.cond.release()
        return True

    def result(self):
        return self.running.join()[0]
