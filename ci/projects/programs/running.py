"""For the programs: start an interpreter as these tests were started, and end it by a signal."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

SECONDS = 20.0


def python() -> list[str]:
    """Return the command of an interpreter that runs on the same `threading` as this one."""
    ours = sys.modules.get("ftthreading")
    launched = ours is not None and threading.Lock is ours.Lock
    return [sys.executable, "-m", "ftthreading"] if launched else [sys.executable]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(ready: Callable[[], object], what: str) -> None:
    """Wait until `ready()` is true. Raises AssertionError."""
    deadline = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextlib.contextmanager
def running(*command: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program meanwhile; it and all it has started are killed at the end."""
    child = subprocess.Popen(command, env=os.environ | variables, start_new_session=True)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def get(port: int, path: str = "/") -> tuple[int, bytes]:
    """Ask an HTTP server for something."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def answers(port: int) -> bool:
    """Whether a server listens there."""
    try:
        return get(port)[0] == 200
    except OSError:
        return False


def from_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """Call `work(number)` in as many threads, and return what it returned, in their order."""
    results: list[object] = [None] * count

    def one(number: int) -> None:
        results[number] = work(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return results
