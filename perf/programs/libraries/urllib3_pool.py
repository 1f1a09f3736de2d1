"""Eight threads that share one `urllib3` pool of four connections to a `ThreadingHTTPServer`."""

import urllib3
from measured import Program
from web import Clients, KeepAliveHandler, serving

REQUESTS = 130  # of each client
CONNECTIONS = 4


class PoolClients(Clients):
    """Clients that borrow a connection for each request, and wait for one where all are lent."""

    def __init__(self, port: int, requests: int) -> None:
        super().__init__(port, requests)
        self.pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", port, maxsize=CONNECTIONS, block=True, timeout=60, retries=False
        )

    def client(self, first: int) -> None:
        try:
            for number in range(first, first + self.requests):
                self.add(int(self.pool.request("GET", f"/{number}").data))
        except Exception as error:
            self.faults.append(repr(error))


def main() -> None:
    program = Program(__doc__)
    requests = max(1, round(REQUESTS * program.parse()))
    with serving(KeepAliveHandler) as port:
        clients = PoolClients(port, requests)
        with program.timed():
            clients.run()
        clients.pool.close()
    program.finish(clients.answer(), clients.faults)


if __name__ == "__main__":
    main()
