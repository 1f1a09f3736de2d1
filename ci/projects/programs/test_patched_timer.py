"""A Timer fires when somebody has patched Thread, as tracing libraries do."""

import threading
from unittest import mock

import pytest

SECONDS = 20.0


@pytest.fixture(params=["class", "mock", "opentelemetry", "sentry"])
def patched(request):
    """Patch Thread.run or Thread.start, by way of various libraries."""
    if request.param == "class":
        original = threading.Thread.run
        threading.Thread.run = lambda self: original(self)
        yield
        threading.Thread.run = original
    elif request.param == "mock":
        original = threading.Thread.run
        with mock.patch.object(threading.Thread, "run", autospec=True, side_effect=original):
            yield
    elif request.param == "opentelemetry":
        module = pytest.importorskip("opentelemetry.instrumentation.threading")
        instrumentor = module.ThreadingInstrumentor()
        instrumentor.instrument()
        yield
        instrumentor.uninstrument()
    else:
        sdk = pytest.importorskip("sentry_sdk")
        from sentry_sdk.integrations.threading import ThreadingIntegration

        start, run = threading.Thread.start, threading.Thread.run
        sdk.init(integrations=[ThreadingIntegration()], default_integrations=False)
        yield
        sdk.get_client().close()
        threading.Thread.start, threading.Thread.run = start, run


def test_timer(patched):
    fired = threading.Event()
    timer = threading.Timer(0.01, fired.set)
    timer.start()
    assert fired.wait(SECONDS)
    timer.join(SECONDS)


def test_thread(patched):
    ran = []
    thread = threading.Thread(target=ran.append, args=(1,))
    thread.start()
    thread.join(SECONDS)
    assert ran == [1]


def test_subclass(patched):
    ran = []

    class Mine(threading.Thread):
        def run(self):
            ran.append(threading.current_thread() is self)

    mine = Mine()
    mine.start()
    mine.join(SECONDS)
    assert ran == [True]
