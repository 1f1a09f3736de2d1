"""The interpreter ends while threads wait for something, or while it waits for it itself.

Once it finalizes, no other thread runs Python again. So daemon threads stay where they are and
nothing waits for them, and a wait that only they could end raises instead.
"""

from __future__ import annotations

import sysconfig

import pytest

from tests.support import run_python

pytestmark = pytest.mark.thread_unsafe(reason="runs many interpreters itself")

both = pytest.mark.parametrize("name", ["Lock", "RLock"])

THREAD_SANITIZER = "thread-sanitizer" in (sysconfig.get_config_var("CONFIG_ARGS") or "")

RUNS = 1 if THREAD_SANITIZER else 4
"""How often what depends on the moment is tried; that build takes seconds to start."""

PRELUDE = """
import atexit, gc, os, sys, threading, types, weakref
import ftthreading
from tests.support.asleep import wait_until_asleep
from tests.support import run_threads, wait_until

def start(target):
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread

make = ftthreading.{name}
"""


def run(name: str, program: str, expected: str = "") -> None:
    """Run the program: it must end with exit code 0, and write what is expected and no more."""
    out = run_python(PRELUDE.replace("{name}", name) + program)
    assert (out.stdout, out.stderr) == (expected, ""), program


@both
@pytest.mark.parametrize("timeout", ["-1", "0.005", "600"])
@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "lock.release()"])
def test_daemon_threads_parked_at_exit(name: str, timeout: str, ending: str) -> None:
    """Also those whose time runs out, or whose turn comes, while the interpreter finalizes."""
    for _ in range(RUNS):
        run(
            name,
            f"""
def wait():
    while True:
        if lock.acquire(timeout={timeout}):
            lock.release()
        else:
            timed_out.add(threading.get_ident())

lock, timed_out = make(), set()
lock.acquire()
threads = [start(wait) for _ in range(6)]
if {timeout} == 0.005:
    wait_until(lambda: len(timed_out) == 6)
else:
    wait_until_asleep(*(thread.native_id for thread in threads))
{ending}
""",
        )


@both
def test_daemon_threads_contending_at_exit(name: str) -> None:
    """They are stopped anywhere: spinning, woken and not yet back, with the lock handed over."""
    for _ in range(RUNS):
        run(
            name,
            """
def contend():
    while True:
        with lock:
            counts[0] += 1
        lock.acquire(timeout=1e-5) and lock.release()

lock, counts = make(), [0]
for _ in range(6):
    start(contend)
wait_until(lambda: counts[0] >= 1000)
""",
        )


@both
@pytest.mark.parametrize(
    "place",
    [
        "at_the_end",
        "sys.at_the_end",
        "at_the_end.cycle",
        "sys.modules['other'].value",
        "local.value",
    ],
)
def test_a_wait_that_nobody_can_end_raises(name: str, place: str) -> None:
    """3.15 does so, too: see PythonFinalizationError. The versions before it hang there.

    That a timeout of a picosecond raises shows that it is rounded up to a wait, not down to a
    try.
    """
    run(
        name,
        f"""
class AtTheEnd:
    # By then the globals may be gone.
    def __init__(self):
        self.held, self.free = make(), make()
        start(self.held.acquire)
        wait_until(self.held.locked)

    def __del__(self, error=PythonFinalizationError, write=os.write):
        held, free = self.held, self.free
        for call in (held.acquire, held.__enter__, lambda: held.acquire(True, 600),
                     lambda: held.acquire(timeout=1e-12)):
            try:
                call()
            except error as exception:
                write(1, b"raised ")
            else:
                write(1, b"returned ")
        tries = held.acquire(False), held.acquire(timeout=0), held.locked()
        with free:
            inside = free.locked()
        results = *tries, inside, free.acquire(), free.release(), free.locked()
        write(1, f"{{results}}".encode())

at_the_end = AtTheEnd()
sys.modules["other"] = types.ModuleType("other")
local = threading.local()
{place} = at_the_end
if "{place}" not in ("at_the_end", "at_the_end.cycle"):
    del at_the_end
""",
        "raised " * 4 + "(False, False, True, True, True, None, False)",
    )


def test_restoring_an_rlock_that_nobody_releases_raises() -> None:
    """_acquire_restore() tries again whatever handlers raise, but not here."""
    run(
        "RLock",
        """
class AtTheEnd:
    def __init__(self):
        self.rlock = make()
        self.rlock.acquire()
        self.state = self.rlock._release_save()
        start(self.rlock.acquire)
        wait_until(self.rlock.locked)

    def __del__(self, error=PythonFinalizationError, write=os.write):
        try:
            self.rlock._acquire_restore(self.state)
        except error:
            write(1, f"{(self.rlock._is_owned(), self.rlock.locked())}".encode())

at_the_end = AtTheEnd()
""",
        "(False, True)",
    )


