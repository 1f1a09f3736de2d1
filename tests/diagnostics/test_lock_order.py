"""The rules of the order of locks: what makes an inversion, and what is said of it."""

from __future__ import annotations

import gc
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import ftthreading
from ftthreading import Condition, Lock, RLock, _core
from ftthreading.diagnostics import Inversion, LockOrder, lock_order
from ftthreading.diagnostics import _lock_order_recorder as recorder
from tests.support import SignalHandler, handling, run_threads, wait_until

pytestmark = pytest.mark.thread_unsafe(reason="watches all locks of the process")

HERE = os.path.basename(__file__)


def nest(*locks: Any) -> object:
    """Take the locks one in the other, and release them all."""
    for lock in locks:
        lock.acquire()
    for lock in reversed(locks):
        lock.release()
    return None


def in_threads(*programs: Callable[[], object]) -> None:
    """Run each in a thread of its own, one after the other."""
    for i, program in enumerate(programs):
        thread = threading.Thread(target=program, name=f"number {i}")
        thread.start()
        thread.join()


def watching() -> recorder.Watch:
    assert recorder._watch is not None
    return recorder._watch


def watch(*programs: Callable[[], object], **options: Any) -> tuple[Inversion, ...]:
    with lock_order(quiet=True, **options) as order:
        in_threads(*programs)
    return order.inversions


def the_one(*programs: Callable[[], object], **options: Any) -> Inversion:
    (found,) = watch(*programs, **options)
    return found


class Derived(RLock):
    pass


class Own:
    """A lock of the program's own that a Condition asks through its methods."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.acquire = self.lock.acquire
        self.release = self.lock.release


# What is seen


@pytest.mark.parametrize("first", [Lock, RLock, Derived, Condition])
@pytest.mark.parametrize("second", [Lock, RLock, Derived, Condition])
def test_all_kinds_of_locks(first: Callable[..., Any], second: Callable[..., Any]) -> None:
    a, b = first(), second()
    found = the_one(lambda: nest(a, b), lambda: nest(b, a))
    assert found.certain
    assert "number 0" in found.text
    assert "number 1" in found.text


def enter_both(a: Lock, b: Lock) -> None:
    with a:
        with b:
            pass


def old_names(a: Lock, b: Lock) -> None:
    a.acquire_lock()
    b.acquire_lock()
    b.release_lock()
    a.release_lock()


def by_keyword(a: Lock, b: Lock) -> None:
    a.acquire(blocking=True, timeout=-1)
    b.acquire(True)
    a.release()
    b.release()


@pytest.mark.parametrize("way", [enter_both, old_names, by_keyword])
def test_all_ways_to_take_one(way: Callable[..., Any]) -> None:
    a, b = Lock(), Lock()
    assert the_one(lambda: way(a, b), lambda: way(b, a)).certain


def test_bound_methods_and_those_of_the_class() -> None:
    a, b = Lock(), RLock()
    a_acquire, b_acquire = a.acquire, b.acquire  # bound before anybody watches

    def there() -> None:
        a_acquire()
        RLock.acquire(b)
        RLock.release(b)
        Lock.release(a)

    def back() -> None:
        b_acquire()
        Lock.__enter__(a)
        Lock.__exit__(a)
        RLock.__exit__(b)

    assert the_one(there, back).certain


def test_a_condition_is_its_lock() -> None:
    a, b = Lock(), Lock()
    on_a, on_b = Condition(a), Condition(b)

    def there() -> None:
        with on_a, b:
            pass

    def back() -> None:
        with on_b:
            on_a.acquire()
            on_a.release()

    assert the_one(there, back).certain


@pytest.mark.parametrize("make", [Lock, RLock, Derived, Own])
def test_wait_takes_its_lock_back_under_the_others(make: Callable[..., Any]) -> None:
    """Inside cond.wait(): the outer lock is held, and the condition's is wanted again."""
    outer, inner = Lock(), make()
    condition = Condition(inner)

    def wait() -> None:
        inner.acquire()
        outer.acquire()  # inner, outer; then outer is held and inner wanted
        condition.wait(0.001)
        outer.release()
        inner.release()

    found = the_one(wait)
    assert found.certain
    assert "condition.wait(0.001)" in found.text


