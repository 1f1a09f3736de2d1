"""Bugs of GoKer in which a thread waits for itself: double locking, and forgotten releases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftthreading import Condition, Lock
from ftthreading.diagnostics import lock_order
from tests.diagnostics.lock_order.goker import Reader, in_thread

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="watches all locks of the process"),
]


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
