"""The interpreter's own `threading`, before, between and after tests that change it."""

import threading
from collections.abc import Iterator

import pytest

import ftthreading

PLAIN = vars(threading).copy()
DIFFERING = [name for name in threading.__all__ if getattr(ftthreading, name) is not PLAIN[name]]


@pytest.fixture
def plain_threading() -> Iterator[None]:
    """Start and end with the interpreter's own threading."""
    assert all(getattr(threading, name) is PLAIN[name] for name in DIFFERING)
    PLAIN.update(vars(threading))
    yield
    ftthreading.uninstall()
    for name in [name for name in vars(threading) if name not in PLAIN]:
        delattr(threading, name)
    vars(threading).update(PLAIN)
