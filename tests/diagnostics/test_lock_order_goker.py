"""Bugs of real programs that take locks in a wrong order, and programs that only look like them.

The bugs are those of GoBench's GoKer (Yuan et al., CGO 2021) whose kind is "AB-BA deadlock",
"double locking" or "RWR deadlock": real bugs of Go programs, rebuilt here from their descriptions.
None of them deadlocks here: threads run one after the other, as they nearly always do in a
program, too, or, where a thread waits for itself, the report ends it.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import ftthreading
from ftthreading import Condition, Lock, RLock
from ftthreading.diagnostics import LockOrder, lock_order

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="watches all locks of the process"),
]


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


# AB-BA: function, what the report has to name (threads, functions).


def cockroach_7504() -> None:
    """Release() locks the lease and then the cache of names, AcquireByName() the other way."""

    class LeaseState:
        def __init__(self) -> None:
            self.mu = Lock()

    class TableNameCache:
        def __init__(self, lease: LeaseState) -> None:
            self.mu = Lock()
            self.lease = lease

        def get(self) -> None:
            with self.mu:
                with self.lease.mu:
                    pass

        def remove(self) -> None:
            with self.mu:
                pass

    class LeaseManager:
        def __init__(self) -> None:
            self.lease = LeaseState()
            self.names = TableNameCache(self.lease)

        def acquire_by_name(self) -> None:
            self.names.get()

        def release(self) -> None:
            with self.lease.mu:
                self.names.remove()

    manager = LeaseManager()
    in_thread("by name", manager.acquire_by_name)
    in_thread("releaser", manager.release)


def cockroach_10214() -> None:
    """Heartbeats are queued under raftMu and coalescedMu, and sent under coalescedMu and raftMu."""

    class Store:
        def __init__(self) -> None:
            self.coalesced_mu = Lock()
            self.replica: Replica | None = None

        def send_queued_heartbeats(self) -> None:
            with self.coalesced_mu:
                assert self.replica is not None
                self.replica.report_unreachable()

    class Replica:
        def __init__(self, store: Store) -> None:
            self.raft_mu = Lock()
            self.store = store

        def report_unreachable(self) -> None:
            with self.raft_mu:
                pass

        def tick(self) -> None:
            with self.raft_mu:
                self.maybe_coalesce_heartbeat()

        def maybe_coalesce_heartbeat(self) -> None:
            with self.store.coalesced_mu:
                pass

    store = Store()
    store.replica = Replica(store)
    in_thread("sender", store.send_queued_heartbeats)
    in_thread("ticker", store.replica.tick)


def kubernetes_13135() -> None:
    """Cacher locks itself and fills its watch cache; an event locks that and tells the cacher."""

    class WatchCache:
        def __init__(self) -> None:
            self.mu = RLock()
            self.on_event: Callable[[], None] = lambda: None

        def replace(self) -> None:
            with self.mu:
                pass

        def add(self) -> None:
            with self.mu:
                self.on_event()

    class Cacher:
        def __init__(self) -> None:
            self.mu = Lock()
            self.watch_cache = WatchCache()
            self.watch_cache.on_event = self.process_event

        def start_caching(self) -> None:
            with self.mu:
                self.watch_cache.replace()

        def process_event(self) -> None:
            with self.mu:
                pass

    cacher = Cacher()
    in_thread("reflector", cacher.start_caching)
    in_thread("events", cacher.watch_cache.add)


def kubernetes_30872() -> None:
    """A queue's Condition and an informer's lock; the wait takes the first one back."""

    class Informer:
        def __init__(self) -> None:
            self.mu = RLock()
            self.changed = Condition()
            self.ready = False

        def target(self) -> None:
            with self.mu, self.changed:
                self.ready = True
                self.changed.notify_all()

        def deliver(self) -> None:
            with self.changed:
                self.changed.wait_for(lambda: self.ready)
                with self.mu:
                    pass

    informer = Informer()
    in_thread("target", informer.target)
    in_thread("deliverer", informer.deliver)


def moby_4951() -> None:
    """The lock of a device is taken before that of all devices, or after it."""

    class DeviceSet:
        def __init__(self) -> None:
            self.lock = Lock()
            self.info = Lock()

        def delete(self) -> None:
            with self.lock:
                with self.info:
                    pass

        def wait_close(self) -> None:
            with self.info:
                with self.lock:
                    pass

    devices = DeviceSet()
    in_thread("deleter", devices.delete)
    in_thread("closer", devices.wait_close)


def hugo_3251() -> None:
    """A lock for each URL, which is released under the lock of the table of them."""

    class RemoteLock:
        def __init__(self) -> None:
            self.table = Lock()
            self.urls: dict[str, Lock] = {}

        def url_lock(self, url: str) -> None:
            with self.table:
                self.urls.setdefault(url, Lock()).acquire()

        def url_unlock(self, url: str) -> None:
            with self.table:
                self.urls[url].release()

    remote = RemoteLock()
    for name in ("one", "another"):
        in_thread(name, lambda: remote.url_lock("/"), lambda: remote.url_unlock("/"))


# RWR: a reader that reads once more, while a writer waits for it and holds readers up.


def cockroach_3710() -> None:
    """ForceRaftLogScanAndProcess() reads; RaftStatus(), deep below it, wants to read again."""
    mu = RWLock()

    def process_raft() -> None:
        mu.lock()
        mu.unlock()

    def force_raft_log_scan() -> None:
        mu.rlock()
        raft_status()
        mu.runlock()

    def raft_status() -> None:
        mu.rlock()
        mu.runlock()

    in_thread("raft", process_raft)
    in_thread("scanner", force_raft_log_scan)


def kubernetes_62464() -> None:
    """GetCPUSetOrDefault() reads under the lock and calls GetCPUSet(), which does so, too."""

    class StateMemory:
        def __init__(self) -> None:
            self.rw = RWLock()

        def get_cpu_set_or_default(self) -> None:
            self.rw.rlock()
            self.get_cpu_set()
            self.rw.runlock()

        def get_cpu_set(self) -> None:
            self.rw.rlock()
            self.rw.runlock()

        def set_default_cpu_set(self) -> None:
            self.rw.lock()
            self.rw.unlock()

    state = StateMemory()
    in_thread("reconcile", state.get_cpu_set_or_default)
    in_thread("remove", state.set_default_cpu_set)


INVERSIONS = {
    cockroach_7504: ['"by name"', '"releaser"', "TableNameCache.get", "TableNameCache.remove"],
    cockroach_10214: ['"sender"', '"ticker"', "report_unreachable", "maybe_coalesce_heartbeat"],
    kubernetes_13135: ['"reflector"', '"events"', "WatchCache.replace", "Cacher.process_event"],
    kubernetes_30872: ['"target"', '"deliverer"', "Informer.target", "Informer.deliver"],
    moby_4951: ['"deleter"', '"closer"', "DeviceSet.delete", "DeviceSet.wait_close"],
    hugo_3251: ['"one"', "RemoteLock.url_lock", "RemoteLock.url_unlock"],
    cockroach_3710: ['"raft"', '"scanner"', "RWLock.lock", "RWLock.rlock", "raft_status"],
    kubernetes_62464: ['"reconcile"', '"remove"', "RWLock.lock", "StateMemory.get_cpu_set"],
}


@pytest.mark.parametrize("bug", INVERSIONS, ids=lambda bug: bug.__name__)
def test_inversions_are_found(bug: Callable[[], None]) -> None:
    reader = Reader()
    with lock_order(file=reader) as order:
        bug()
    assert order.inversions
    assert all(each.certain for each in order.inversions)
    for name in INVERSIONS[bug]:
        assert name in reader.text
    assert "lock order inversion of 2 locks" in reader.text
    assert reader.text.count(f"{__file__.rpartition('/')[2]}:") >= 6


# Double locking.


def cockroach_9935() -> None:
    """outputLogEntry() has the lock when it fails, and calls exit(), which takes it."""

    class Logging:
        def __init__(self) -> None:
            self.mu = Lock()

        def output_log_entry(self) -> None:
            with self.mu:
                self.exit()

        def exit(self) -> None:
            with self.mu:
                pass

    in_thread("logger", Logging().output_log_entry)


def hugo_5379() -> None:
    """The initialisation of a page's content runs under a lock, and asks for the page's words."""

    class Page:
        def __init__(self) -> None:
            self.content_init_mu = Lock()

        def init_content(self) -> None:
            with self.content_init_mu:
                self.word_count()

        def word_count(self) -> None:
            with self.content_init_mu:
                pass

    in_thread("renderer", Page().init_content)


def moby_36114() -> None:
    """Disks are removed under the lock of the machine, by a function that takes it."""

    class ServiceVM:
        def __init__(self) -> None:
            self.lock = Lock()

        def hot_add_at_start(self) -> None:
            with self.lock:
                self.hot_remove_at_start()

        def hot_remove_at_start(self) -> None:
            with self.lock:
                pass

    in_thread("starter", ServiceVM().hot_add_at_start)


def syncthing_4829() -> None:
    """A mapping that is removed under its lock is cleared by what takes the lock."""

    class Mapping:
        def __init__(self) -> None:
            self.mut = Lock()

        def clear_addresses(self) -> None:
            with self.mut:
                self.remove_address()

        def remove_address(self) -> None:
            with self.mut:
                pass

    in_thread("nat", Mapping().clear_addresses)


def etcd_10492() -> None:
    """A lessor's checkpoint is called under its lock, as a callback that takes it."""

    class Lessor:
        def __init__(self) -> None:
            self.changed = Condition(Lock())
            self.checkpointer: Callable[[], None] = self.checkpoint

        def renew(self) -> None:
            with self.changed:
                self.checkpointer()

        def checkpoint(self) -> None:
            with self.changed:
                pass

    in_thread("lease", Lessor().renew)