def test_wait_releases_its_lock() -> None:
    """What the thread that notifies takes meanwhile is no order of the one that waits."""
    a, condition = Lock(), Condition()
    waiting = []

    def wait() -> None:
        with condition:
            waiting.append(1)
            condition.wait()
        with a:
            pass

    def notify() -> None:
        wait_until(lambda: waiting)
        with condition:
            condition.notify()

    with lock_order(quiet=True) as order:
        run_threads(2, lambda i: (wait, notify)[i]())
        in_threads(lambda: nest(a, condition))
    assert order.inversions == ()


def test_a_wait_that_fails_leaves_the_lock_held() -> None:
    a, condition = Lock(), Condition()

    def fail() -> None:
        with condition:
            with pytest.raises(TypeError):
                condition.wait("soon")  # type: ignore[arg-type]
            with a:
                pass

    assert the_one(fail, lambda: nest(a, condition)).certain


def test_a_wait_without_the_lock_takes_nothing() -> None:
    a, condition = Lock(), Condition(Lock())

    def fail() -> None:
        with pytest.raises(RuntimeError):
            condition.wait()
        with a:
            pass

    assert watch(fail, lambda: nest(a, condition)) == ()


def test_locks_and_holds_of_before() -> None:
    """What was taken before anybody watched is not known to be held; what follows is."""
    a, b = Lock(), Lock()
    a.acquire()
    with lock_order(quiet=True) as order:
        with b:
            pass
        a.release()
        in_threads(lambda: nest(a, b), lambda: nest(b, a))
    (found,) = order.inversions
    assert "made before anybody watched" in found.text


# The rules


def test_three_locks() -> None:
    a, b, c = Lock(), Lock(), Lock()
    found = the_one(lambda: nest(a, b), lambda: nest(b, c), lambda: nest(c, a))
    assert "lock order inversion of 3 locks" in found.text
    assert all(f"number {i}" in found.text for i in range(3))


def test_many_locks_in_a_ring() -> None:
    locks = [Lock() for _ in range(10)]
    pairs = zip(locks, [*locks[1:], locks[0]], strict=True)
    found = the_one(*[lambda pair=pair: nest(*pair) for pair in pairs])
    assert "lock order inversion of 10 locks" in found.text


def test_edges_that_come_in_any_order() -> None:
    """Edges that the order of nodes has to be changed for, and one at the end that closes it."""
    locks = [Lock() for _ in range(40)]
    steps = [(i, i + 1) for i in range(0, 39, 2)] + [(i, i + 1) for i in range(37, 0, -2)]
    programs = [lambda i=i, k=k: nest(locks[i], locks[k]) for i, k in steps]
    assert watch(*programs) == ()
    found = the_one(*programs, lambda: nest(locks[5], locks[0]))
    assert "of 6 locks" in found.text


@pytest.mark.parametrize("take", [{"blocking": False}, {"timeout": 30}])
def test_a_try_holds_but_does_not_wait(take: dict[str, Any]) -> None:
    a, b = Lock(), Lock()

    def tries() -> None:
        with b:
            assert a.acquire(**take)
            a.release()

    assert watch(lambda: nest(a, b), tries) == ()

    def holds() -> None:
        assert b.acquire(**take)
        with a:
            b.release()

    assert the_one(lambda: nest(a, b), holds).certain


def test_a_try_in_vain_holds_nothing() -> None:
    a, b = Lock(), Lock()

    def vain() -> None:
        b.acquire()
        in_threads(lambda: (b.acquire(blocking=False), nest(a)))
        b.release()

    assert watch(vain, lambda: nest(a, b)) == ()


def test_reentrance_is_no_order() -> None:
    a, b = RLock(), Lock()
    assert watch(lambda: nest(a, b, a), lambda: nest(a, b, a)) == ()


def test_what_is_held_until_the_outermost_release() -> None:
    a, b = RLock(), Lock()

    def inner_released() -> None:
        a.acquire()
        a.acquire()
        a.release()
        nest(b)
        a.release()
        nest(b)

    assert the_one(inner_released, lambda: nest(b, a)).certain


