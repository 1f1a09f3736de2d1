"""`stress.check`, the short form: what it finds, and what it counts."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import ftthreading
import stress

pytestmark = [pytest.mark.once, pytest.mark.thread_unsafe(reason="the threads of a hang stay")]


def test_a_lock_has_one_winner() -> None:
    won: list[int] = []

    def setup(m: Any) -> Any:
        won.clear()
        return m.Lock()

    def take(lock: Any) -> None:
        if lock.acquire(False):
            won.append(1)

    for target in (threading, ftthreading):
        rounds = stress.check(setup, [take] * 2, lambda _: won == [1], target=target, seconds=0.3)
        assert rounds > 10


def test_what_does_not_hold_is_told() -> None:
    with pytest.raises(stress.Found, match="the invariant does not hold"):
        stress.check(lambda m: m.Lock(), [lambda lock: lock.acquire()], lambda lock: False)


def test_what_an_operation_raises_is_told() -> None:
    with pytest.raises(stress.Found, match="RuntimeError") as found:
        stress.check(lambda m: m.Lock(), [lambda lock: lock.release()])
    assert isinstance(found.value.__cause__, RuntimeError)


def test_a_hang_is_told_with_its_stacks() -> None:
    locks: list[Any] = []

    def setup(m: Any) -> Any:
        locks.append(m.Lock())
        return locks[-1]

    def forgets(lock: Any) -> None:
        lock.acquire()

    with pytest.raises(stress.Found, match=r"(?s)has not ended.*in forgets"):
        stress.check(setup, [forgets, forgets], patience=0.5)
    locks[-1].release()