DOUBLE = {
    cockroach_9935: ['"logger"', "Logging.output_log_entry", "Logging.exit"],
    hugo_5379: ['"renderer"', "Page.init_content", "Page.word_count"],
    moby_36114: ['"starter"', "hot_add_at_start", "hot_remove_at_start"],
    syncthing_4829: ['"nat"', "Mapping.clear_addresses", "Mapping.remove_address"],
    etcd_10492: ['"lease"', "Lessor.renew", "Lessor.checkpoint"],
}


@pytest.mark.parametrize("bug", DOUBLE, ids=lambda bug: bug.__name__)
def test_double_locking_is_told_before_the_wait(bug: Callable[[], None]) -> None:
    reader = Reader()
    with lock_order(file=reader) as order:
        bug()
    (found,) = order.inversions
    assert found.certain
    assert "ftthreading: deadlock of one thread with itself" in reader.text
    for name in DOUBLE[bug]:
        assert name in reader.text


def moby_17176() -> None:
    """deleteDevices() returns early with the lock when there is nothing to delete."""

    class DeviceSet:
        def __init__(self) -> None:
            self.lock = Lock()
            self.deleted = 0

        def cleanup_deleted_devices(self) -> None:
            self.lock.acquire()
            if self.deleted == 0:
                return
            self.lock.release()

    devices = DeviceSet()
    in_thread("cleaner", devices.cleanup_deleted_devices, devices.cleanup_deleted_devices)