def test_release_in_any_order() -> None:
    a, b, c = Lock(), Lock(), Lock()

    def crossed() -> None:
        a.acquire()
        b.acquire()
        a.release()
        c.acquire()  # b, c, but not a, c
        b.release()
        c.release()

    # Through b, in three threads.
    assert "inversion of 3 locks" in the_one(crossed, lambda: nest(c, a)).text
    assert "inversion of 2 locks" in the_one(crossed, lambda: nest(c, b)).text


def test_one_thread_is_enough_and_is_said() -> None:
    a, b = Lock(), Lock()
    found = the_one(lambda: (nest(a, b), nest(b, a)))
    assert found.certain
    assert "by one thread only" in " ".join(found.text.split())


def test_two_threads_are_preferred() -> None:
    a, b = Lock(), Lock()
    found = the_one(lambda: nest(a, b), lambda: nest(a, b), lambda: nest(b, a))
    assert "number 2" in found.text
    assert "one thread only" not in " ".join(found.text.split())


def test_a_lock_that_another_thread_releases_is_a_signal() -> None:
    a, ready = Lock(), Lock()

    def hand_over() -> None:
        ready.acquire()

        def other() -> None:
            nest(a)
            ready.release()

        in_threads(other)

    assert watch(hand_over, lambda: nest(ready, a), lambda: nest(a, ready)) == ()


def test_it_is_withdrawn_if_that_shows_later() -> None:
    a, ready = Lock(), Lock()
    with lock_order(quiet=True) as order:
        in_threads(lambda: nest(a, ready), lambda: nest(ready, a))
        (found,) = order.inversions
        ready.acquire()
        in_threads(ready.release)
    assert found.withdrawn
    assert order.inversions == ()
    assert "1 report above withdrawn" in order.summary()


def test_the_rlock_of_another_thread_cannot_be_released() -> None:
    a, b = RLock(), Lock()

    def fail() -> None:
        a.acquire()

        def other() -> None:
            with pytest.raises(RuntimeError):
                a.release()

        in_threads(other)
        nest(b)
        a.release()

    assert the_one(fail, lambda: nest(b, a)).certain


def test_the_release_of_a_free_lock_is_no_news() -> None:
    a, b = Lock(), RLock()

    def fail() -> None:
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            a.release()
        with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
            b.release()

    assert watch(fail) == ()


def test_a_lock_that_follows_a_dead_one_is_another() -> None:
    """At the same address, perhaps."""

    def program() -> None:
        a = Lock()
        for _ in range(50):
            b = Lock()
            nest(a, b)
            del b
            c = Lock()
            nest(c, a)
            del c
            gc.collect()

    assert [each for each in watch(program) if each.certain] == []


# By the lines where locks are made


class Parent:
    def __init__(self) -> None:
        self.lock = Lock()


class Child:
    def __init__(self) -> None:
        self.lock = RLock()


def test_orders_of_different_objects_are_possible() -> None:
    def program() -> None:
        nest(Parent().lock, Child().lock)
        nest(Child().lock, Parent().lock)

    found = the_one(program)
    assert not found.certain
    assert "no two of them were taken in both orders" in " ".join(found.text.split())
    assert "possible lock order inversion" in found.text
    assert "self.lock = RLock()" in found.text


def test_the_same_line_says_nothing() -> None:
    locks = [Parent().lock for _ in range(10)]

    def program() -> None:
        for i in range(10):
            for k in range(i):
                nest(locks[k], locks[i])

    assert watch(program) == ()


def test_one_report_of_objects_and_none_of_their_lines() -> None:
    def program() -> None:
        for _ in range(5):
            a, b = Parent().lock, Child().lock
            nest(a, b)
            nest(b, a)

    assert the_one(program).certain


def test_lines_of_subclasses_and_conditions() -> None:
    def program() -> None:
        a = Derived()  # of a subclass
        b = Condition()  # the lock that it makes
        nest(a, b)
        nest(b, a)

    found = the_one(program)
    assert "a = Derived()" in found.text
    assert "Derived made at" in found.text
    assert "b = Condition()" in found.text
    assert "RLock made at" in found.text


# The report


