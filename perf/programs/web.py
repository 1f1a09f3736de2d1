"""A service that squares numbers, and the clients that ask it: for the programs that serve HTTP."""

import contextlib
import http.client
import http.server
import threading
from collections.abc import Callable, Iterator

CLIENTS = 8


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /N with the square of N."""

    disable_nagle_algorithm = True  # headers and body are two writes: it would wait 40 ms between

    def do_GET(self) -> None:
        body = b"%d" % int(self.path[1:]) ** 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class KeepAliveHandler(Handler):
    """The same, for many requests a connection."""

    protocol_version = "HTTP/1.1"


class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection, all of which end with the server."""

    daemon_threads = False
    request_queue_size = 128  # a connection that finds the queue full tries again after a second


@contextlib.contextmanager
def serving(handler: type[Handler]) -> Iterator[int]:
    """Serve on a free port of this host, which is yielded."""
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def application(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
    """Answer the same as a WSGI application."""
    body = b"%d" % int(environ["PATH_INFO"][1:]) ** 2
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


class Clients:
    """Threads that ask for squares and check them."""

    def __init__(self, port: int, requests: int, keep_alive: bool = True) -> None:
        self.port = port
        self.requests = requests  # of each client
        self.keep_alive = keep_alive
        self.lock = threading.Lock()
        self.total = 0
        self.faults: list[str] = []

    def ask(self, connection: http.client.HTTPConnection, number: int) -> int:
        connection.request("GET", f"/{number}")
        return int(connection.getresponse().read())

    def client(self, first: int) -> None:
        """Ask for the squares of numbers that no other client asks for."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            for number in range(first, first + self.requests):
                square = self.ask(connection, number)
                if not self.keep_alive:
                    connection.close()
                self.add(square)
        except Exception as error:
            self.faults.append(repr(error))
        finally:
            connection.close()

    def add(self, square: int) -> None:
        with self.lock:
            self.total += square

    def run(self) -> None:
        threads = [
            threading.Thread(target=self.client, args=(i * self.requests,)) for i in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def answer(self) -> str:
        """Say what was received; the sum is checked against one that no server made."""
        count = CLIENTS * self.requests
        right = sum(number * number for number in range(count))
        if self.total != right:
            self.faults.append(f"the sum is {self.total}, not {right}")
        return f"{count} requests, sum {self.total}"
