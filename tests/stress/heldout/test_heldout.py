"""What the harness is measured by: each bug is there, and the control has none of them."""

from __future__ import annotations

import queue
import sys
from types import ModuleType

import pytest

from stress.targets.heldout.building import CONTROL, NoBug, bugs, build
from tests.support import SECONDS
from tests.support.forking import marks

from . import primitives, queues, threads
from .demonstrations import Patience, shows

DEMONSTRATIONS = (primitives, queues, threads)  # they fill `shows`
pytestmark = marks


@pytest.mark.parametrize("name", [CONTROL, *bugs()])
def test_each_is_built_from_this_interpreter_s_source(name: str) -> None:
    if name == "fork_native_id_of_the_parent" and sys.version_info < (3, 13, 4):
        pytest.skip("this interpreter has the bug itself")
    module = build(name)
    assert isinstance(module, ModuleType)
    assert module is not build(name)


def test_the_control_has_all_names() -> None:
    module, real = build(CONTROL), sys.modules["threading"]
    words = {word for word in vars(real) if not word.startswith("_")} - {"warnings"}
    words |= {"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "ThreadPoolExecutor", "Future"}
    words |= {"as_completed", "wait_futures", "ALL_COMPLETED", "FIRST_COMPLETED"}
    words |= {"FIRST_EXCEPTION", "CancelledError", "TimeoutError"}
    assert not {word for word in words if not hasattr(module, word)}
    assert (module.Empty, module.Full, module.ShutDown) == (queue.Empty, queue.Full, queue.ShutDown)
    assert module.Condition is not vars(real)["Condition"]


def test_there_are_enough_of_them_and_each_says_what_it_is() -> None:
    assert len(bugs()) >= 42
    assert all(bug.title and bug.issue and bug.area for bug in bugs().values())
    assert {*shows} == {*bugs()}


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(NoBug):
        build("nothing of this name")


@pytest.mark.once
@pytest.mark.parametrize("name", shows)
def test_the_bug_is_there_and_not_in_the_control(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shows[name](build(name))
    monkeypatch.setattr(Patience, "seconds", SECONDS)
    assert not shows[name](build(CONTROL))
