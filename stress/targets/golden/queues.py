"""Queue: first in, first out, with a limit."""

from __future__ import annotations

import queue
import time
from collections import deque
from typing import Any

from .conditions import Condition
from .locks import Lock
from .waiting import deadline_of


def left_until(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    return max(0.0, deadline - time.monotonic())


class Queue:
    """One lock, and a condition for each thing that can be waited for."""

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self._lock = Lock()
        self._not_empty = Condition(self._lock)
        self._not_full = Condition(self._lock)
        self._all_done = Condition(self._lock)
        self._items: deque[Any] = deque()
        self.unfinished_tasks = 0
        self._closed = False

    def qsize(self) -> int:
        return len(self._items)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        deadline = deadline_of(timeout if block else 0.0)
        with self._lock:
            while not self._closed and 0 < self.maxsize <= len(self._items):
                left = left_until(deadline)
                if left == 0:
                    raise queue.Full
                self._not_full.wait(left)
            if self._closed:
                raise queue.ShutDown
            self._items.append(item)
            self.unfinished_tasks += 1
            self._not_empty.notify()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        deadline = deadline_of(timeout if block else 0.0)
        with self._lock:
            while not self._items:
                if self._closed:
                    raise queue.ShutDown
                left = left_until(deadline)
                if left == 0:
                    raise queue.Empty
                self._not_empty.wait(left)
            item = self._items.popleft()
            self._not_full.notify()
            return item

    def task_done(self) -> None:
        with self._lock:
            if self.unfinished_tasks <= 0:
                raise ValueError("task_done() called too many times")
            self.unfinished_tasks -= 1
            if not self.unfinished_tasks:
                self._all_done.notify_all()

    def join(self) -> None:
        with self._lock:
            while self.unfinished_tasks:
                self._all_done.wait()

    def shutdown(self, immediate: bool = False) -> None:
        with self._lock:
            self._closed = True
            if immediate:
                self.unfinished_tasks -= len(self._items)
                self._items.clear()
                if not self.unfinished_tasks:
                    self._all_done.notify_all()
            self._not_empty.notify_all()
            self._not_full.notify_all()
