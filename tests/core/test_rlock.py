"""What RLock has over Lock: an owner, a count, subclasses, and what Condition asks of it."""

from __future__ import annotations

import gc
import re
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import ftthreading
from tests.support import run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep, take

MAXIMUM = 2 * sys.maxsize + 1
"""The largest unsigned long: how often an RLock can be acquired."""


def other_thread(function: Any) -> Any:
    return run_threads(1, lambda _: function())[0]


def test_acquired_and_released_as_often() -> None:
    rlock = ftthreading.RLock()
    for count in range(1, 50):
        assert rlock.acquire(False) if count % 2 else rlock.acquire(timeout=0.5)
        assert rlock._recursion_count() == count
        assert rlock._is_owned()
    for count in range(48, -1, -1):
        assert other_thread(lambda: rlock.acquire(False)) is False
        rlock.release()
        assert rlock._recursion_count() == count
        assert rlock._is_owned() is (count > 0)
        assert rlock.locked() is (count > 0)
    assert other_thread(partial(take, 0, rlock)) is True


def test_nested_with() -> None:
    rlock = ftthreading.RLock()
    with pytest.raises(ZeroDivisionError), rlock, rlock, rlock:  # noqa: PT012
        assert rlock._recursion_count() == 3
        1 / 0  # noqa: B018
    assert not rlock.locked()


def test_only_the_owner_may_release() -> None:
    rlock = ftthreading.RLock()

    def try_all() -> None:
        assert not rlock._is_owned()
        assert rlock._recursion_count() == 0
        for way in (rlock.release, rlock._release_save, lambda: rlock.__exit__(None, None, None)):
            with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
                way()

    try_all()
    other_thread(try_all)
    with rlock, rlock:
        other_thread(try_all)
        assert rlock.locked()
        assert rlock._is_owned()
        assert rlock._recursion_count() == 2
    try_all()


def test_many_threads_at_many_depths() -> None:
    rlock = ftthreading.RLock()
    total = 0

    def add(depth: int) -> None:
        nonlocal total
        with rlock:
            assert rlock._is_owned()
            seen = total
            if depth > 0:
                add(depth - 1)
                assert total == seen + depth
            total += 1

    def work(i: int) -> None:
        for n in range(300):
            add((i + n) % 5)
            assert not rlock._is_owned()

    run_threads(6, work)
    assert total == sum((i + n) % 5 + 1 for i in range(6) for n in range(300))
    assert not rlock.locked()


def test_release_save_gives_the_lock_away_at_any_depth() -> None:
    rlock = ftthreading.RLock()
    for depth in (1, 2, 7, 100):
        for _ in range(depth):
            rlock.acquire()
        waiting = start_asleep(3, take, rlock)
        assert rlock._release_save() == (depth, ftthreading.get_ident())
        assert not rlock._is_owned()
        with pytest.raises(RuntimeError):
            rlock.release()
        assert waiting.join() == [True] * 3
        assert not rlock.locked()


def test_acquire_restore_waits_for_the_lock() -> None:
    rlock = ftthreading.RLock()
    for depth in (1, 2, 7, 100):
        for _ in range(depth):
            rlock.acquire()
        state = rlock._release_save()
        assert not rlock.locked()
        with rlock:

            def restore(state: tuple[int, int]) -> tuple[int, bool]:
                rlock._acquire_restore(state)
                count = rlock._recursion_count(), rlock._is_owned()
                for _ in range(count[0]):
                    rlock.release()
                return count

            waiting = start_asleep(2, lambda _, state=state: restore(state))
        assert waiting.join() == [(depth, True)] * 2
        assert not rlock.locked()
        rlock._acquire_restore(state)
        assert rlock._recursion_count() == depth
        for _ in range(depth):
            rlock.release()
        assert not rlock.locked()


def test_acquire_restore_refuses_what_is_no_state() -> None:
    rlock = ftthreading.RLock()
    for state in (None, 1, (), (1,), (1, 2, 3), ("1", 1), (1, "1"), (1.0, 1)):
        with pytest.raises(TypeError):
            rlock._acquire_restore(state)  # type: ignore[arg-type]
        assert not rlock.locked()
    restore: Callable[..., None] = rlock._acquire_restore
    for arguments in [(), ((1, 1), 1)]:
        with pytest.raises(TypeError):
            restore(*arguments)
        assert not rlock.locked()


def test_overflow() -> None:
    rlock = ftthreading.RLock()
    rlock._acquire_restore((MAXIMUM, ftthreading.get_ident()))
    ways: list[Callable[[], bool]] = [
        rlock.acquire,
        lambda: rlock.acquire(False),
        rlock.__enter__,
    ]
    for way in ways:
        with pytest.raises(OverflowError, match="lock count overflowed"):
            way()
        assert rlock._recursion_count() == MAXIMUM
    # No trouble of other threads.
    assert other_thread(lambda: rlock.acquire(False)) is False
    assert other_thread(lambda: rlock.acquire(timeout=0.01)) is False
    rlock.release()
    assert rlock._recursion_count() == MAXIMUM - 1
    assert rlock.acquire()
    assert rlock._release_save() == (MAXIMUM, ftthreading.get_ident())
    assert not rlock.locked()


