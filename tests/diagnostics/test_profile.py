"""The contention profile: which lines it names, for which locks, and whom it blames."""

import gc
import itertools
import queue
import sys
import sysconfig
import threading
import time
import weakref
from pathlib import Path

import pytest

import ftthreading
from ftthreading import _core
from ftthreading.diagnostics import profile
from tests.support import alarms, in_main_thread, run_python, run_threads, start_threads, wait_until
from tests.support.asleep import start_asleep, take

IMMORTAL = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14)


def here(mark):
    """The number of the line in this file that ends in that comment."""
    lines = Path(__file__).read_text().splitlines()
    (number,) = (i for i, line in enumerate(lines, 1) if line.endswith(f"# {mark}"))
    return number


def rows_at(rows, mark):
    """The rows of that line."""
    line = here(mark)
    return [row for row in rows if row.place.line == line and row.place.file == __file__]


def row_at(rows, mark):
    """The one row of that line."""
    found = rows_at(rows, mark)
    assert len(found) == 1, (mark, found, rows)
    return found[0]


def wait_for_lock(_, lock):
    with lock:  # waits
        pass


def release_once_asleep(lock):
    """Hold the lock until two threads sleep for it; then wait for their end."""
    with lock:  # holds
        waiters = start_asleep(2, wait_for_lock, lock)
    waiters.join()


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_line_that_waits_and_line_that_holds(kind, num_parallel_threads):
    with profile() as p:
        lock = getattr(ftthreading, kind)()  # makes
        release_once_asleep(lock)
    waits, holds = row_at(p.contended, "waits"), row_at(p.holders, "holds")
    assert waits.called == holds.called == kind
    assert waits.place.function == "wait_for_lock"
    assert holds.place.function == "release_once_asleep"
    for row in (waits, holds):
        assert (row.lock.made.file, row.lock.made.line) == (__file__, here("makes"))
        assert row.lock.kind == kind
    assert waits.count >= 2
    assert 0 < waits.longest <= waits.total <= p.thread_seconds
    assert holds.count >= 1
    assert 0 < holds.longest <= holds.held <= holds.total
    if num_parallel_threads == 1:  # else others have not come to the end of their waits
        assert holds.total <= waits.total
    stacks = [stack for stack, _ in waits.stacks]
    assert all(stack[0].line == here("waits") for stack in stacks)
    assert sum(total for _, total in waits.stacks) == pytest.approx(waits.total)


def test_the_blame_is_whose_hold_it_was(num_parallel_threads):
    """Of two releases the one is charged with the time that passed in its hold."""

    def hold_long(lock):
        with lock:  # holds long
            waiters = start_asleep(8, take, lock)
            time.sleep(0.5)
        return waiters

    with profile() as p:
        hold_long(ftthreading.Lock()).join()
    long = row_at(p.holders, "holds long")
    assert long.longest >= 0.5
    assert long.total >= 8 * 0.5
    others = sum(row.total for row in p.holders if row.lock == long.lock) - long.total
    if num_parallel_threads == 1:  # the seven that wait for one another are charged with no more
        assert others < long.total


@pytest.mark.thread_unsafe(reason="makes a lock while no profile is on")
def test_lock_made_before():
    lock = ftthreading.Lock()
    with profile() as p:
        release_once_asleep(lock)
    rows = rows_at(p.contended, "waits")
    assert f"Lock at {hex(_address_of(lock, rows))}" in [str(row.lock) for row in rows]


def _address_of(lock, rows):
    """Of the lock in the object, which is not where the object is."""
    addresses = {row.lock.address for row in rows if row.lock.made is None}
    (found,) = (address for address in addresses if 0 <= address - id(lock) < 64)
    return found


def test_semaphore():
    def wait_for_permit(_):
        semaphore.acquire()  # waits for a permit
        semaphore.release()

    with profile() as p:
        semaphore = ftthreading.Semaphore(1)  # makes a semaphore
        semaphore.acquire()
        waiters = start_asleep(2, wait_for_permit)
        semaphore.release()  # gives the permit back
        waiters.join()
    row = row_at(p.contended, "waits for a permit")
    assert row.called == "Semaphore.acquire()"
    assert row.lock.made.line == here("makes a semaphore")
    assert row_at(p.holders, "gives the permit back").called == "Semaphore.release()"


def test_waits_for_something_to_happen_are_no_contention():
    def wait(i):
        if i == 0:
            event.wait()  # waits for an event
        else:
            barrier.wait()  # waits at a barrier

    event, barrier = ftthreading.Event(), ftthreading.Barrier(2)
    with profile() as p:
        waiters = start_asleep(2, wait)
        event.set()
        barrier.wait()
        waiters.join()
    assert row_at(p.awaited, "waits for an event").called == "Event.wait()"
    assert row_at(p.awaited, "waits at a barrier").called == "Barrier.wait()"
    assert row_at(p.awaited, "waits for an event").lock is None
    for mark in ("waits for an event", "waits at a barrier"):
        assert rows_at(p.contended, mark) == []


