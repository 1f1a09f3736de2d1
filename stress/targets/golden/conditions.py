"""Condition: the waiters of a lock's users."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .locks import RLock
from .waiting import Primitive, Waiter, deadline_of


class Condition(Primitive):
    """Who is notified leaves the queue at once; who gives up leaves it before taking the lock."""

    def __init__(self, lock: Any = None) -> None:
        super().__init__()
        self._lock: Any = RLock() if lock is None else lock
        self.acquire = self._lock.acquire
        self.release = self._lock.release

    def _owned(self) -> bool:
        if hasattr(self._lock, "_is_owned"):
            return bool(self._lock._is_owned())
        return bool(self._lock.locked())

    def wait(self, timeout: float | None = None) -> bool:
        if not self._owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        deadline = deadline_of(timeout)
        waiter = Waiter()
        with self._guard:
            self._queue.append(waiter)
        saved = self._let_go()
        try:
            return self._wait(waiter, deadline)
        finally:
            self._take_back(saved)

    def _let_go(self) -> Any:
        if hasattr(self._lock, "_release_save"):
            return self._lock._release_save()
        self._lock.release()
        return None

    def _take_back(self, saved: Any) -> None:
        """Take the lock, whatever signal handlers raise; their last exception comes after it."""
        late: BaseException | None = None
        while True:
            try:
                if saved is None:
                    self._lock.acquire()
                else:
                    self._lock._acquire_restore(saved)
                break
            except BaseException as error:
                late = error
        if late is not None:
            raise late

    def _give_back(self) -> None:
        if self._queue:
            self._queue.pop(0).grant()

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        deadline = deadline_of(timeout)
        while not (result := predicate()):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return predicate()
            self.wait(left)
        return result

    def notify(self, n: int = 1) -> None:
        if not self._owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        with self._guard:
            for _ in range(min(n, len(self._queue))):
                self._queue.pop(0).grant()

    def notify_all(self) -> None:
        self.notify(len(self._queue))

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._lock.release()