def grpc_795() -> None:
    """GracefulStop() takes the lock; the way out that Stop() takes forgets to release it."""

    class Server:
        def __init__(self) -> None:
            self.mu = Lock()
            self.connections: list[object] | None = None

        def graceful_stop(self) -> None:
            self.mu.acquire()
            if self.connections is None:
                return
            self.mu.release()

        def stop(self) -> None:
            self.mu.acquire()
            self.mu.release()

    server = Server()
    in_thread("stopper", server.graceful_stop, server.stop)


@pytest.mark.parametrize("bug", [moby_17176, grpc_795], ids=lambda bug: bug.__name__)
def test_a_forgotten_release_is_possible_and_why(bug: Callable[[], None]) -> None:
    reader = Reader()
    with lock_order(file=reader) as order:
        bug()
    (found,) = order.inversions
    assert not found.certain
    assert "possible deadlock of one thread with itself" in reader.text
    assert "released by any thread" in " ".join(reader.text.split())


# Programs that only look like it.


def gate() -> None:
    """Both orders, but always under one more lock."""
    gate, a, b = Lock(), Lock(), Lock()

    def there() -> None:
        with gate, a, b:
            pass

    def back() -> None:
        with gate, b, a:
            pass

    in_thread("there", there)
    in_thread("back", back)


