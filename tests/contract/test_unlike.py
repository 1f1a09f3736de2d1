"""Bad arguments that random calls found, and shrunk: those that end alike, and the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import ftthreading
from tests.support.comparing import outcome

Call = Callable[[Any], object]


class Boastful(int):
    """Says that it is more than 0, whatever it is."""

    def __gt__(self, other: object) -> bool:
        return True


ALIKE: dict[str, Call] = {
    "event, far in the past": lambda module: module.Event().wait(-(2**63)),
    "semaphore, far in the past": lambda module: module.Semaphore(0).acquire(True, -(2**63)),
    "barrier, far in the past": lambda module: module.Barrier(1).wait(-(2**63)),
    "event, a decimal": lambda module: module.Event().wait(Decimal(0)),
    "event, more than 0 by its word": lambda module: module.Event().wait(Boastful(-5)),
    "semaphore, more than 0 by its word": lambda module: module.Semaphore(0).acquire(
        True, Boastful(-5)
    ),
    "condition, not acquired": lambda module: module.Condition().wait("1"),
}
# Each is in docs/differences.md.
UNLIKE: dict[str, tuple[Call, type[Exception]]] = {
    "barrier, no timeout for the last": (lambda module: module.Barrier(1).wait("1"), TypeError),
    "semaphore, no decimal": (
        lambda module: module.Semaphore(0).acquire(True, Decimal("nan")),
        ArithmeticError,
    ),
    "barrier of 0.0": (lambda module: module.Barrier(0.0), TypeError),
    "barrier of 2.0": (lambda module: module.Barrier(2.0).parties, TypeError),
}


@pytest.mark.parametrize("call", ALIKE)
def test_it_ends_as_under_threading(call: str) -> None:
    assert outcome(ALIKE[call], ftthreading) == outcome(ALIKE[call], threading)


@pytest.mark.parametrize("name", UNLIKE)
def test_it_ends_otherwise(name: str) -> None:
    call, error = UNLIKE[name]
    with pytest.raises(error):
        call(ftthreading)
    assert outcome(call, ftthreading) != outcome(call, threading)
