"""waitress: serve from threads, then SIGTERM or SIGINT."""

import signal

import pytest
from running import SECONDS, answers, free_port, from_threads, get, python, running, until

SERVE = "import sys, application, waitress; waitress.serve(application.app, port=int(sys.argv[1]))"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -15), (signal.SIGINT, 0)])
def test_serve_then_signal(number, code):
    port = free_port()
    with running(*python(), "-c", SERVE, str(port)) as child:
        until(lambda: answers(port), "it serves")
        assert from_threads(40, lambda _: get(port)) == [(200, b"served")] * 40
        assert from_threads(2, lambda _: get(port, "/pair")) == [(200, b"met")] * 2
        child.send_signal(number)
        assert child.wait(SECONDS) == code
