"""Clients of a `ThreadingHTTPServer`, one request a connection: a thread for each request."""

from measured import Program
from web import Clients, Handler, serving

REQUESTS = 60  # of each client


def main() -> None:
    program = Program(__doc__)
    requests = max(1, round(REQUESTS * program.parse()))
    with serving(Handler) as port:
        clients = Clients(port, requests, keep_alive=False)
        with program.timed():
            clients.run()
    program.finish(clients.answer(), clients.faults)


if __name__ == "__main__":
    main()