def one(a: Any, b: Any) -> None:
    with a:
        with b:  # inner of one
            pass


def two(a: Any, b: Any) -> None:
    with b:
        with a:  # inner of two
            pass


def test_what_a_person_reads() -> None:
    def program() -> None:
        a = Lock()  # the first
        b = RLock()  # the second
        in_threads(lambda: one(a, b), lambda: two(a, b))

    out = io.StringIO()
    with lock_order(file=out) as order:
        program()
    text = out.getvalue()
    (found,) = order.inversions
    assert text == found.text
    lines = text.splitlines()
    assert lines[1] == "ftthreading: lock order inversion of 2 locks"
    assert "deadlock" in lines[2]
    where = rf"\S*{re.escape(HERE)}:\d+"
    for pattern in (
        rf"  [AB]  Lock made at {where}, in .*program:  a = Lock\(\)  # the first",
        rf"  [AB]  RLock made at {where}, in .*program:  b = RLock\(\)  # the second",
        r'Thread "number 0" held [AB] and wanted [AB]:',
        r'Thread "number 1" held [AB] and wanted [AB]:',
        rf"  took [AB] at +{where}, in one:  with a:",
        rf"  wanted [AB] at +{where}, in one:  with b:  # inner of one",
        rf"  took [AB] at +{where}, in two:  with b:",
        rf"  wanted [AB] at +{where}, in two:  with a:  # inner of two",
        rf" +from +{where}, in .*<lambda>:.*",
    ):
        assert any(re.fullmatch(pattern, line) for line in lines), pattern
    assert "number 0" in text
    # Whoever took A wanted B, and the reverse, with the letters of the list of locks.
    (first,) = re.findall(r"^  (.)  Lock made", text, re.MULTILINE)
    (second,) = re.findall(r"^  (.)  RLock made", text, re.MULTILINE)
    assert f'Thread "number 0" held {first} and wanted {second}:' in text
    assert f'Thread "number 1" held {second} and wanted {first}:' in text


def test_each_is_told_once() -> None:
    def program() -> None:
        for _ in range(3):
            a, b = Lock(), Lock()
            one(a, b)
            two(a, b)

    assert len(watch(program, program)) == 1


def test_standard_error_by_default(capfd: pytest.CaptureFixture[str]) -> None:
    a, b = Lock(), Lock()
    with lock_order() as order:
        in_threads(lambda: nest(a, b), lambda: nest(b, a))
    assert capfd.readouterr().err == order.inversions[0].text


def suppressed(*lines: str) -> bool:
    a, b = Lock(), Lock()
    return watch(lambda: one(a, b), lambda: two(a, b), suppressions=lines) == ()


def test_suppressions() -> None:
    a, b = Lock(), Lock()
    found = the_one(lambda: one(a, b), lambda: two(a, b))
    assert suppressed(found.suppression)
    assert suppressed("# a comment", "", f"{HERE}  # where it is")
    assert suppressed("one & two")
    assert suppressed("*.py & t?o")
    assert not suppressed("one & three")
    assert not suppressed("other.py", "on", f"{HERE}:1")
    assert not suppressed("")


def test_suppressions_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text("one & two\n")
    a, b = Lock(), Lock()
    assert watch(lambda: one(a, b), lambda: two(a, b), suppressions=path) == ()
    with pytest.raises(OSError):
        lock_order(suppressions=tmp_path / "none")


# On and off


def test_only_one_at_a_time() -> None:
    with lock_order():
        with pytest.raises(RuntimeError, match="already"):
            lock_order().enable()
    order = lock_order(quiet=True).enable()
    assert isinstance(order, LockOrder)
    order.disable()
    order.disable()


def test_nothing_is_told_when_it_is_off() -> None:
    a, b = Lock(), Lock()
    order = lock_order(quiet=True)
    in_threads(lambda: nest(a, b), lambda: nest(b, a))
    with order:
        nest(a, b)
    in_threads(lambda: nest(b, a))
    assert order.inversions == ()


