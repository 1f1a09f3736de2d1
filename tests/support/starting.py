"""Threads that can be held at a step of their start, and what the tests of start() share."""

from __future__ import annotations

import _thread
from typing import Any

import pytest

import ftthreading
from tests.support import SECONDS

alone = pytest.mark.thread_unsafe(reason="changes names of threading, or looks at all threads")
processes = pytest.mark.thread_unsafe(reason="runs interpreters by itself")


class Gated(ftthreading.Thread):
    """A thread that runs until its gate is opened."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.gate = _thread.allocate_lock()
        self.gate.acquire()

    def run(self) -> None:
        self.gate.acquire(timeout=SECONDS)
        super().run()


class Held(Gated):
    """One that the system has made and that does not begin until its gate is opened."""

    def _bootstrap(self) -> None:
        self.gate.acquire(timeout=SECONDS)
        self.gate.release()
        super()._bootstrap()  # type: ignore[misc]


class Interrupt(BaseException):
    pass


def interrupt(thread: ftthreading.Thread) -> None:
    raise Interrupt


def refused(thread: ftthreading.Thread) -> bool:
    try:
        thread.start()
    except RuntimeError:
        return True
    return False
