"""Reference counts of shared locks: which are deferred, and that nothing else is freed late.

The reasons are in core/python/sharing.h. A deferred count is seen by sys.getrefcount(): a few for
an ordinary object, far more than any real count for this.
"""

import gc
import sys
import sysconfig
import weakref

import pytest

import ftthreading
from tests.support import run_python, run_threads, wait_until

DEFERS = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info >= (3, 14)
OTHER_USES = 64  # uses by other threads before a lock counts as shared
MOST_DEFERRED = 1024  # in one process

MAKERS = {
    "Lock": ftthreading.Lock,
    "RLock": ftthreading.RLock,
    "Condition": ftthreading.Condition,
    "Semaphore": ftthreading.Semaphore,
    "BoundedSemaphore": ftthreading.BoundedSemaphore,
    "Event": ftthreading.Event,
    "Barrier": lambda: ftthreading.Barrier(1),
}
USES = {
    "Lock": lambda lock: lock.acquire(False) and lock.release(),
    "RLock": lambda lock: lock.acquire() and lock.release(),
    "Condition": lambda cond: cond.acquire() and cond.release(),
    "Semaphore": lambda semaphore: semaphore.acquire() and semaphore.release(),
    "BoundedSemaphore": lambda semaphore: semaphore.acquire() and semaphore.release(),
    "Event": lambda event: event.is_set(),
    "Barrier": lambda barrier: barrier.wait(),
}
MAY_DEFER = ["Lock", "RLock"]
each = pytest.mark.parametrize("name", MAKERS)
each_with_attributes = pytest.mark.parametrize(
    "name", [name for name in MAKERS if name not in MAY_DEFER]
)
subprocess = pytest.mark.thread_unsafe(reason="starts an interpreter, slow to do eight times")


@pytest.fixture
def no_collection():
    """What is freed now is freed by its last reference, which a thread that ends may drop."""
    gc.disable()
    yield
    gc.enable()


def counted(function):
    """A test of what the last reference frees, and no collection."""
    unsafe = pytest.mark.thread_unsafe(reason="turns the collector off")
    return unsafe(pytest.mark.usefixtures("no_collection")(function))


def huge(thing):
    """Whether the reference count is out of all proportion."""
    return sys.getrefcount(thing) > 2**28


def use(_, name, thing, times):
    for _ in range(times):
        USES[name](thing)


def share(name, thing, threads=1):
    """Have other threads use it, more often than makes it a shared one."""
    run_threads(threads, use, name, thing, 4 * OTHER_USES)


class Finalized:
    """Says when it has been: what lives on with an object is seen by this."""

    def __init__(self, seen):
        self.seen = seen

    def __del__(self):
        self.seen.append("gone")


@each
def test_a_new_one_is_counted_as_any_object(name):
    thing = MAKERS[name]()
    assert not huge(thing)
    gone = weakref.ref(thing)
    del thing
    assert gone() is None


# Code that is the top level of a module, and a loop in it, is where 3.13t leaked.
TOP_LEVEL = """
import sys, weakref
import ftthreading

MAKERS = [getattr(ftthreading, name) for name in
          ["Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event"]]
MAKERS.append(lambda: ftthreading.Barrier(1))
dead = []
for make in MAKERS:
    for _ in range(100):
        thing = make()
        assert sys.getrefcount(thing) < 2**28, make
        watch = weakref.ref(thing, dead.append)
        del thing
        assert watch() is None and dead.pop() is watch, make

class Payload:
    def __del__(self):
        finalized.append(1)

class Sub(ftthreading.Event):
    pass

finalized = []
for _ in range(100):
    sub = Sub()
    sub.payload = Payload()
del sub
assert len(finalized) == 100, len(finalized)
"""


@subprocess
def test_the_top_level_of_a_module_leaks_nothing():
    run_python(TOP_LEVEL)


@each
def test_of_its_own_thread_it_stays_as_it_is(name):
    thing = MAKERS[name]()
    for _ in range(4 * OTHER_USES):
        USES[name](thing)
    assert not huge(thing)


