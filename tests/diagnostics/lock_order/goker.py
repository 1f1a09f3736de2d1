"""What the programs of GoKer, rebuilt in Python, are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ftthreading import Lock


class Ended(BaseException):
    """Raised in a thread that would wait for itself for ever."""


class Reader:
    """Reads reports, and ends a thread that has come to its end."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text
        if "deadlock of one thread" in text:
            raise Ended


def in_thread(name: str, *steps: Callable[[], object]) -> None:
    """Run the steps in a thread of that name, to its end."""

    def run() -> None:
        try:
            for step in steps:
                step()
        except Ended:
            pass

    thread = threading.Thread(target=run, name=name)
    thread.start()
    thread.join()


class RWLock:
    """A lock for readers and writers as textbooks have it; a writer that waits holds readers up."""

    def __init__(self) -> None:
        self.turnstile = Lock()
        self.room = Lock()
        self.mutex = Lock()
        self.readers = 0

    def rlock(self) -> None:
        with self.turnstile, self.mutex:
            self.readers += 1
            if self.readers == 1:
                self.room.acquire()

    def runlock(self) -> None:
        with self.mutex:
            self.readers -= 1
            if self.readers == 0:
                self.room.release()

    def lock(self) -> None:
        self.turnstile.acquire()
        self.room.acquire()

    def unlock(self) -> None:
        self.turnstile.release()
        self.room.release()
