"""redis: pools under many threads, and a thread that listens, against a small server of ours."""

import queue
import socketserver
import threading

import pytest
from running import SECONDS, from_threads, until

redis = pytest.importorskip("redis")

STORE: dict[bytes, bytes] = {}
SUBSCRIBERS: list[object] = []
LOCK = threading.Lock()


def bulk(value):
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(size + 2)[:-2])
            self.wfile.write(self.answer(words[0].upper(), words[1:]))

    def answer(self, command, words):
        with LOCK:
            if command == b"PING":
                return b"+PONG\r\n"
            if command == b"SET":
                if b"NX" in words and words[0] in STORE:
                    return b"$-1\r\n"
                STORE[words[0]] = words[1]
            if command == b"GET":
                return bulk(STORE.get(words[0]))
            if command == b"INCRBY":
                STORE[words[0]] = b"%d" % (int(STORE.get(words[0], b"0")) + int(words[1]))
                return b":%s\r\n" % STORE[words[0]]
            if command in (b"SUBSCRIBE", b"UNSUBSCRIBE"):
                channels = words or [b"news"]
                if command == b"SUBSCRIBE":
                    SUBSCRIBERS.append(self.wfile)
                return b"*3\r\n" + bulk(command.lower()) + bulk(channels[0]) + b":1\r\n"
            if command == b"PUBLISH":
                for each in SUBSCRIBERS:
                    each.write(b"*3\r\n" + bulk(b"message") + bulk(words[0]) + bulk(words[1]))
                return b":%d\r\n" % len(SUBSCRIBERS)
        return b"+OK\r\n"


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


@pytest.fixture
def port():
    STORE.clear()
    SUBSCRIBERS.clear()
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(SECONDS)


@pytest.mark.parametrize("kind", ["ConnectionPool", "BlockingConnectionPool"])
def test_threads_share_a_pool(kind, port):
    limit = {"max_connections": 3, "timeout": SECONDS} if kind.startswith("Block") else {}
    pool = getattr(redis, kind)(host="127.0.0.1", port=port, protocol=2, **limit)
    client = redis.Redis(connection_pool=pool)
    from_threads(12, lambda _: [client.incr("n") for _ in range(20)])
    assert client.get("n") == b"240"
    client.close()
    pool.disconnect()


def test_a_thread_listens(port):
    client = redis.Redis(host="127.0.0.1", port=port, protocol=2)
    heard = queue.Queue()
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(news=heard.put)
    thread = listener.run_in_thread(sleep_time=0.01, daemon=True)
    until(lambda: SUBSCRIBERS, "it listens")
    client.publish("news", "one")
    client.publish("news", "two")
    assert [heard.get(timeout=SECONDS)["data"] for _ in range(2)] == [b"one", b"two"]
    thread.stop()
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_a_pool_without_a_free_connection(port):
    pool = redis.BlockingConnectionPool(
        host="127.0.0.1", port=port, protocol=2, max_connections=1, timeout=0.05
    )
    held = pool.get_connection()
    with pytest.raises(redis.ConnectionError):
        pool.get_connection()
    pool.release(held)
    pool.release(pool.get_connection())
    pool.disconnect()