@both
def test_released_at_the_end_with_daemon_threads_waiting(name: str) -> None:
    """The lock is not handed to a thread that will never run: it can be had again at once."""
    for _ in range(RUNS):
        run(
            name,
            """
class AtTheEnd:
    def __init__(self):
        self.lock = lock = make()
        lock.acquire()
        threads = [start(lock.acquire) for _ in range(4)]
        wait_until_asleep(*(thread.native_id for thread in threads))

    def __del__(self, write=os.write):
        lock = self.lock
        lock.release()
        again = [(lock.acquire(False), lock.release()) for _ in range(3)]
        with lock:
            write(1, f"{(again, lock.locked())}".encode())

at_the_end = AtTheEnd()
""",
            f"({[(True, None)] * 3}, True)",
        )


@both
def test_atexit_comes_before_the_end(name: str) -> None:
    """Daemon threads still run then, and a wait for them is a wait like any other."""
    run(
        name,
        """
def hold():
    with lock:
        started.append(1)
        wait_until(lambda: ending)

@atexit.register
def at_exit():
    ending.append(1)
    with lock:
        print(lock.acquire(False) is (make is ftthreading.RLock))

lock, started, ending = make(), [], []
start(hold)
wait_until(lambda: started)
""",
        "True\n",
    )


@both
def test_non_daemon_threads_are_waited_for(name: str) -> None:
    run(
        name,
        """
def wait():
    with lock:
        print("done", flush=True)

def let_go():
    wait_until_asleep(waiting.native_id)
    ending.append(threading.main_thread())
    lock.acquire(False)
    gate.release()

lock, ending, gate = make(), [], ftthreading.Lock()
gate.acquire()

def hold():
    with lock:
        gate.acquire()

holding = threading.Thread(target=hold)
holding.start()
wait_until(lock.locked)
waiting = threading.Thread(target=wait)
waiting.start()
threading.Thread(target=let_go).start()
""",
        "done\n",
    )


@both
def test_garbage_of_the_end_uses_locks(name: str) -> None:
    """Finalizers of anything, run by the last collections, may use locks and drop held ones."""
    for _ in range(RUNS):
        run(
            name,
            """
class Node:
    def __init__(self):
        self.itself = self
        self.shared = shared
        self.lock = make()
        self.lock.acquire()
        self.reference = weakref.ref(self.lock, lambda _: None)

    def __del__(self, write=os.write):
        self.lock.release()
        with self.lock:
            pass
        self.lock.acquire()
        if self.shared.acquire(False):
            self.shared.release()
        write(1, b".")

shared = make()
shared.acquire()
for _ in range(3):
    start(shared.acquire)
nodes = [Node() for _ in range(100)]
""",
            "." * 100,
        )


def test_a_barrier_that_a_daemon_thread_waits_at_stays_alive() -> None:
    """3.14t deletes that thread's state, and with it all references that it does not count."""
    run(
        "Lock",
        """
class Box:
    pass

def cross(timeout):
    try:
        box.barrier.wait(timeout)
    except ftthreading.BrokenBarrierError:
        if not ready:
            box.barrier.reset()

def wait():
    for _ in range(200):  # so often that the interpreter has found its quickest way
        cross(0)
    ready.append(threading.get_native_id())
    cross(600)

class AtTheEnd:
    def __init__(self):
        self.box, self.barrier = box, weakref.ref(box.barrier)

    def __del__(self, collect=gc.collect, write=os.write):
        del self.box.barrier
        collect()
        write(1, b"alive" if self.barrier() is not None else b"freed")

ready, box = [], Box()
box.barrier = ftthreading.Barrier(2)
start(wait)
wait_until(lambda: ready)
wait_until_asleep(*ready)
sys.at_the_end = AtTheEnd()
""",
        "alive",
    )


@pytest.mark.parametrize("name", ["Lock", "RLock", "Event", "Semaphore", "Condition"])
def test_what_daemon_threads_wait_for_is_not_freed(name: str) -> None:
    """From 3.14 the only reference may be the interpreter's stack's, which is not counted.

    That stack is gone by then, and the thread still sleeps on the object's address.
    """
    run(
        name,
        """
def use(_):
    for _ in range(100):  # by many others: from then on references are counted lazily
        wait(0)

def wait(timeout):
    if make is ftthreading.Event:
        owner.it.wait(timeout)
    elif make is ftthreading.Condition:
        owner.it.acquire()
        owner.it.wait(timeout)
        owner.it.release()
    else:
        owner.it.acquire(timeout=timeout)

def wait_for_ever():
    for _ in range(100):  # until the interpreter knows a faster way to find the method
        wait(0)
    ready.append(True)
    wait(600)

class AtTheEnd:
    def __init__(self):
        self.owner, self.reference = owner, weakref.ref(owner.it)

    def __del__(self, write=os.write, collect=gc.collect):
        del self.owner.it
        collect()
        write(1, b"%r" % (self.reference() is not None))

class Owner:
    pass

owner, ready = Owner(), []
owner.it = make(0) if make is ftthreading.Semaphore else make()
if make in (ftthreading.Lock, ftthreading.RLock):
    owner.it.acquire()
run_threads(2, use)
waiting = start(wait_for_ever)
wait_until(lambda: ready)
wait_until_asleep(waiting.native_id)
sys.at_the_end = AtTheEnd()
""",
        "True",
    )
