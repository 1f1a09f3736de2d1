"""psycopg_pool: many threads and its workers, over connections that connect to nothing."""

import sys
import threading
import types
from enum import IntEnum

import pytest
from running import SECONDS, from_threads

psycopg = types.ModuleType("psycopg")
psycopg.__version__ = "3.3.0"
psycopg.errors = types.ModuleType("psycopg.errors")
psycopg.pq = types.ModuleType("psycopg.pq")


class OperationalError(Exception):
    pass


class Status(IntEnum):
    IDLE, ACTIVE, INTRANS, INERROR, UNKNOWN = range(5)


class Connection:
    """As much of a connection as the pool looks at."""

    made = 0
    counting = threading.Lock()

    def __init__(self):
        self.pgconn = types.SimpleNamespace(transaction_status=Status.IDLE)
        self.autocommit, self._pool, self.users = True, None, 0
        self.closed = False

    @classmethod
    def __class_getitem__(cls, _):
        return cls

    @classmethod
    def connect(cls, *_, **__):
        with cls.counting:
            cls.made += 1
        return cls()

    def execute(self, _):
        pass

    def commit(self):
        pass

    def rollback(self):
        self.pgconn.transaction_status = Status.IDLE

    def close(self):
        self.closed = True
        self.pgconn.transaction_status = Status.UNKNOWN

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


psycopg.errors.OperationalError = OperationalError
psycopg.errors.ConnectionTimeout = OperationalError
for name in ("InterfaceError", "ProgrammingError", "DatabaseError", "Error"):
    setattr(psycopg.errors, name, OperationalError)
    setattr(psycopg, name, OperationalError)
psycopg.OperationalError = OperationalError
psycopg.pq.TransactionStatus = Status
psycopg.Connection, psycopg.AsyncConnection = Connection, type("AsyncConnection", (Connection,), {})
for each in (psycopg, psycopg.errors, psycopg.pq):
    sys.modules[each.__name__] = each

from psycopg_pool import ConnectionPool, NullConnectionPool, PoolTimeout


@pytest.mark.parametrize("kind", [ConnectionPool, NullConnectionPool])
def test_threads_share_connections(kind):
    low = 0 if kind is NullConnectionPool else 2
    pool = kind("", connection_class=Connection, min_size=low, max_size=4, open=True)

    def use(number):
        for _ in range(50):
            with pool.connection(SECONDS) as connection:
                connection.users += 1
                assert connection.users == 1
                connection.users -= 1
        return number

    assert from_threads(12, use) == list(range(12))
    stats = pool.get_stats()
    assert 0 < stats["requests_num"] <= 600  # counted by `+=` without a lock: some can be lost
    assert "requests_errors" not in stats
    pool.close(SECONDS)
    assert pool.closed


def test_no_connection_in_time():
    pool = ConnectionPool("", connection_class=Connection, min_size=1, max_size=1, open=True)
    with pool.connection(SECONDS):
        with pytest.raises(PoolTimeout):
            pool.getconn(timeout=0.05)
        waiting = threading.Thread(target=lambda: pool.putconn(pool.getconn(timeout=SECONDS)))
        waiting.start()
    waiting.join(SECONDS)
    assert not waiting.is_alive()
    pool.close(SECONDS)


def test_wait_and_broken_connections_are_replaced():
    pool = ConnectionPool("", connection_class=Connection, min_size=2, open=True)
    pool.wait(SECONDS)
    made = Connection.made
    connection = pool.getconn(SECONDS)
    connection.close()
    pool.putconn(connection)
    pool.wait(SECONDS)
    assert pool.getconn(SECONDS).closed is False
    assert pool.getconn(SECONDS).closed is False
    assert Connection.made > made
    pool.close(SECONDS)
