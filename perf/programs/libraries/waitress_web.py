"""A service behind waitress, which hands requests to eight threads, and its clients."""

import contextlib
import logging
import threading
from collections.abc import Iterator

import waitress
import waitress.wasyncore
from measured import Program
from web import Clients, application

REQUESTS = 250  # of each client
THREADS = 8
LOOK_SECONDS = 0.01  # how often the server looks whether it is to stop


class Server:
    """waitress, in a thread of its own, until it is told to stop."""

    def __init__(self) -> None:
        self.sockets: dict[int, object] = {}
        self.server = waitress.create_server(
            application, map=self.sockets, host="127.0.0.1", port=0, threads=THREADS
        )
        self.stopping = threading.Event()

    def serve(self) -> None:
        while not self.stopping.is_set():
            waitress.wasyncore.loop(LOOK_SECONDS, use_poll=True, map=self.sockets, count=1)
        self.server.task_dispatcher.shutdown()
        waitress.wasyncore.close_all(self.sockets)

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """Serve on a free port of this host, which is yielded."""
        thread = threading.Thread(target=self.serve)
        thread.start()
        try:
            yield self.server.effective_port
        finally:
            self.stopping.set()
            thread.join()


def main() -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of each queued request
    program = Program(__doc__)
    requests = max(1, round(REQUESTS * program.parse()))
    with Server().serving() as port:
        clients = Clients(port, requests)
        with program.timed():
            clients.run()
    program.finish(clients.answer(), clients.faults)


if __name__ == "__main__":
    main()
