"""perf/instruments/shapes.py: a loop reaches its primitives where the shape says, no more."""

import dis
import itertools
import types
from collections.abc import Callable
from typing import Any

import pytest

from perf.cases import contended_workloads, handoff_workloads
from perf.cases.handoff import BY_ID
from perf.instruments.implementations import Implementation
from perf.instruments.shapes import Home
from perf.results.case import APART, ATTRIBUTE, CLOSURE, CONTAINER, DICT, GLOBAL, LOCAL, SHARED


class Recorder:
    """A primitive that tells what is done to it."""

    def __init__(self, name: str, told: list[str]) -> None:
        self._name = name
        self._told = told

    def acquire(self) -> None:
        self._told.append(f"{self._name}.acquire")

    def release(self) -> None:
        self._told.append(f"{self._name}.release")


def both_ways(shape: str, told: list[str]) -> list[Any]:
    """Return two threads' loops over two primitives, each in its own direction."""
    home = Home(shape, {name: Recorder(name, told) for name in ("one", "two")})
    ways = (("one", "two"), ("two", "one"))
    return [
        home.job(handoff_workloads.pass_on, {"mine": mine, "other": other}, rounds=2)
        for mine, other in ways
    ]


def used(job: Callable[..., Any], opcode: str) -> set[Any]:
    """Return what the loop uses by instructions of that kind, joined ones included."""
    code: types.CodeType = job.func.__code__  # type: ignore[attr-defined]
    found = [each.argval for each in dis.get_instructions(code) if each.opname.startswith(opcode)]
    parts = [each if isinstance(each, tuple) else (each,) for each in found]
    return set(itertools.chain.from_iterable(parts))


@pytest.mark.parametrize("shape", [*SHARED, *APART])
def test_a_loop_does_the_same_in_every_shape(shape: str) -> None:
    told: list[str] = []
    there, back = both_ways(shape, told)
    there()
    assert told == ["one.acquire", "two.release"] * 2
    told.clear()
    back()
    assert told == ["two.acquire", "one.release"] * 2


def test_a_shape_keeps_primitives_where_it_says() -> None:
    for shape in (*SHARED, *APART):
        for job in both_ways(shape, []):
            assert ("one" in used(job, "LOAD_ATTR")) is (shape == ATTRIBUTE), shape
            assert ("self" in used(job, "LOAD_FAST")) is (shape == ATTRIBUTE), shape
            assert ("one" in used(job, "LOAD_GLOBAL")) is (shape == GLOBAL), shape
            assert ("one" in used(job, "LOAD_DEREF")) is (shape == CLOSURE), shape
            assert ("shared" in used(job, "LOAD_FAST")) is (shape in (DICT, CONTAINER)), shape
            kept = shape in (LOCAL, DICT, *APART)
            assert ("mine" in used(job, "LOAD_FAST")) is kept, shape


def test_threads_share_the_place_itself() -> None:
    def place(job: Any, shape: str) -> Any:
        loop = job.func
        if shape == GLOBAL:
            return loop.__globals__
        if shape == CLOSURE:
            cells = dict(zip(loop.__code__.co_freevars, loop.__closure__, strict=True))
            return cells["one"]
        return job.keywords["self" if shape == ATTRIBUTE else "shared"]

    for shape in (ATTRIBUTE, GLOBAL, CLOSURE, DICT, CONTAINER):
        there, back = both_ways(shape, [])
        assert place(there, shape) is place(back, shape), shape
        assert place(both_ways(shape, [])[0], shape) is not place(there, shape), shape
    assert not set(vars(handoff_workloads)) & {"one", "two"}


@pytest.mark.parametrize("shape", [*SHARED, *APART])
def test_threads_have_one_primitive_or_one_each(shape: str) -> None:
    made: list[Recorder] = []

    def make() -> Recorder:
        made.append(Recorder("lock", []))
        return made[-1]

    module = types.SimpleNamespace(Lock=make)
    side = Implementation("recorded", module)
    jobs: Any = contended_workloads.WORKLOADS["lock", "with"](side, 0, 3, shape)[0]
    assert len(made) == (1 if shape in SHARED else 3)
    assert len({job.func.__code__ for job in jobs}) == 1  # threads run the same code
    if shape == CONTAINER:
        assert [job.keywords["lock"] for job in jobs] == [0, 1, 2]
        assert jobs[0].keywords["shared"] == made
    if shape in (LOCAL, "private"):
        assert {job.keywords["lock"] for job in jobs} == set(made)


def test_every_handoff_names_its_shape() -> None:
    for name, handoff in BY_ID.items():
        assert name.endswith(f" {handoff.shape}")
    usual = {each.case.primitive for each in handoff_workloads.HANDOFFS if each.shape == ATTRIBUTE}
    assert usual == {"lock", "semaphore", "event", "condition", "barrier"}