@pytest.mark.parametrize("lock", [ftthreading.Lock, ftthreading.RLock])
def test_condition_gets_its_lock_back(lock):
    """Until it is notified it waits for that; from then on for the lock, which is contention."""

    def wait(_):
        with cond:
            cond.wait()  # waits for a notification

    with profile() as p:
        cond = ftthreading.Condition(lock())
        waiter = start_asleep(1, wait)
        with cond:
            cond.notify()
            # It is in no queue of the condition any more, and wants the lock that we have.
            wait_until(lambda: any(call[5] for call in _core._calls() if call[2] is cond))
        waiter.join()
    assert row_at(p.awaited, "waits for a notification").called == "Condition.wait()"
    assert row_at(p.contended, "waits for a notification").total > 0


def test_queue_is_named_as_the_program_called_it(monkeypatch):
    for name in ("Lock", "Condition"):
        monkeypatch.setattr(threading, name, getattr(ftthreading, name))

    def get(_):
        return full.get()  # gets

    def put(_):
        full.put(1)  # puts

    with profile() as p:
        full = queue.Queue()  # makes a queue
        getter = start_asleep(1, get)
        full.put(0)
        assert getter.join() == [0]
        with full.mutex:  # keeps the mutex
            putter = start_asleep(1, put)
        putter.join()
    row = row_at(p.awaited, "gets")
    assert (row.called, row.place.function.split(".")[-1]) == ("Queue.get()", "get")
    row = row_at(p.contended, "puts")
    assert row.called == "Queue.put()"
    assert row.lock.part_of == "Queue"
    assert row.lock.made.line == here("makes a queue")
    assert row_at(p.holders, "keeps the mutex").lock == row.lock


def test_join_says_for_which_thread_it_waited():
    def join(_):
        for thread in awaited:
            thread.join()  # joins

    gate = ftthreading.Event()
    awaited = [threading.Thread(target=gate.wait, name=f"awaited {i}") for i in range(2)]
    for thread in awaited:
        thread.start()
    with profile() as p:
        joiner = start_asleep(1, join)
        gate.set()
        joiner.join()
        awaited[0].join()  # joins what has ended
    row = row_at(p.awaited, "joins")
    assert row.called == "Thread.join()"
    assert row.lock is None
    assert row.threads[0] == "awaited 0"
    assert 0 < row.longest <= row.total
    (line,) = [
        line for line in p.text().splitlines() if f"test_profile.py:{here('joins')} " in line
    ]
    assert 'Thread "awaited 0"' in line or 'Threads "awaited 0"' in line
    assert rows_at(p.contended, "joins") + rows_at(p.awaited, "joins what has ended") == []


def test_join_of_the_main_thread():
    """Of a thread that ftthreading has not started, too."""

    def join(_):
        threading.main_thread().join(timeout=0.01)  # joins the main thread

    with profile() as p:
        run_threads(2, join)
    row = row_at(p.awaited, "joins the main thread")
    assert row.threads == ("MainThread",)
    assert row.longest >= 0.01


def test_import_is_named_as_such():
    """What waits for another thread's import is the line of the import statement."""
    names = {}
    source = "def find_and_load(lock): return lock.acquire(timeout=0.01)"
    exec(compile(source, "<frozen importlib._bootstrap>", "exec"), names)
    with profile() as p:
        lock = ftthreading.Lock()
        lock.acquire()
        assert not names["find_and_load"](lock)  # imports
    assert row_at(p.contended, "imports").called == "import"


def test_timed_waits_that_end_in_vain():
    def give_up(_):
        return lock.acquire(timeout=0.01)  # gives up

    with profile() as p:
        lock = ftthreading.Lock()
        lock.acquire()
        assert run_threads(2, give_up) == [False, False]
    row = row_at(p.contended, "gives up")
    assert row.count >= 2
    assert row.longest >= 0.01


def test_a_try_is_no_wait():
    lock = ftthreading.Lock()
    with lock, profile() as p:
        assert not lock.acquire(False)  # tries
        assert not lock.acquire(timeout=0)  # tries too
    assert rows_at(p.contended, "tries") + rows_at(p.contended, "tries too") == []


def test_spinning_is_counted():
    """Threads that get the lock without a sleep have waited."""

    def spin(_):
        for _ in range(5_000):
            with lock:  # spins
                for _ in range(50):
                    pass

    with profile() as p:
        lock = ftthreading.Lock()
        deadline = time.monotonic() + 30
        while not rows_at(p.contended, "spins"):  # few processors: they may never meet
            run_threads(4, spin)
            assert time.monotonic() < deadline
    row = row_at(p.contended, "spins")
    assert row.count >= 1
    assert 0 <= row.awake <= row.total