@pytest.mark.parametrize("make", [Lock, RLock, Derived, Condition, lambda: Condition(Lock())])
def test_locks_do_the_same_while_they_are_watched(make: Callable[..., Any]) -> None:
    def results() -> list[object]:
        lock = make()
        found: list[object] = [lock.acquire(), lock.locked() if hasattr(lock, "locked") else None]
        found.append(lock.acquire(False))
        for bad in ((1, 2, 3), (True, -2), (False, 1), ("x", "y")):
            with pytest.raises((TypeError, ValueError)) as raised:
                lock.acquire(*bad)
            found.append(str(raised.value))
        with pytest.raises(TypeError):
            lock.acquire(forever=True)
        found.append(lock.release())
        found.append(lock.__enter__())
        found.append(lock.__exit__(None, None, None))
        return found

    plain = results()
    with lock_order(quiet=True):
        assert results() == plain
    assert results() == plain


def test_on_and_off_under_way() -> None:
    """Threads go on with their locks while it is turned on and off; no lock is lost."""
    locks: list[Any] = [Lock(), RLock(), Condition(), Derived()]
    count = [0]
    over: list[bool] = []

    def work(i: int) -> int:
        if i == 0:
            for _ in range(30):
                with lock_order(quiet=True) as order:
                    before = count[0]
                    wait_until(lambda: count[0] > before)
                assert order.inversions == ()
            over.append(True)
            return 0
        mine = 0
        while not over:
            with locks[0], locks[1], locks[2], locks[3]:
                count[0] += 1
                mine += 1
        return mine

    assert sum(run_threads(8, work)) == count[0]
    for lock in locks:
        assert lock.acquire(blocking=False)
        lock.release()


def test_eight_threads_find_all() -> None:
    with lock_order(quiet=True) as order:

        def work(i: int) -> None:
            for _ in range(20):
                a, b = Lock(), RLock()
                nest(a, b)
                nest(a, b)
                a.acquire()
                b.acquire()
                a.release()
                b.release()

        run_threads(8, work)
        a, b = Lock(), Lock()
        turn = [0]

        def by_turns(i: int) -> None:
            wait_until(lambda: turn[0] == i)
            nest(*((a, b), (b, a))[i % 2])
            turn[0] += 1

        run_threads(8, by_turns)
    assert len(order.inversions) == 1


# Signal handlers, exceptions, forks


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
        while len(calls) < 60:
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
        while len(calls) < 60:
            try:
                work()
            except Stop:
                pass
        striker.join()
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


# Memory


def test_locks_beyond_the_bound_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_LOCKS", 10)
    with lock_order(quiet=True) as order:
        locks = [Lock() for _ in range(20)]
        for lock in locks:
            nest(locks[0], lock) if lock is not locks[0] else None
        assert len(watching().nodes) == 10
        nest(locks[1], locks[0])
    assert len(order.inversions) == 1
    assert "more than" in order.summary()


def test_dead_locks_are_forgotten() -> None:
    with lock_order(quiet=True):
        a = Lock()
        for _ in range(2000):
            nest(a, Lock())
        watch = watching()
        assert len(watch.nodes) < 1000
        assert watch.objects.edges < 1000


def test_edges_beyond_the_bound_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_EDGES", 10)
    with lock_order(quiet=True) as order:
        a = Lock()
        locks = [Lock() for _ in range(20)]
        for lock in locks:
            nest(a, lock)
        assert watching().objects.edges == 10
        assert order.inversions == ()
        assert "pairs of locks" in order.summary()


def test_other_interpreters_are_not_watched() -> None:
    interpreters = pytest.importorskip("_interpreters", reason="this build has none")
    code = """
import ftthreading
for make in (ftthreading.Lock, ftthreading.RLock, ftthreading.Condition):
    lock = make()
    with lock:
        assert make().acquire()
    assert lock.acquire()
    lock.release()
"""
    with lock_order(quiet=True) as order:
        other = interpreters.create()
        try:
            assert interpreters.exec(other, code) is None
        finally:
            interpreters.destroy(other)
        a, b = Lock(), Lock()
        in_threads(lambda: nest(a, b), lambda: nest(b, a))
    assert len(order.inversions) == 1


def test_what_is_public() -> None:
    assert ftthreading.diagnostics.lock_order is lock_order
    assert signal.getsignal(signal.SIGUSR1) in (signal.SIG_DFL, None)
