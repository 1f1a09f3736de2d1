"""excepthook: who is told of uncaught exceptions, how often, and of which."""

from __future__ import annotations

import sys
from collections import Counter
from types import TracebackType
from typing import Any, ClassVar

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor


class Own(Exception):
    """What threads raise here; `key` tells which."""

    def __init__(self, key: tuple[int, int]) -> None:
        super().__init__(key)
        self.key = key


class CapturedErrors:
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
        self.page = CapturedErrors()
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