@pytest.mark.thread_unsafe(reason="counts the waits at a line")
def test_many_waits_are_estimated():
    """Of many waits a part is recorded, and stands for all."""
    count = 30_000
    with profile() as p:
        lock = ftthreading.Lock()
        lock.acquire()
        began = time.monotonic()
        for _ in range(count):
            lock.acquire(timeout=1e-9)  # waits often
        took = time.monotonic() - began
    row = row_at(p.contended, "waits often")
    assert row.count != count  # would be the number if all were recorded
    assert 0.5 * count < row.count < 1.5 * count
    assert 0 < row.total < 1.5 * took


class OurError(Exception):
    pass


@pytest.mark.thread_unsafe(reason="handles signals in the main thread")
def test_exceptions_of_handlers_and_what_acquire_returns():
    """A handler that waits itself is counted for itself, and what it raises comes through."""
    if not in_main_thread():
        pytest.skip("signal handlers run in the main thread only")
    lock, inner = ftthreading.Lock(), ftthreading.Lock()
    calls = itertools.count()

    def handle():
        inner.acquire(timeout=0.001)  # waits in a handler
        if next(calls) == 5:
            raise OurError

    with lock, inner, profile() as p, alarms(handle, 0.002):
        with pytest.raises(OurError):
            lock.acquire()  # is interrupted
        assert lock.locked()
        assert not lock.acquire(timeout=0.02)
    outer = row_at(p.contended, "is interrupted")
    nested = row_at(p.contended, "waits in a handler")
    assert nested.count >= 5
    assert outer.count == 1
    assert outer.total + nested.total <= p.thread_seconds


def test_eight_threads_profile_and_read_at_once():
    locks = [ftthreading.Lock() for _ in range(3)]
    over = []

    def use(i):
        while not over:
            with locks[i % 3]:
                pass

    def look(_):
        for _ in range(10):
            with profile() as p, profile():
                with ftthreading.Lock():
                    pass
                assert p.text().endswith("\n")
                assert p.seconds <= p.seconds
        return True

    users = start_threads(4, use)
    try:
        assert run_threads(8, look) == [True] * 8
    finally:
        over.append(True)
        users.join()


def test_profiles_share_what_is_recorded_but_not_what_was_before(num_parallel_threads):
    lock = ftthreading.Lock()
    with profile() as whole:
        release_once_asleep(lock)
        before = sum(row.count for row in rows_at(whole.contended, "waits"))
        with profile() as part:
            pass
        again = sum(row.count for row in rows_at(part.contended, "waits"))
    assert before >= 2
    if num_parallel_threads == 1:
        assert again == 0


@pytest.mark.thread_unsafe(reason="other profiles would keep what is recorded")
def test_waits_that_began_before_are_not_in_it():
    """Nor if another profile was on then."""
    lock = ftthreading.Lock()
    with lock:
        with profile():
            waiters = start_asleep(2, wait_for_lock, lock)
        p = profile()
        p.__enter__()
    waiters.join()
    p.__exit__(None, None, None)
    assert rows_at(p.contended, "waits") == []


def test_begins_once():
    p = profile()
    with p, pytest.raises(RuntimeError, match="begun already"):
        p.__enter__()
    p.__exit__(None, None, None)  # a second end changes nothing
    assert p.seconds == p.seconds


@pytest.mark.skipif(IMMORTAL, reason="this interpreter never frees code and classes")
@pytest.mark.thread_unsafe(reason="compares what the whole process keeps")
def test_leaves_nothing_behind():
    """Neither code nor types that were recorded are kept once the profile has ended."""

    class Mine(ftthreading.Semaphore):
        pass

    def function():
        Mine(0).acquire(timeout=0.001)
        release_once_asleep(ftthreading.Lock())

    code, mine = function.__code__, weakref.ref(Mine)
    before = sys.getrefcount(code)
    for _ in range(5):
        with profile():
            function()
    assert sys.getrefcount(code) <= before + 1
    function = Mine = None
    gc.collect()
    assert mine() is None


@pytest.mark.thread_unsafe(reason="starts an interpreter")
def test_records_in_children_of_forks_are_their_own():
    run_python("""
import os, threading, warnings
import ftthreading
from ftthreading.diagnostics import profile
warnings.simplefilter("ignore")
lock = ftthreading.Lock()
def wait(): lock.acquire(timeout=0.01)
with lock, profile() as p:
    wait()
    child = os.fork()
    if child == 0:
        count = len(p.contended)
        with profile() as q:
            thread = threading.Thread(target=wait)
            thread.start()
            thread.join()
        assert len(q.contended) == 1, q.contended
        os._exit(0 if count == len(p.contended) == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    wait()
assert sum(row.count for row in p.contended) == 2, p.contended
""")
