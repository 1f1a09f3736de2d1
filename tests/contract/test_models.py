"""Random calls on each primitive, with the interpreter's own as the model: what each comes to.

One thread, so no call may wait: what would is left out. A failure is shrunk to the shortest list of
calls that shows it. The lists are the same each time; with FTT_ROUNDS, new ones are tried.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import ftthreading
from tests.support.comparing import outcome

pytestmark = pytest.mark.thread_unsafe(reason="many examples, in which no other thread takes part")

ROUNDS = int(os.environ.get("FTT_ROUNDS", "0"))
SETTINGS = settings(
    max_examples=min(ROUNDS, 200) or 40,
    stateful_step_count=20,
    deadline=None,  # of an example: on a loaded machine it says nothing
    derandomize=not ROUNDS,
    database=None,
    phases=[Phase.generate, Phase.shrink],  # explaining takes a minute and says little
    suppress_health_check=[HealthCheck.too_slow],
)
Step = tuple[str, tuple[Any, ...]]


class Model(NamedTuple):
    """A primitive, how it is made, and what is called; what may wait is left out while it would."""

    kind: str
    arguments: st.SearchStrategy[tuple[Any, ...]]
    calls: dict[str, st.SearchStrategy[tuple[Any, ...]]]
    waiting: dict[str, st.SearchStrategy[tuple[Any, ...]]]
    would_wait: Callable[[Any], bool]
    seen: tuple[str, ...]
    """Attributes that are compared after each call; methods among them are called."""


def machine(model: Model) -> type[RuleBasedStateMachine]:
    """Return the state machine of one primitive."""

    def steps(calls: dict[str, st.SearchStrategy[tuple[Any, ...]]]) -> st.SearchStrategy[Step]:
        return st.one_of(*(st.tuples(st.just(name), args) for name, args in calls.items()))

    class Machine(RuleBasedStateMachine):
        pair: tuple[Any, ...] = ()

        def both(self, name: str, args: tuple[Any, ...]) -> None:
            theirs, ours = (outcome(getattr(one, name), *args) for one in self.pair)
            assert ours == theirs, (name, args)

        @initialize(arguments=model.arguments)
        def make(self, arguments: tuple[Any, ...]) -> None:
            self.pair = (made(threading, arguments), made(ftthreading, arguments))

        @rule(step=steps(model.calls))
        def call(self, step: Step) -> None:
            self.both(*step)

        if model.waiting:

            @rule(step=steps(model.waiting))
            def call_without_waiting(self, step: Step) -> None:
                if not model.would_wait(self.pair[0]):
                    self.both(*step)

        @invariant()
        def state(self) -> None:
            if self.pair:
                theirs, ours = (list(look(one)) for one in self.pair)
                assert ours == theirs

    def made(module: Any, arguments: tuple[Any, ...]) -> Any:
        own = (getattr(module, one)() if isinstance(one, str) else one for one in arguments)
        return getattr(module, model.kind)(*own)

    def look(one: Any) -> Any:
        for name in model.seen:
            value = getattr(one, name, "absent")
            yield name, value() if callable(value) else value
        yield re.sub(r"0x[0-9a-f]+|(_thread|(ft)?threading)\.\w+", "", repr(one))

    Machine.__name__ = model.kind
    return Machine


def args(*each: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return the first none, one, ... all of these."""
    return st.one_of(*(st.tuples(*each[:count]) for count in range(len(each) + 1)))


nothing = st.just(())
odd: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**63, -(2**63), 10**30]),
    st.sampled_from([float("nan"), float("inf"), float("-inf"), 0.5, -0.5, 1e300]),
    st.sampled_from(["1", b"", (), Decimal(1), Decimal("nan"), 1j]),
)
# What ends a wait at once, one way or another; with NaN the loops of threading never end.
past: st.SearchStrategy[Any] = st.one_of(
    st.integers(-3, 0), st.floats(-3, 0), st.sampled_from([-(2**63), Fraction(-1, 2)])
)
over = past | st.sampled_from(["1", b"", (), 1j])
not_for_ever = over.filter(lambda value: value != -1)  # which is what it means to acquire()
false: st.SearchStrategy[Any] = st.sampled_from([False, 0, "", None, ()])
exit_args = st.tuples(st.none(), st.none(), st.none())

acquire = {
    "acquire": st.one_of(
        st.tuples(false), st.tuples(false, odd), st.tuples(st.just(True), not_for_ever)
    )
}
acquire_waiting = {"acquire": args(odd, odd), "__enter__": nothing}
LOCK = Model(
    "Lock",
    nothing,
    {
        **acquire,
        "release": nothing,
        "locked": nothing,
        "__exit__": exit_args,
        "_at_fork_reinit": nothing,
    },
    acquire_waiting,
    lambda lock: bool(lock.locked()),
    ("locked",),
)
RLOCK = Model(
    "RLock",
    nothing,
    {
        "acquire": args(odd, odd),
        "__enter__": nothing,
        "release": nothing,
        "__exit__": exit_args,
        "_is_owned": nothing,
        "_at_fork_reinit": nothing,
    },
    {},
    lambda _: False,
    ("_is_owned", "_recursion_count"),
)
CONDITION = Model(
    "Condition",
    st.sampled_from([(), (None,), ("Lock",), ("RLock",)]),
    {
        **acquire,
        "release": nothing,
        "__exit__": exit_args,
        "_is_owned": nothing,
        "wait": st.tuples(past),
        "notify": args(odd),
        "notify_all": nothing,
        "wait_for": st.one_of(
            st.tuples(st.sampled_from([lambda: False, lambda: 0, lambda: 1 / 0]), past),
            st.tuples(st.sampled_from([lambda: True, lambda: "yes", None]), odd),
        ),
    },
    acquire_waiting,
    lambda condition: not condition.acquire(False) or bool(condition.release()),
    ("_is_owned",),
)
SEMAPHORE = Model(
    "Semaphore",
    args(st.integers(0, 3)),
    {**acquire, "release": args(st.integers(-2, 3)), "__exit__": exit_args},
    acquire_waiting,
    lambda semaphore: semaphore._value == 0,
    ("_value",),
)
EVENT = Model(
    "Event",
    nothing,
    {
        "set": nothing,
        "clear": nothing,
        "is_set": nothing,
        "isSet": nothing,
        "wait": st.tuples(past),
    },
    {"wait": args(st.none() | st.floats(allow_nan=False))},
    lambda event: not event.is_set(),
    ("is_set", "_flag"),
)


def raising() -> None:
    raise ZeroDivisionError("in the action")


BARRIER = Model(
    "Barrier",
    st.tuples(st.integers(1, 3), st.sampled_from([None, list, raising]), st.sampled_from([0, -1])),
    {"reset": nothing, "abort": nothing, "wait": args(past)},
    {},
    lambda _: False,
    ("parties", "n_waiting", "broken"),
)
MODELS = [
    LOCK,
    RLOCK,
    CONDITION,
    SEMAPHORE,
    SEMAPHORE._replace(kind="BoundedSemaphore"),
    EVENT,
    BARRIER,
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_random_calls_come_to_what_they_come_to_under_threading(model: Model) -> None:
    run_state_machine_as_test(machine(model), settings=SETTINGS)
