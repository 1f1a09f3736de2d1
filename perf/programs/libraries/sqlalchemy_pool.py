"""Twelve clients that check connections to SQLite out of SQLAlchemy's `QueuePool` of four."""

import sqlite3
import threading

from measured import Program
from sqlalchemy.pool import QueuePool

CLIENTS = 12
CONNECTIONS = 4
STEPS = 3_000  # of each client


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE visit (number INTEGER)")
    return connection


class Clients:
    """Clients whose visits are counted by the connections they get."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.pool = QueuePool(connect, pool_size=CONNECTIONS, max_overflow=0, timeout=60)
        self.faults: list[str] = []

    def client(self, first: int) -> None:
        try:
            for number in range(first, first + self.steps):
                connection = self.pool.connect()
                try:
                    cursor = connection.cursor()
                    cursor.execute("INSERT INTO visit VALUES (?)", (number,))
                    connection.commit()
                finally:
                    connection.close()
        except Exception as error:
            self.faults.append(repr(error))

    def run(self) -> None:
        threads = [
            threading.Thread(target=self.client, args=(i * self.steps,)) for i in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def visits(self) -> list[int]:
        """Return what is in all connections' databases, in order."""
        connections = [self.pool.connect() for _ in range(self.pool.checkedin())]
        found: list[int] = []
        for connection in connections:
            cursor = connection.cursor()
            found += [row[0] for row in cursor.execute("SELECT number FROM visit")]
        for connection in connections:
            connection.close()
        return sorted(found)


def main() -> None:
    program = Program(__doc__)
    clients = Clients(max(1, round(STEPS * program.parse())))
    with program.timed():
        clients.run()

    visits = clients.visits()
    count = CLIENTS * clients.steps
    if visits != list(range(count)):
        clients.faults.append(f"{len(visits)} visits, not those of {count} steps")
    program.finish(f"{len(visits)} visits, sum {sum(visits)}", clients.faults)


if __name__ == "__main__":
    main()
