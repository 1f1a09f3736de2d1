"""acquire()'s arguments and errors, each compared with the interpreter's own lock as it runs."""

from __future__ import annotations

import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import ftthreading
from tests.support import run_threads

both = pytest.mark.parametrize("name", ["Lock", "RLock"])


class BrokenBool:
    def __bool__(self) -> bool:
        raise ZeroDivisionError


class Empty:
    def __len__(self) -> int:
        return 0


class Index:
    def __index__(self) -> int:
        return 1


class Real:
    def __float__(self) -> float:
        return 0.25


MAXIMUM = threading.TIMEOUT_MAX

TIMEOUTS: list[Any] = [
    *(float("nan"), float("inf"), float("-inf"), 1e300, -1e300),
    *(None, "1", b"1", "", [], 1j, object(), Ellipsis),
    *(0, 0.0, -0.0, 1, 1.5, 1e-12, 1e-9, True, False),
    *(-1, -1.0, -0.9999999999, -1.0000000001, -0.5, -1e-12, -2, -2.0),
    *(MAXIMUM, MAXIMUM - 1, MAXIMUM + 1, int(MAXIMUM), int(MAXIMUM) - 1, int(MAXIMUM) + 1),
    *(9223372036.8, 9223372036.854775, 9223372037, 2**63, 2**64, -(2**63), 10**30, -(10**30)),
    *(Index(), Real(), Decimal("0.1"), Decimal("nan"), Decimal(-1), Fraction(1, 10)),
]
BLOCKINGS: list[Any] = [True, False, None, 0, 1, 2, -1, "", "x", [], 0.0, Empty(), BrokenBool()]

Call = tuple[tuple[Any, ...], dict[str, Any]]


def call(*arguments: Any, **keywords: Any) -> Call:
    return arguments, keywords


CALLS: list[Call] = [
    call(),
    *(call(timeout=t) for t in TIMEOUTS),
    *(call(b, t) for b in (True, False) for t in TIMEOUTS),
    *(call(b, timeout=t) for b in (True, False) for t in TIMEOUTS),
    *(call(timeout=t, blocking=b) for b in (True, False) for t in TIMEOUTS),
    *(call(b) for b in BLOCKINGS),
    *(call(blocking=b) for b in BLOCKINGS),
    *(call(b, t) for b in BLOCKINGS for t in (-1, 1, float("nan"), None)),
    call(True, -1, None),
    call(1, 2, 3, 4),
    call(block=True),
    call(Blocking=True),
    call(time_out=1),
    call(**{"": 1}),
    call(**{"timeout ": 1}),
    call(**{"\udc80": 1}),
    call(True, blocking=True),
    call(True, 1, timeout=1),
    call(True, timeout=1, wait=1),
    call(True, 1, wait=1),
    call(BrokenBool(), 1, 1),
    call(timeout="1", blocking=BrokenBool()),
]

# Before 3.15 threading looks at the arguments that it knows before it looks for unknown ones.
if sys.version_info >= (3, 15):
    CALLS.append(call(BrokenBool(), wait=1))


def outcome(lock: Any, arguments: Call) -> object:
    """What the call returns, or the type of what it raises."""
    try:
        return lock.acquire(*arguments[0], **arguments[1])
    except Exception as exception:
        return type(exception)


@both
def test_outcomes_on_a_free_lock_are_those_of_threading(name: str) -> None:
    differences = []
    for arguments in CALLS:
        lock = getattr(ftthreading, name)()
        theirs = outcome(getattr(threading, name)(), arguments)
        ours = outcome(lock, arguments)
        if ours != theirs:
            differences.append(f"{arguments}: threading {theirs}, ftthreading {ours}")
        assert lock.locked() is (ours is True), arguments
    assert differences == []


@both
def test_errors_on_a_held_lock_are_those_of_a_free_one(name: str) -> None:
    """A wrong call never waits, and leaves the lock as it was."""
    held = getattr(ftthreading, name)()
    held.acquire()

    def check(_: int) -> int:
        errors = 0
        for arguments in CALLS:
            free = outcome(getattr(ftthreading, name)(), arguments)
            if isinstance(free, type):
                errors += 1
                assert outcome(held, arguments) is free, arguments
        return errors

    assert run_threads(1, check)[0] > 100
    assert held.locked()
    held.release()
    assert not held.locked()


@both
def test_kinds_of_messages(name: str) -> None:
    lock = getattr(ftthreading, name)()
    with pytest.raises(ValueError, match="timeout value must be a non-negative number"):
        lock.acquire(timeout=-0.5)
    with pytest.raises(ValueError, match="can't specify a timeout for a non-blocking call"):
        lock.acquire(False, 1)
    with pytest.raises(ValueError, match="NaN"):
        lock.acquire(timeout=float("nan"))
    with pytest.raises(OverflowError, match=r"too large|out of range"):
        lock.acquire(timeout=1e300)
    with pytest.raises(TypeError, match="unexpected keyword argument 'wait'"):
        lock.acquire(wait=True)
    with pytest.raises(TypeError, match="at most 2 arguments"):
        lock.acquire(True, 1, 2)


@both
@pytest.mark.parametrize("timeout", [1e-12, 1e-9, 1e-6, 0.001, 0.05, Index(), 0.3])
def test_no_timeout_is_early(name: str, timeout: Any) -> None:
    seconds = 1 if isinstance(timeout, Index) else timeout
    lock = getattr(ftthreading, name)()
    lock.acquire()

    def wait(_: int) -> tuple[bool, int]:
        before = time.monotonic_ns()
        acquired = lock.acquire(timeout=timeout)
        return acquired, time.monotonic_ns() - before

    for acquired, took in run_threads(3, wait):
        assert acquired is False
        assert took >= seconds * 1e9


@both
def test_no_arguments_are_kept(name: str) -> None:
    """Neither a good call nor a bad one holds on to its arguments."""
    lock = getattr(ftthreading, name)()
    lock.acquire()
    objects = [Index(), BrokenBool(), Empty(), object()]
    counts = [sys.getrefcount(thing) for thing in objects]

    def call_all(_: int) -> None:
        for thing in objects:
            for _ in range(100):
                outcome(lock, call(False, thing))
                outcome(lock, call(thing, wait=thing))
                outcome(lock, call(blocking=thing, timeout=-2))

    run_threads(1, call_all)
    assert [sys.getrefcount(thing) for thing in objects] == counts
