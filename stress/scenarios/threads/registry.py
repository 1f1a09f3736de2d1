"""The registry of threads: who is listed, and under which names and numbers."""

from __future__ import annotations

import _thread
import gc
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor

PATIENCE = 10.0
"""Seconds within which what has ended is forgotten."""
LITTLE = 1.0
"""The same, where CPython itself never does it."""


def soon(done: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Return whether `done()` is true within these seconds; collects garbage meanwhile."""
    deadline = time.monotonic() + seconds
    polls = 0
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0005)
        polls += 1
        if polls % 10 == 0:
            gc.collect()
    return True


class LivingThread:
    """A thread that lives until its gate is opened."""

    def __init__(self, target: Any, **options: Any) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.opening = False
        self.thread = target.Thread(target=self.live, **options)

    def live(self) -> None:
        self.gate.acquire()

    def open(self) -> None:
        self.opening = True
        self.gate.release()


class ThreadsListed(Scenario):
    """enumerate() lists a thread once from the return of start() to its end, never after join()."""

    core = False
    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate", "active_count", "current_thread"})
    must_see = frozenset({"seen listed", "seen gone"})
    max_threads = 16

    def setup(self) -> None:
        self.begun: list[LivingThread] = []
        self.open: list[LivingThread] = []
        self.joined: list[LivingThread] = []
        self.main = self.target.main_thread()
        self.before = self.target.active_count()
        self.known: list[Any] = []

    def look(self, me: Actor) -> None:
        """Compare with what is known: what was before, and what has not changed since."""
        open_before, joined_before = self.open.copy(), self.joined.copy()
        listed = Counter(map(id, kept := self.target.enumerate()))
        for run in open_before:
            times = listed[id(run.thread)]
            if not run.opening:
                if times != 1:
                    raise OracleFailure("listed", f"a living thread is listed {times} times")
                me.saw("seen listed")
        for run in joined_before:
            if id(run.thread) in listed:
                raise OracleFailure("gone", "a thread that was joined is listed")
            me.saw("seen gone")
        if max(listed.values()) > 1:
            raise OracleFailure("listed", "a thread is listed twice")
        if self.main not in kept or self.target.main_thread() is not self.main:
            raise OracleFailure("main", "the main thread is not what it was")
        me.did("enumerate")

    def count(self, me: Actor) -> None:
        """The same, of numbers; those of before and the actors may be counted, too, or end."""
        open_before, joined_before = self.open.copy(), len(self.joined)
        known = len(self.known)
        count = self.target.active_count()
        least = 1 + known + sum(not run.opening for run in open_before)
        most = self.before + self.threads + len(self.begun) - joined_before
        if not least <= count <= most:
            raise OracleFailure("count", f"active_count() is {count}, not {least} to {most}")
        me.did("count")

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        self.known.append(self.target.current_thread())
        for _ in range(4):
            run = LivingThread(self.target)
            if run.thread in self.target.enumerate():
                raise OracleFailure("listed", "a thread is listed before start()")
            self.begun.append(run)
            run.thread.start()
            self.open.append(run)
            self.count(me)
            self.look(me)
            run.open()
            me.pause()
            run.thread.join()
            self.open.remove(run)
            self.joined.append(run)
            me.did("join")
        self.look(me)

    @actor(MANY)
    def onlooker(self, me: Actor) -> None:
        self.known.append(self.target.current_thread())
        for _ in range(40):
            self.look(me)
            self.count(me)
            me.pause()

    def arbiter(self) -> str:
        if not soon(lambda: self.target.active_count() == len(self.target.enumerate())):
            raise OracleFailure("count", "active_count() is never the length of enumerate()")
        return "done"


class ThreadNames(Scenario):
    """No two threads get the same name, unless they were given it."""

    core = False
    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate"})
    max_threads = 16

    def setup(self) -> None:
        self.names: list[str] = []

    @actor(MANY)
    def namer(self, me: Actor) -> None:
        made = [self.target.Thread(target=self.setup) for _ in range(30)]
        self.names += [thread.name for thread in made]
        me.did("30 names")
        thread = self.target.Thread(name="given")
        if thread.name != "given":
            raise OracleFailure("name", f"it was to be given, and is {thread.name}")
        thread.start()
        thread.name = "later"
        thread.join()
        if thread.name != "later":
            raise OracleFailure("name", f"it was set to later, and is {thread.name}")

    def arbiter(self) -> str:
        numbers = Counter(re.findall(r"^Thread-\d+", "\n".join(self.names), re.MULTILINE))
        name, times = numbers.most_common(1)[0]
        if times > 1:
            raise OracleFailure("unique", f"{name} was given {times} times")
        if len(numbers) != len(self.names):
            raise OracleFailure("name", f"no number in one of {self.names[:3]}")
        return "done"


class ThreadIdentity(Scenario):
    """A thread is its current_thread(), with the system's numbers, and a daemon if its maker is."""

    subjects = "Thread"
    requires: ClassVar = frozenset({"current_thread", "main_thread"})
    max_threads = 16

    def setup(self) -> None:
        self.main = self.target.main_thread()
        self.living: dict[tuple[str, int], Any] = {}
        self.wrong: list[str] = []
        self.inside: list[tuple[Any, int]] = []

    def check(self, right: bool, wrong: str) -> None:
        if not right:
            self.wrong.append(wrong)

    def work(self, box: list[Any], ends: list[int]) -> None:
        """Look at oneself, from within; make a child, twice, that is started by nobody."""
        thread, me = box[0], self.target.current_thread()
        self.check(me is thread, f"current_thread() is {me!r}, not the {thread!r} that runs")
        self.check(thread.is_alive(), "is_alive() is false within the thread")
        numbers = {("ident", _thread.get_ident()), ("native_id", _thread.get_native_id())}
        for name, number in numbers:
            said, function = getattr(thread, name), getattr(self.target, f"get_{name}")
            self.check(said == number == function(), f"{name} is {said}, and really {number}")
            other = self.living.setdefault((name, number), thread)
            self.check(other is thread, f"two living threads have the {name} {number}")
        self.check(self.target.main_thread() is self.main, "main_thread() has changed")
        child = self.target.Thread()
        self.check(child.daemon == thread.daemon, "daemon is not inherited")
        child = self.target.Thread(daemon=not thread.daemon)
        self.check(child.daemon != thread.daemon, "daemon was given, and is not what was given")
        ends.append(_thread.get_ident())
        for number_of in numbers:
            del self.living[number_of]

    @actor(MANY)
    def maker(self, me: Actor) -> None:
        inherited = self.target.current_thread().daemon
        for _ in range(3):
            box: list[Any] = []
            ends: list[int] = []
            daemon = me.rng.choice((None, False, True))
            thread = self.target.Thread(target=self.work, args=(box, ends), daemon=daemon)
            box.append(thread)
            expected = inherited if daemon is None else daemon
            if (thread.daemon, thread.ident, thread.is_alive()) != (expected, None, False):
                raise OracleFailure("new", f"an unstarted thread is {thread!r}")
            if daemon is None and me.rng.random() < 0.5:
                thread.daemon = expected = not expected
            thread.start()
            ident = thread.ident
            me.did("start")
            me.pause()
            thread.join()
            if not ends or not ends[0] == ident == thread.ident:
                raise OracleFailure(
                    "ident", f"{ident} after start(), {thread.ident} after join(), really {ends}"
                )
            self.check(thread.daemon == expected, "daemon has changed")
            me.did("join")

    def arbiter(self) -> str:
        if self.wrong:
            raise OracleFailure("identity", self.wrong[0])
        return "done"
