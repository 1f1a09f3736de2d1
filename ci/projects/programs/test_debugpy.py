"""debugpy: a debugged program with threads is seen, paused and goes on."""

import contextlib
import json
import socket

import pytest
from running import SECONDS, free_port, python, running, until

pytest.importorskip("debugpy")

PROGRAM = """
import threading, time
go = threading.Event()
def work(number):
    global done
    go.wait()
    with lock:
        done += 1  # here
lock, done = threading.Lock(), 0
threads = [threading.Thread(target=work, args=(n,), name=f"worker {n}") for n in range(3)]
for thread in threads: thread.start()
go.set()
for thread in threads: thread.join()
print("done", done, flush=True)
"""


class Client:
    """Speaks the debug adapter protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.file = self.socket.makefile("rb")
        self.number = 0
        self.events = []

    def send(self, command, **arguments):
        self.number += 1
        message = {"seq": self.number, "type": "request", "command": command}
        body = json.dumps(message | {"arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self.number

    def read(self):
        size = 0
        while (line := self.file.readline()) != b"\r\n":
            assert line, "the adapter is gone"
            if line.lower().startswith(b"content-length:"):
                size = int(line.partition(b":")[2])
        return json.loads(self.file.read(size))

    def answer(self, number):
        while True:
            message = self.read()
            if message["type"] == "event":
                self.events.append(message)
            elif message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body")

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def event(self, name):
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event.get("body", {})
            message = self.read()
            if message["type"] == "event":
                self.events.append(message)


def test_breakpoint_in_threads(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    port = free_port()
    line = 1 + PROGRAM.splitlines().index("        done += 1  # here")
    options = ["--listen", f"127.0.0.1:{port}", "--wait-for-client"]
    with running(*python(), "-m", "debugpy", *options, str(script)) as child:
        client = None

        def connected():
            nonlocal client
            with contextlib.suppress(OSError):
                client = Client(port)
            return client

        until(connected, "it listens")
        client.ask("initialize", adapterID="test", pathFormat="path")
        attach = client.send("attach", justMyCode=False)
        client.event("initialized")
        client.ask("setBreakpoints", source={"path": str(script)}, breakpoints=[{"line": line}])
        client.ask("configurationDone")
        client.answer(attach)
        for _ in range(3):
            stopped = client.event("stopped")
            assert stopped["reason"] == "breakpoint"
            frames = client.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"]
            assert frames[0]["line"] == line
            names = [each["name"] for each in client.ask("threads")["threads"]]
            assert "MainThread" in names
            client.ask("continue", threadId=stopped["threadId"])
        client.event("terminated")
        assert child.wait(SECONDS) == 0
