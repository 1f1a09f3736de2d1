"""Move money between accounts in an SQLite file through a small pool of connections.

A `BoundedSemaphore` counts the free connections: more clients than connections, so most
clients wait for one. Clients look at balances often and transfer now and then. SQLite has
one writer at a time and waits for it by polling, so writers take turns on a lock instead.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import pathlib
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

CLIENTS = 12
CONNECTIONS = 4
ACCOUNTS = 200
OPENING = 1000  # balance of each account
STEPS = 16000  # of each client
READS_PER_TRANSFER = 4

Transfer = tuple[int, int, int]  # from, to, amount


class Pool:
    """A fixed number of connections, handed out one client at a time each."""

    def __init__(self, path: pathlib.Path, size: int) -> None:
        self._free = threading.BoundedSemaphore(size)
        self._idle = collections.deque(open_database(path) for _ in range(size))

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; wait for one if all are lent."""
        with self._free:
            connection = self._idle.pop()  # IndexError here: more holders than connections
            try:
                yield connection
            finally:
                self._idle.append(connection)

    def close(self) -> None:
        """Close all connections; none may be lent."""
        for connection in self._idle:
            connection.close()


def open_database(path: pathlib.Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # The threads are measured here, not the disk.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def create(path: pathlib.Path) -> None:
    connection = open_database(path)
    with contextlib.closing(connection):
        connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER)")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO account VALUES (?, ?)", [(i, OPENING) for i in range(ACCOUNTS)]
        )
        connection.execute("COMMIT")


def plan(client: int, steps: int) -> list[Transfer]:
    """Return the client's transfers; amounts of zero are steps that only look."""
    chance = random.Random(client)
    transfers = []
    for step in range(steps):
        source, target = chance.sample(range(ACCOUNTS), 2)
        looks = step % (READS_PER_TRANSFER + 1) != 0
        transfers.append((source, target, 0 if looks else chance.randint(1, 50)))
    return transfers


def serve(pool: Pool, writing: threading.Lock, transfers: list[Transfer]) -> None:
    for source, target, amount in transfers:
        if not amount:
            with pool.connection() as connection:
                connection.execute(
                    "SELECT balance FROM account WHERE id IN (?, ?)", (source, target)
                ).fetchall()
            continue
        with pool.connection() as connection, writing:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "UPDATE account SET balance = balance - ? WHERE id = ?", (amount, source)
            )
            connection.execute(
                "UPDATE account SET balance = balance + ? WHERE id = ?", (amount, target)
            )
            connection.execute("COMMIT")


def run(path: pathlib.Path, plans: list[list[Transfer]]) -> list[str]:
    """Serve all clients; return what went wrong in any of them."""
    pool = Pool(path, CONNECTIONS)
    writing = threading.Lock()
    faults: list[str] = []

    def client(transfers: list[Transfer]) -> None:
        try:
            serve(pool, writing, transfers)
        except Exception as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=client, args=(transfers,)) for transfers in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    return faults


def expected(plans: list[list[Transfer]]) -> list[int]:
    """Return all balances after the transfers, made by one thread in memory."""
    balances = [OPENING] * ACCOUNTS
    for transfers in plans:
        for source, target, amount in transfers:
            balances[source] -= amount
            balances[target] += amount
    return balances


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    scale = parser.parse_args().scale
    if scale <= 0:
        parser.error("--scale must be positive")

    plans = [plan(client, max(5, round(STEPS * scale))) for client in range(CLIENTS)]
    with tempfile.TemporaryDirectory(prefix="pool-") as folder:
        path = pathlib.Path(folder, "bank.sqlite")
        create(path)
        cpu = time.process_time()
        begin = time.perf_counter()
        faults = run(path, plans)
        seconds = time.perf_counter() - begin
        cpu = time.process_time() - cpu
        with contextlib.closing(open_database(path)) as connection:
            rows = connection.execute("SELECT balance FROM account ORDER BY id").fetchall()
    balances = [row[0] for row in rows]
    if sum(balances) != ACCOUNTS * OPENING:
        faults.append(f"the sum is {sum(balances)}, not {ACCOUNTS * OPENING}")
    if balances != expected(plans):
        faults.append("the balances differ from those of one thread")
    if faults:
        print(f"pool: {len(faults)} faults: {'; '.join(faults[:5])}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(repr(balances).encode()).hexdigest()[:16]
    steps = sum(len(transfers) for transfers in plans)
    answer = f"{steps} steps, sum {sum(balances)}, {digest}"
    found = {"program": "pool", "answer": answer, "seconds": seconds, "cpu": cpu}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
