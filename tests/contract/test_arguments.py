"""Random arguments of each constructor: what `threading` takes is taken, what it refuses refused.

A failure is shrunk to the simplest arguments that show it; see test_models.py for calls.
"""

from __future__ import annotations

import threading
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import ftthreading
from tests.contract.test_models import SETTINGS
from tests.support.comparing import outcome

pytestmark = pytest.mark.thread_unsafe(reason="many examples, in which no other thread takes part")

# The names of each constructor's parameters, and what of it can be seen then.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Lock": ((), ()),
    "RLock": ((), ()),
    "Event": ((), ("_flag",)),
    "Condition": (("lock",), ()),
    "Semaphore": (("value",), ("_value",)),
    "BoundedSemaphore": (("value",), ("_value", "_initial_value")),
    "Barrier": (("parties", "action", "timeout"), ("parties", "n_waiting", "broken")),
    "Thread": (
        ("group", "target", "name", "args", "kwargs", "daemon"),
        ("daemon", "ident", "native_id", "_target", "_args", "_kwargs"),
    ),
    "Timer": (
        ("interval", "function", "args", "kwargs"),
        ("interval", "function", "args", "kwargs"),
    ),
}
values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([2**61 - 1, -(2**63), 10**30]),
    st.sampled_from([0.0, -0.5, 2.0, float("inf")]),
    st.sampled_from(["", "name", b"x", (), (1,), {}, {"a": 1}, [], 1j]),
    st.sampled_from([Decimal(1), Fraction(1, 2), print, object, threading.Lock(), range(2)]),
)


def made(module: Any, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    one = getattr(module, kind)(*args, **kwargs)
    return tuple(getattr(one, name, "absent") for name in KINDS[kind][1])


@pytest.mark.parametrize("kind", KINDS)
def test_constructors_take_what_those_of_threading_take(kind: str) -> None:
    names = KINDS[kind][0]
    keywords = st.dictionaries(st.sampled_from([*names, "unknown"]), values, max_size=3)

    @SETTINGS
    @given(st.lists(values, max_size=len(names) + 1).map(tuple), keywords)
    def alike(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        number = {"value", "parties"} & set(names)  # in whole numbers here: docs/differences.md
        first = [*args[:1], *map(kwargs.get, number & set(kwargs))]
        assume(not number or all(isinstance(one, int) and one < 2**61 for one in first))
        theirs = outcome(made, threading, kind, args, kwargs)
        assert outcome(made, ftthreading, kind, args, kwargs) == theirs

    alike()