def sorted_by_id() -> None:
    """Transfers between accounts of a list, which lock the two in the order of their id()."""
    accounts = [Lock() for _ in range(6)]

    def transfer(i: int, k: int) -> None:
        first, second = sorted((accounts[i], accounts[k]), key=id)
        with first, second:
            pass

    for name in ("one", "two"):
        pairs = [(i, k) for i in range(6) for k in range(6) if i != k]
        in_thread(name, *[partial(transfer, i, k) for i, k in pairs])


def try_and_back_off() -> None:
    """Who has one lock only tries the other, and begins anew if somebody has it."""
    a, b = Lock(), RLock()

    def careful(first: Lock | RLock, second: Lock | RLock) -> None:
        while True:
            with first:
                if second.acquire(blocking=False):
                    second.release()
                    return

    in_thread("there", lambda: careful(a, b))
    in_thread("back", lambda: careful(b, a))


def with_a_timeout() -> None:
    """Whoever does not get the second lock in time gives up."""
    a, b = Lock(), Lock()

    def patient(first: Lock, second: Lock) -> None:
        with first:
            if second.acquire(timeout=60):
                second.release()

    in_thread("there", lambda: patient(a, b))
    in_thread("back", lambda: patient(b, a))


def signal() -> None:
    """A Lock that says "done": taken twice by one thread, released by another."""
    done, state = Lock(), Lock()
    done.acquire()

    def work() -> None:
        with state:
            done.release()

    thread = threading.Thread(target=work)
    with state:
        thread.start()
    done.acquire()
    with state:
        done.release()
    thread.join()


def reentrance() -> None:
    """An RLock that is taken once more under another lock."""
    a, b = RLock(), Lock()

    def again() -> None:
        with a, b, a:
            pass

    in_thread("one", again)
    in_thread("two", again)


def readers_and_writers() -> None:
    """The first reader takes the room, another one, the last, releases it."""
    lock = RWLock()
    lock.rlock()
    in_thread("second", lock.rlock)
    lock.runlock()
    in_thread("last", lock.runlock)
    lock.lock()
    lock.unlock()
    lock.rlock()
    lock.runlock()


def hand_over_hand() -> None:
    """A list whose elements are locked one by one, the next before the last is released."""
    elements = [Lock() for _ in range(20)]

    def walk() -> None:
        elements[0].acquire()
        for before, after in itertools.pairwise(elements):
            after.acquire()
            before.release()
        elements[-1].release()

    in_thread("one", walk)
    in_thread("two", walk)


def wait_in_order() -> None:
    """A Condition whose lock is taken back while an outer lock is held, always in this order."""
    outer, inner = RLock(), Condition()

    def wait() -> None:
        with outer, inner:
            inner.wait(0.001)

    in_thread("one", wait)
    in_thread("two", wait)


def pools_queues_and_logs() -> None:
    """What the interpreter's library does with locks of ours."""
    ftthreading.install()
    try:
        handler = logging.NullHandler()
        logger = logging.Logger("goker")
        logger.addHandler(handler)
        q: queue.Queue[int] = queue.Queue(2)

        def put(i: int) -> None:
            q.put(i)
            logger.warning("put %d", i)

        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(put, i) for i in range(100)]
            assert sorted(q.get() for _ in done) == list(range(100))
            for each in done:
                each.result()
    finally:
        ftthreading.uninstall()


LOOKALIKES = [
    gate,
    sorted_by_id,
    try_and_back_off,
    with_a_timeout,
    signal,
    reentrance,
    readers_and_writers,
    hand_over_hand,
    wait_in_order,
    pools_queues_and_logs,
]


@pytest.mark.parametrize("program", LOOKALIKES, ids=lambda program: program.__name__)
def test_correct_programs_are_left_alone(program: Callable[[], None]) -> None:
    with lock_order(quiet=True) as order:
        program()
    assert order.inversions == ()


def found_in(program: Callable[[], None]) -> LockOrder:
    with lock_order(quiet=True) as order:
        program()
    return order


def test_the_gate_must_be_around_both() -> None:
    gate, a, b = Lock(), Lock(), Lock()

    def there() -> None:
        with gate, a, b:
            pass

    def back() -> None:
        with gate, b, a:
            pass

    def back_again() -> None:
        with b, a:
            pass

    def program() -> None:
        in_thread("there", there)
        in_thread("back", back)
        in_thread("again", back_again)

    (found,) = found_in(program).inversions
    assert '"again"' in found.text
    assert '"there"' in found.text