ONLY_SHARED = """
import ftthreading, sys
from tests.core.test_sharing import *

for name in MAKERS:
    for threads in (1, 4):
        things = [MAKERS[name]() for _ in range(2)]
        run_threads(1, use, name, things[0], OTHER_USES // 2)
        assert not huge(things[0])
        run_threads(threads, use, name, things[0], OTHER_USES)
        assert huge(things[0]) == (DEFERS and name in MAY_DEFER), name
        assert not huge(things[1])

locks = [ftthreading.Lock() for _ in range(MOST_DEFERRED + 100)]
run_threads(1, lambda _: [use(_, "Lock", lock, OTHER_USES) for lock in locks])
print(sum(map(huge, locks)) + 4 * DEFERS)
again = [ftthreading.RLock() for _ in range(100)]
run_threads(1, lambda _: [use(_, "RLock", lock, OTHER_USES) for lock in again])
assert not any(map(huge, again))
"""


@subprocess
def test_locks_shared_by_threads_are_deferred_from_3_14t_and_only_so_many():
    found = run_python(ONLY_SHARED).stdout
    assert int(found) == (MOST_DEFERRED if DEFERS else 0)


@counted
@each_with_attributes
def test_its_attributes_do_not_live_on_with_it(name):
    """Those it had before it was shared, and those that it was given later."""
    seen = []
    thing = MAKERS[name]()
    thing.payload = Finalized(seen)
    share(name, thing)
    thing.late = Finalized(seen)
    del thing
    wait_until(lambda: seen == ["gone", "gone"])


@counted
@pytest.mark.parametrize("name", [name for name in MAKERS if name != "Lock"])
def test_an_instance_of_a_subclass_is_finalized_by_its_last_reference(name):
    seen = []
    base = type(MAKERS[name]())

    class Sub(base):
        def __del__(self):
            seen.append("gone")

    thing = Sub(1) if name == "Barrier" else Sub()
    thing.payload = Finalized(seen)
    share(name, thing, threads=2)
    assert not huge(thing)
    del thing
    wait_until(lambda: seen == ["gone", "gone"])


@counted
def test_a_barrier_lets_go_of_its_action():
    seen = []
    owner = Finalized(seen)
    barrier = ftthreading.Barrier(1, action=lambda owner=owner: None)
    share("Barrier", barrier)
    del owner, barrier
    wait_until(lambda: seen == ["gone"])


@counted
def test_a_condition_lets_go_of_its_lock():
    seen = []

    class Foreign(Finalized):
        def __init__(self):
            super().__init__(seen)
            self.lock = ftthreading.Lock()

        def acquire(self, *arguments):
            return self.lock.acquire(*arguments)

        def release(self):
            self.lock.release()

    condition = ftthreading.Condition(Foreign())
    share("Condition", condition)
    del condition
    wait_until(lambda: seen == ["gone"])


@counted
@each
def test_who_watches_it_is_told_at_once(name):
    told = []
    thing = MAKERS[name]()
    watch = weakref.ref(thing, told.append)
    share(name, thing)
    del thing
    wait_until(lambda: told == [watch])
    assert watch() is None


@counted
def test_a_dictionary_of_locks_in_use_forgets_the_others():
    locks = weakref.WeakValueDictionary()
    mine = locks["mine"] = ftthreading.Lock()
    other = locks["other"] = ftthreading.Lock()
    share("Lock", mine)
    share("Lock", other)
    del other
    wait_until(lambda: [*locks] == ["mine"])
    assert locks["mine"] is mine


@each
def test_the_collector_knows_it(name):
    thing = MAKERS[name]()
    share(name, thing)
    assert any(known is thing for known in gc.get_objects())


@each
def test_deferred_or_not_it_is_collected(name):
    thing = MAKERS[name]()
    share(name, thing)
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    gc.collect()
    assert gone() is None
