"""A service behind gunicorn's gthread worker, a process of eight threads, and its clients.

gunicorn has processes of its own: their processor time is all of it, from start to end.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator

import gunicorn.app.base
from measured import Program
from web import Clients, application

REQUESTS = 250  # of each client
THREADS = 8


class Server(gunicorn.app.base.BaseApplication):
    """gunicorn with one worker, on a socket that listens already."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        super().__init__()

    def load_config(self) -> None:
        self.cfg.set("bind", f"fd://{self.listener.fileno()}")
        self.cfg.set("worker_class", "gthread")
        self.cfg.set("threads", THREADS)
        self.cfg.set("keepalive", 60)
        self.cfg.set("loglevel", "critical")
        self.cfg.set("control_socket_disable", True)

    def load(self) -> object:
        return application


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """Serve on a free port of this host, which is yielded."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        child = os.fork()
        if not child:
            try:
                Server(listener).run()
            finally:
                os._exit(1)
        try:
            yield listener.getsockname()[1]
        finally:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)


def main() -> None:
    program = Program(__doc__)
    requests = max(1, round(REQUESTS * program.parse()))
    with serving() as port:
        Clients(port, 1).run()  # until it has started
        clients = Clients(port, requests)
        with program.timed():
            clients.run()
    program.add_children()
    program.finish(clients.answer(), clients.faults)


if __name__ == "__main__":
    main()
