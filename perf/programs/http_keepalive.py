"""Clients of a `ThreadingHTTPServer` that keep their connections: a thread for each client."""

from measured import Program
from web import Clients, KeepAliveHandler, serving

REQUESTS = 500  # of each client


def main() -> None:
    program = Program(__doc__)
    requests = max(1, round(REQUESTS * program.parse()))
    with serving(KeepAliveHandler) as port:
        clients = Clients(port, requests)
        with program.timed():
            clients.run()
    program.finish(clients.answer(), clients.faults)


if __name__ == "__main__":
    main()
