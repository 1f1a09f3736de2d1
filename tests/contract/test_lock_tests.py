"""CPython's own tests of the primitives (`test.lock_tests`), run on ours.

They come with the interpreter and fit its version. What they take for granted is the contract
of a drop-in.
"""

import warnings
from typing import Any

import pytest

import ftthreading

lock_tests: Any = pytest.importorskip(
    "test.lock_tests",
    reason="this interpreter comes without the `test` package (distributions split it off)",
)

pytestmark = pytest.mark.thread_unsafe(
    reason="test.lock_tests counts the threads of the whole process"
)


class TestLock(lock_tests.LockTests):
    locktype = staticmethod(ftthreading.Lock)


class TestRLock(lock_tests.RLockTests):
    locktype = staticmethod(ftthreading.RLock)

    def test_arguments_are_the_subclass_affair(self):  # gh-102029
        class Named(ftthreading.RLock):
            def __init__(self, name, *, color):
                super().__init__()
                self.name = name, color

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert Named("a", color="b").name == ("a", "b")


class TestConditionAsRLock(lock_tests.RLockTests):
    """A condition offers the methods of its lock, which is an RLock if none is given."""

    locktype = staticmethod(ftthreading.Condition)

    if hasattr(lock_tests.RLockTests, "test_constructor_noargs"):  # from 3.15 on

        def test_constructor_noargs(self):
            self.skipTest("a condition takes an argument: its lock")

    def test_recursion_count(self):
        self.skipTest("a condition does not offer _recursion_count(), neither does threading's")


class TestEvent(lock_tests.EventTests):
    eventtype = staticmethod(ftthreading.Event)


class TestCondition(lock_tests.ConditionTests):
    condtype = staticmethod(ftthreading.Condition)


class TestSemaphore(lock_tests.SemaphoreTests):
    semtype = staticmethod(ftthreading.Semaphore)


class TestBoundedSemaphore(lock_tests.BoundedSemaphoreTests):
    semtype = staticmethod(ftthreading.BoundedSemaphore)


class TestBarrier(lock_tests.BarrierTests):
    barriertype = staticmethod(ftthreading.Barrier)


def test_every_class_is_run():
    ours = {base for cls in globals().values() if isinstance(cls, type) for base in cls.__bases__}
    offered = {cls for name, cls in vars(lock_tests).items() if name.endswith("Tests")}
    assert offered - ours == {lock_tests.BaseLockTests, lock_tests.BaseSemaphoreTests}
