"""gunicorn's gthread worker: serve, then SIGTERM."""

import signal

import pytest
from running import SECONDS, answers, free_port, from_threads, get, python, running, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["late", "preload"])
def test_serve_then_signal(number, preload):
    port = free_port()
    options = ["-k", "gthread", "-w", "1", "--threads", "4", "-b", f"127.0.0.1:{port}", *preload]
    with running(*python(), "-m", "gunicorn", *options, "application:app") as child:
        until(lambda: answers(port), "it serves")
        assert from_threads(40, lambda _: get(port)) == [(200, b"served")] * 40
        assert from_threads(2, lambda _: get(port, "/pair")) == [(200, b"met")] * 2
        child.send_signal(number)
        assert child.wait(SECONDS) == 0
    assert not answers(port)


def test_workers_are_replaced():
    """--max-requests ends a worker while its threads serve."""
    port = free_port()
    options = ["-k", "gthread", "-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}"]
    options += ["--max-requests", "50"]
    with running(*python(), "-m", "gunicorn", *options, "application:app") as child:
        until(lambda: answers(port), "it serves")
        served = sum(answers(port) for _ in range(300))
        assert served > 250  # a connection may be lost to a worker that ends
        child.send_signal(signal.SIGTERM)
        assert child.wait(SECONDS) == 0
