"""Hooks: who is told of uncaught exceptions, and of the calls that threads make."""

from __future__ import annotations

import _thread
import sys
import sysconfig
import time
from collections import Counter
from types import FrameType, TracebackType
from typing import Any, ClassVar

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor

RACY = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14)
"""The interpreter crashes when the trace function of a running thread is set."""
PATIENCE = 10.0
"""Seconds within which a thread that runs makes its next call."""


class Own(Exception):
    """What threads raise here; `key` tells which."""

    def __init__(self, key: tuple[int, int]) -> None:
        super().__init__(key)
        self.key = key


class Page:
    """Takes the place of standard error."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        self.parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def text(self) -> str:
        return "".join(self.parts)


class Uncaught(Scenario):
    """Shared: what is replaced for a round, and threads that raise."""

    subjects = "Thread excepthook"
    requires: ClassVar = frozenset({"excepthook"})
    min_rounds = 2
    max_threads = 16

    def setup(self) -> None:
        self.before = self.target.excepthook, sys.excepthook, sys.stderr
        self.page = Page()
        self.raised: list[tuple[int, int]] = []
        self.told: list[tuple[type[BaseException], Any, bool, Any]] = []
        sys.stderr = self.page  # as much of it as is used

    def hook(self, args: Any) -> None:
        """Take the place of excepthook."""
        here = args.thread is self.target.current_thread()
        whole = args.exc_traceback is not None and here
        key = getattr(args.exc_value, "key", getattr(args.exc_value, "code", None))
        self.told.append((args.exc_type, key, whole, args.thread))

    def fail(self, kind: type[BaseException], key: tuple[int, int]) -> None:
        self.raised.append(key)
        raise kind(key)

    def run(self, me: Actor, k: int, kind: type[BaseException]) -> Any:
        """Return a thread that has raised, and has ended all the same."""
        thread = self.target.Thread(
            target=self.fail, args=(kind, (me.index, k)), name=f"fails {me.index} {k}"
        )
        thread.start()
        me.pause()
        thread.join()
        if thread.is_alive():
            raise OracleFailure("end", "is_alive() is true after join()")
        me.did(kind.__name__)
        return thread

    def restore(self) -> None:
        self.target.excepthook, sys.excepthook, sys.stderr = self.before

    def arbiter(self) -> str:
        self.restore()
        self.judge()
        return "done"

    def judge(self) -> None:
        """Look at what was told."""
        once = Counter(key for _, key, _, _ in self.told)
        for key in self.raised:
            if once[key] != 1:
                raise OracleFailure("once", f"excepthook was called {once[key]} times, not once")
        for kind, _, whole, thread in self.told:
            if not whole:
                raise OracleFailure("args", f"excepthook's thread or traceback is wrong: {thread}")
            if kind is not Own and kind is not SystemExit:
                raise OracleFailure("args", f"excepthook was told of a {kind.__name__}")
        if text := self.page.text():
            raise OracleFailure("quiet", f"standard error got {text[:300]!r}", text)


class ExcepthookOnce(Uncaught):
    """Each uncaught exception comes to excepthook once, in its thread, and nobody else tells it."""

    def setup(self) -> None:
        super().setup()
        # The hook is looked up when it is needed, not when the thread is made.
        self.made = [
            self.target.Thread(target=self.fail, args=(Own, (-1, k))) for k in range(self.threads)
        ]
        self.target.excepthook = self.hook

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        made = self.made.pop()
        made.start()
        made.join()
        for k in range(3):
            kind = me.rng.choice((Own, Own, SystemExit))
            thread = self.run(me, k, kind)
            mine = [told for told in self.told if told[3] is thread]
            if [(told[0], told[1]) for told in mine] != [(kind, (me.index, k))]:
                raise OracleFailure("once", f"when it had ended, excepthook knew {mine}")


class ExcepthookDefault(Uncaught):
    """Without a hook of one's own an exception is printed once, under its thread's name."""

    core = False
    min_rounds = 1

    def setup(self) -> None:
        super().setup()
        self.target.excepthook = getattr(self.target, "__excepthook__", self.before[0])

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for k in range(2):
            kind = me.rng.choice((Own, SystemExit))
            self.run(me, k, kind)
            # The lines of several threads may mix, but the parts of a line do not get lost.
            times = self.page.text().count(f"fails {me.index} {k}")
            if times != (kind is Own):
                raise OracleFailure("once", f"{kind.__name__} was printed {times} times")

    def judge(self) -> None:
        """All was looked at when it came."""


class ExcepthookFails(Uncaught):
    """If excepthook itself raises, sys.excepthook is told, and the thread ends all the same."""

    core = False

    def setup(self) -> None:
        super().setup()
        self.failed: Counter[str] = Counter()
        self.second: list[str] = []
        self.target.excepthook = self.failing
        sys.excepthook = self.last

    def failing(self, args: Any) -> None:
        self.hook(args)
        raise ValueError(str(args.exc_value.key))

    def last(
        self, kind: type[BaseException], error: BaseException, at: TracebackType | None
    ) -> None:
        self.second.append(f"{kind.__name__} {error}" if at is not None else "no traceback")

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for k in range(3):
            self.run(me, k, Own)

    def judge(self) -> None:
        if Counter(self.second) != Counter(f"ValueError {key}" for key in self.raised):
            raise OracleFailure("once", f"{len(self.raised)} failed hooks told {self.second}")
        said = self.page.text().count("Exception in threading.excepthook:")
        if said != len(self.raised):
            raise OracleFailure("quiet", f"{said} hooks are said to have failed", self.page.text())
        self.page.parts.clear()
        super().judge()


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

            def work(ran: list[int] = ran) -> None:
                ran.append(len(self.calls_here()))
                mark()
                ran.append(len(self.calls_here()))

            thread = self.target.Thread(target=work)
            thread.start()
            thread.join()
            if ran[1] - ran[0] != 1:
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
        self.call("settrace_all_threads", None)
        self.restore()
        before = len(self.calls)
        mark()
        if len(self.calls) != before:
            raise OracleFailure("traced", f"set{self.kind}_all_threads(None) has not ended it")
        return "done"
