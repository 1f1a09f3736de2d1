"""Bugs of real programs that take locks in a wrong order, and programs that only look like them.

The bugs are those of GoBench's GoKer (Yuan et al., CGO 2021) whose kind is "AB-BA deadlock",
"double locking" or "RWR deadlock": real bugs of Go programs, rebuilt here from their descriptions.
None of them deadlocks here: threads run one after the other, as they nearly always do in a
program, too, or, where a thread waits for itself, the report ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ftthreading import Condition, Lock, RLock
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.goker import Reader, RWLock, in_thread

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="watches all locks of the process"),
]


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
    assert len(re.findall(r"goker\w*\.py:\d", reader.text)) >= 6
