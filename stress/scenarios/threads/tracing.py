"""settrace() and setprofile(): which threads' calls they see."""

from __future__ import annotations

import _thread
import sys
import sysconfig
import time
from types import FrameType
from typing import Any, ClassVar

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor

RACY = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14)
"""The interpreter crashes when the trace function of a running thread is set."""
PATIENCE = 10.0
"""Seconds within which a thread that runs makes its next call."""


def mark() -> None:
    """Be called, so that who traces calls sees it."""


class Traced(Scenario):
    """Shared: a function for settrace or setprofile, that counts the calls of `mark`."""

    core = False
    subjects = "Thread settrace setprofile"
    requires: ClassVar = frozenset({"settrace", "setprofile", "gettrace", "getprofile"})
    max_threads = 8
    # It forks nothing. But where children go on, nemeses leave the trace functions alone, of
    # which there is one for all.
    forks = True

    def setup(self) -> None:
        self.kind = self.rng.choice(("trace", "profile"))
        self.calls: list[int] = []
        self.before = self.target.gettrace(), self.target.getprofile()

    def look(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "call" and frame.f_code is mark.__code__:
            self.calls.append(_thread.get_ident())

    def call(self, name: str, *arguments: object) -> Any:
        """Call settrace or setprofile, or one of their kin."""
        return getattr(self.target, name.replace("trace", self.kind))(*arguments)

    def restore(self) -> None:
        self.target.settrace(self.before[0])
        self.target.setprofile(self.before[1])


class TraceReachesNewThreads(Traced):
    """What settrace() or setprofile() was given is called in threads that start afterwards."""

    def setup(self) -> None:
        super().setup()
        self.call("settrace", self.look)
        self.expected = 0

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            ran: list[int] = []
            found: list[object] = []

            def work(ran: list[int] = ran, found: list[object] = found) -> None:
                found.append(getattr(sys, f"get{self.kind}")())
                ran.append(len(self.calls_here()))
                mark()
                ran.append(len(self.calls_here()))

            thread = self.target.Thread(target=work)
            thread.start()
            thread.join()
            if found != [self.look]:
                raise OracleFailure("traced", f"set{self.kind}() has not reached a new thread")
            if ran[1] == ran[0]:
                me.saw("lost by the interpreter")  # while it changes the code of what is running
            elif ran[1] - ran[0] != 1:
                raise OracleFailure("traced", f"set{self.kind}() saw {ran[1] - ran[0]} of 1 call")
            if self.call("gettrace") != self.look:
                raise OracleFailure("get", f"get{self.kind}() is not what was set")
            me.did("thread")

    def calls_here(self) -> list[int]:
        here = _thread.get_ident()
        return [ident for ident in self.calls.copy() if ident == here]

    def arbiter(self) -> str:
        here = len(self.calls)
        mark()
        if len(self.calls) != here:
            raise OracleFailure("traced", f"set{self.kind}() reached a thread that ran before")
        self.restore()
        thread = self.target.Thread(target=mark)
        thread.start()
        thread.join()
        if len(self.calls) != here:
            raise OracleFailure("traced", f"set{self.kind}(None) has not ended it")
        return "done"


class TraceReachesAllThreads(Traced):
    """settrace_all_threads() and setprofile_all_threads() reach threads that run already."""

    outcomes: ClassVar = {"done": ACCEPTABLE, "crashes CPython": ACCEPTABLE}
    requires: ClassVar = frozenset({*Traced.requires, "settrace_all_threads"})

    def setup(self) -> None:
        super().setup()
        self.set = False

    @actor(MANY)
    def runner(self, me: Actor) -> None:
        seen = self.call_from_thread(me) if me.index % 2 else self.wait_for_call(me)
        if not seen:
            raise OracleFailure("traced", f"set{self.kind}_all_threads() has not reached a thread")

    def call_from_thread(self, me: Actor) -> bool:
        found: list[bool] = []
        thread = self.target.Thread(target=lambda: found.append(self.wait_for_call(me)))
        thread.start()
        thread.join()
        return found == [True]

    def wait_for_call(self, me: Actor) -> bool:
        """Return whether calls here are seen, within PATIENCE from when that was asked for."""
        deadline = None
        while not RACY and _thread.get_ident() not in self.calls:
            if self.set and deadline is None:
                deadline = time.monotonic() + PATIENCE
            if deadline is not None and time.monotonic() > deadline:
                return False
            mark()
            time.sleep(0)
            me.did("call")
        return True

    @actor()
    def setter(self, me: Actor) -> None:
        me.pause()
        if not RACY:
            self.call("settrace_all_threads", self.look)
            self.set = True
            if self.call("gettrace") != self.look:
                raise OracleFailure("get", f"get{self.kind}() is not what was set")
        me.did("set")

    def arbiter(self) -> str:
        if RACY:
            return "crashes CPython"
        found: list[object] = []
        ask = getattr(sys, f"get{self.kind}")
        thread = self.target.Thread(target=lambda: found.append(ask()))
        thread.start()
        thread.join()
        if found != [self.look]:
            raise OracleFailure("traced", f"set{self.kind}_all_threads() is not for new threads")
        self.call("settrace_all_threads", None)
        self.restore()
        before = len(self.calls)
        mark()
        if len(self.calls) != before:
            raise OracleFailure("traced", f"set{self.kind}_all_threads(None) has not ended it")
        return "done"
