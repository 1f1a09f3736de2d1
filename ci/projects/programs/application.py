"""A WSGI application that counts under a lock, and meets another request at a barrier."""

import threading

lock = threading.Lock()
barrier = threading.Barrier(2)
count = 0


def app(environ, start_response):
    global count
    with lock:
        count += 1
    body = b"served"
    if environ["PATH_INFO"] == "/pair":
        barrier.wait(30)
        body = b"met"
    if environ["PATH_INFO"] == "/count":
        body = str(count).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
