"""Reference counts of shared primitives: who becomes immortal or deferred, and who does not.

The reasons are in core/sharing.h. What is seen here is sys.getrefcount(): a few for an ordinary
object, far more than any real count otherwise.
"""

import gc
import sys
import sysconfig
import weakref

import pytest
from support import run_python, run_threads

import ftthreading

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
IMMORTALISES = FREE_THREADED and sys.version_info < (3, 14)
DEFERS = FREE_THREADED and sys.version_info >= (3, 14)
STRANGERS = 64  # uses by other threads before a primitive counts as shared

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
each = pytest.mark.parametrize("name", MAKERS)


def huge(thing):
    """Whether the reference count is out of all proportion."""
    return sys.getrefcount(thing) > 2**28


MODULE = """
import sys
import ftthreading

NAMES = ["Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event"]

def huge(thing):
    return sys.getrefcount(thing) > 2**28

def in_function():
    return [getattr(ftthreading, name)() for name in NAMES] + [ftthreading.Barrier(1)]

class Body:
    lock = ftthreading.Lock()
    event = ftthreading.Event()

lock = ftthreading.Lock()
rlock = ftthreading.RLock()
condition = ftthreading.Condition()
semaphore = ftthreading.Semaphore()
bounded = ftthreading.BoundedSemaphore()
event = ftthreading.Event()
barrier = ftthreading.Barrier(1)
of_module = [lock, rlock, condition, semaphore, bounded, event, barrier]

class Sub(ftthreading.Event):
    pass

sub = Sub()
print(sorted({huge(x) for x in of_module}), huge(sub), sorted({huge(x) for x in in_function()}),
      huge(Body.lock), huge(Body.event), huge((lambda: ftthreading.Lock())()),
      [huge(x) for x in [ftthreading.Lock() for _ in range(1)]])
for x in of_module[:5]:
    with x:
        pass
event.set(), barrier.wait()
"""

subprocess = pytest.mark.thread_unsafe(reason="starts an interpreter, slow to do eight times")


@subprocess
@pytest.mark.parametrize("switch", [None, "1", "0"])
def test_primitives_of_modules_are_immortal_on_3_13t(switch):
    env = {} if switch is None else {"FTTHREADING_IMMORTAL": switch}
    first = run_python(MODULE, env=env).stdout.strip()
    immortal = IMMORTALISES and switch != "0"
    # What is immortal is bounded by the lines of the module: nothing that a loop of a function,
    # a class body or a comprehension makes.
    expected = f"[{immortal}] {immortal} [False] False False False [False]"
    assert first == expected


@each
def test_a_new_one_is_counted_as_any_object(name):
    thing = MAKERS[name]()
    assert not huge(thing)
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    assert gone() is None


@each
def test_of_its_own_thread_it_stays_as_it_is(name):
    thing = MAKERS[name]()
    for _ in range(4 * STRANGERS):
        USES[name](thing)
    assert not huge(thing)


@each
@pytest.mark.parametrize("threads", [1, 4])
def test_shared_by_threads_it_becomes_deferred_from_3_14t(name, threads):
    things = [MAKERS[name]() for _ in range(2)]

    def use(i, times):
        for _ in range(times):
            USES[name](things[0])

    run_threads(1, use, STRANGERS // 4)
    assert not huge(things[0])
    run_threads(threads, use, STRANGERS)
    assert huge(things[0]) == DEFERS
    assert not huge(things[1])


@each
def test_deferred_or_not_it_is_collected(name):
    thing = MAKERS[name]()

    def use(_, thing):
        for _ in range(2 * STRANGERS):
            USES[name](thing)

    run_threads(1, use, thing)
    if DEFERS:
        assert huge(thing)
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    gc.collect()
    assert gone() is None