def test_a_thread_never_inherits_a_dead_owners_lock() -> None:
    """The ident of a thread that ended is soon another's: ownership must not go by it."""
    rlock = ftthreading.RLock()

    def hold() -> int:
        rlock.acquire()
        return ftthreading.get_ident()

    dead = other_thread(hold)

    def look() -> int:
        assert not rlock._is_owned()
        assert rlock._recursion_count() == 0
        assert rlock.acquire(False) is False
        assert rlock.acquire(timeout=1e-6) is False
        with pytest.raises(RuntimeError):
            rlock.release()
        with pytest.raises(RuntimeError):
            rlock._release_save()
        return ftthreading.get_ident()

    for _ in range(300):
        if other_thread(look) == dead:
            break
    else:
        pytest.skip("none of 300 threads got the ident of the one that had ended")
    assert rlock.locked()


def test_repr() -> None:
    rlock = ftthreading.RLock()
    pattern = r"<(un)?locked \w+\.RLock object owner=(\d+) count=(\d+) at 0x[0-9a-f]+>"

    def fields() -> tuple[bool, int, int]:
        match = re.fullmatch(pattern, repr(rlock))
        assert match, repr(rlock)
        return match[1] is None, int(match[2]), int(match[3])

    assert re.fullmatch(pattern, repr(threading.RLock()))
    assert fields() == (False, 0, 0)
    me = ftthreading.get_ident()
    assert me == threading.get_ident()
    for count in (1, 2, 3):
        rlock.acquire()
        assert fields() == (True, me, count)
        assert other_thread(fields) == (True, me, count)
    for count in (2, 1):
        rlock.release()
        assert fields() == (True, me, count)
    rlock.release()
    assert fields() == (False, 0, 0)
    assert f"0x{id(rlock):x}" in repr(rlock)

    class Named(ftthreading.RLock):
        pass

    assert re.fullmatch(r"<unlocked Named object owner=0 count=0 at 0x[0-9a-f]+>", repr(Named()))


def test_repr_while_others_use_it() -> None:  # gh-153292
    rlock = ftthreading.RLock()
    done = False

    def use(_: int) -> None:
        while not done:
            with rlock, rlock:
                pass

    using = start_threads(3, use)
    try:
        for _ in range(2000):
            match = re.fullmatch(r"<.* owner=(\d+) count=(\d+) at 0x[0-9a-f]+>", repr(rlock))
            assert match
            assert int(match[2]) <= 2
    finally:
        done = True
    using.join()


def test_reinit_of_an_owned_lock() -> None:
    rlock = ftthreading.RLock()
    rlock.acquire()
    rlock.acquire()
    rlock._at_fork_reinit()
    assert not rlock.locked()
    assert not rlock._is_owned()
    assert rlock._recursion_count() == 0
    assert other_thread(partial(take, 0, rlock)) is True


def test_arguments_of_the_constructor() -> None:
    """As threading's: deplored before 3.15, refused since."""
    for module in (threading, ftthreading):
        make: Any = module.RLock
        for arguments, keywords in [((1,), {}), ((), {"blocking": True})]:
            if sys.version_info >= (3, 15):
                with pytest.raises(TypeError):
                    make(*arguments, **keywords)
            else:
                with pytest.warns(DeprecationWarning, match=r"removed in 3\.15") as caught:
                    rlock = make(*arguments, **keywords)
                assert caught[0].filename == __file__
                assert rlock.acquire(False)


class Named(ftthreading.RLock):
    """A subclass with arguments of its own (gh-102029)."""

    __slots__ = ("__dict__", "color")

    def __init__(self, name: str, *, color: str) -> None:
        super().__init__()
        self.name = name
        self.color = color


class Counting(ftthreading.RLock):
    calls = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        self.calls += 1
        return super().acquire(blocking, timeout)


def test_subclass() -> None:
    rlock = Named("one", color="red")
    assert (rlock.name, rlock.color) == ("one", "red")
    assert isinstance(rlock, ftthreading.RLock)
    reference = weakref.ref(rlock)
    with rlock, rlock:
        assert other_thread(partial(rlock.acquire, False)) is False
        assert rlock._recursion_count() == 2
    del rlock
    wait_until(lambda: reference() is None)
    with pytest.raises(TypeError):
        Named()  # type: ignore[call-arg]

    counting = Counting()
    assert counting.acquire()
    assert counting.acquire(False)
    assert counting.calls == 2
    counting.release()
    counting.release()


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2)])
def test_subclass_without_a_constructor(arguments: tuple[int, ...]) -> None:
    """From 3.15 on it refuses arguments as well; before it ignores them."""

    def outcome(base: type) -> object:
        try:
            type("Plain", (base,), {})(*arguments)
        except TypeError as error:
            return type(error)
        return "made"

    theirs = outcome(type(threading.RLock()))
    assert outcome(ftthreading.RLock) == theirs
    assert theirs == "made" or (sys.version_info >= (3, 15) and arguments)


def test_subclass_that_passes_arguments_up() -> None:
    """object.__init__() refuses them, as for threading's."""

    class Passing(ftthreading.RLock):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)

    Passing()
    with pytest.raises(TypeError):
        Passing(1)


def test_held_subclass_instances_are_collected() -> None:
    references = []
    for _ in range(50):
        rlock = Named("one", color="red")
        rlock.__dict__["itself"] = rlock
        rlock.acquire()
        references.append(weakref.ref(rlock))
        del rlock
    gc.collect()
    assert [reference() for reference in references] == [None] * 50
