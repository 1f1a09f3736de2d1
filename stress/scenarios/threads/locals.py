"""What each thread has for itself: its values in a local, and a stack of the size that was set."""

from __future__ import annotations

import _thread
import ctypes
import sys
from typing import Any, ClassVar

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor
from .endings import Value
from .registry import soon


class LocalsApart(Scenario):
    """Each thread has its own values in a local, made for it anew, and freed when it ends."""

    core = False
    subjects = "local"
    requires: ClassVar = frozenset({"local"})
    max_threads = 16

    def setup(self) -> None:
        made: list[tuple[int, str, int]] = []
        self.made = made

        class Sub(self.target.local):  # type: ignore[name-defined,misc]  # known when it is run
            shared = "of the class"

            def __init__(self, word: str, *, number: int) -> None:
                made.append((_thread.get_ident(), word, number))
                self.word = word

        self.plain = self.target.local()
        self.sub: Any = Sub("word", number=7)
        self.plain.value = self.sub.value = "main"
        self.wrong: list[str] = []
        self.freed: list[int] = []

    def check(self, right: bool, wrong: str) -> None:
        if not right:
            self.wrong.append(wrong)

    def work(self, me: Actor, mine: object, twice: list[int]) -> None:
        for kind, local in (("local", self.plain), ("subclass", self.sub)):
            self.check(not hasattr(local, "value"), f"a new thread sees a value in a {kind}")
            local.value = mine
            local.freed = Value(lambda: self.freed.append(1))
        self.check(self.sub.word == "word" and self.sub.shared == "of the class", "lost in init")
        self.sub.word = mine
        for _ in range(5):
            me.pause()
            same = self.plain.value is mine and self.sub.value is mine and self.sub.word is mine
            self.check(same, "a thread does not see its own value")
        del self.plain.value
        self.check(not hasattr(self.plain, "value"), "a deleted value is there")
        self.check(set(vars(self.sub)) == {"word", "value", "freed"}, "__dict__ has other names")
        twice.append(1)

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            ended: list[int] = []
            thread = self.target.Thread(target=self.work, args=(me, object(), ended))
            thread.start()
            thread.join()
            self.check(bool(ended), "a thread has failed")
            me.did("thread")

    def arbiter(self) -> str:
        if self.wrong:
            raise OracleFailure("apart", self.wrong[0])
        threads = 3 * self.threads
        if (self.plain.value, self.sub.value, self.sub.word) != ("main", "main", "word"):
            raise OracleFailure("apart", "the main thread's values have changed")
        if len(self.made) != threads + 1 or {made[1:] for made in self.made} != {("word", 7)}:
            raise OracleFailure("init", f"{threads + 1} threads made {self.made}")
        if not soon(lambda: len(self.freed) == 2 * threads):
            raise OracleFailure("freed", f"{len(self.freed)} of {2 * threads} values were freed")
        return "done"


def stack_bytes() -> int | None:
    """Return the size of this thread's stack, where the system says it."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(256)
    self = libc.pthread_self
    self.restype = ctypes.c_void_p
    if not hasattr(libc, "pthread_getattr_np"):
        return None
    if libc.pthread_getattr_np(ctypes.c_void_p(self()), attributes):
        return None
    size, address = ctypes.c_size_t(), ctypes.c_void_p()
    libc.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size))
    libc.pthread_attr_destroy(attributes)
    return size.value


class StackSizeApplied(Scenario):
    """stack_size() returns what was set before, refuses what is too small, and is applied."""

    core = False
    subjects = "Thread stack_size"
    requires: ClassVar = frozenset({"stack_size"})
    max_threads = 8

    def setup(self) -> None:
        self.before = self.target.stack_size(0)
        self.last = 0

    @actor()
    def setter(self, me: Actor) -> None:
        for _ in range(4):
            last = self.last
            size = me.rng.randrange(144, 512) * 2**16  # more than there is without
            if (told := self.target.stack_size(size)) != last:
                raise OracleFailure("old", f"it was {last}, and is said to have been {told}")
            self.refuse(me.rng.choice((1, 4095, me.rng.randrange(1, 32768), 32767)))
            self.last = size
            found: list[int | None] = []
            thread = self.target.Thread(target=lambda: found.append(stack_bytes()))  # noqa: B023
            thread.start()
            thread.join()
            # The system may round it, not count the page that guards it, and reuse a larger one.
            if found[0] is not None and found[0] < size - 2**16:
                raise OracleFailure("applied", f"{size} bytes were wanted, there are {found[0]}")
            me.did("size")

    def refuse(self, size: int) -> None:
        try:
            self.target.stack_size(size)
        except ValueError:
            return
        raise OracleFailure("refused", f"stack_size({size}) did not raise ValueError")

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            told: list[int] = []
            thread = self.target.Thread(target=told.append, args=(1,))
            thread.start()
            thread.join()
            if told != [1]:
                raise OracleFailure("runs", "a thread has not run")
            me.did("thread")

    def arbiter(self) -> str:
        told = self.target.stack_size()  # which sets it to 0, too
        if told != self.last or self.target.stack_size(self.before) != 0:
            raise OracleFailure("old", f"it was {self.last}, and is said to have been {told}")
        return "done"
