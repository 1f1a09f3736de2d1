"""The registry of threads: who is listed, under which names and numbers, and who is forgotten."""

from __future__ import annotations

import _thread
import gc
import re
import time
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from ...api.scenario import ACCEPTABLE, INTERESTING, MANY, Actor, OracleFailure, Scenario, actor

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


class Run:
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

    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate", "active_count", "current_thread"})
    must_see = frozenset({"seen listed", "seen gone"})
    max_threads = 16

    def setup(self) -> None:
        self.begun: list[Run] = []
        self.open: list[Run] = []
        self.joined: list[Run] = []
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
            run = Run(self.target)
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


class ThreadRefusals(Scenario):
    """join() before the start or of oneself, and daemon after the start, raise RuntimeError."""

    core = False
    subjects = "Thread"
    max_threads = 8

    def refused(self, call: Callable[[], object], what: str) -> None:
        try:
            call()
        except RuntimeError:
            return
        raise OracleFailure("refused", f"{what} did not raise RuntimeError")

    @actor(MANY)
    def user(self, me: Actor) -> None:
        told: list[str] = []
        gate = _thread.allocate_lock()
        gate.acquire()

        def work() -> None:
            try:
                thread.join()
            except RuntimeError:
                told.append("refused")
            gate.acquire()

        thread = self.target.Thread(target=work)
        self.refused(thread.join, "join() before start()")
        self.refused(lambda: thread.join(0), "join(0) before start()")
        thread.start()
        checked = isinstance(getattr(self.target.Thread, "daemon", None), property)
        if checked:
            self.refused(lambda: setattr(thread, "daemon", True), "daemon of a running thread")
        me.timed(lambda t: thread.join(t) or not thread.is_alive(), me.tiny())
        if not thread.is_alive():
            raise OracleFailure("alive", "is_alive() is false while the thread runs")
        gate.release()
        thread.join()
        self.refused(thread.start, "start() after the end")
        if checked:
            self.refused(lambda: setattr(thread, "daemon", False), "daemon of an ended thread")
        if told != ["refused"]:
            raise OracleFailure("refused", "join() of the current thread was not refused")
        me.did("thread")


class Value:
    """What a thread leaves behind in a thread-local."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end

    def __del__(self) -> None:
        self.end()


class JoinWaitsForLocals(Scenario):
    """A thread is alive, and join() waits, until its thread-local values are dropped."""

    subjects = "Thread local"
    requires: ClassVar = frozenset({"enumerate", "local"})
    max_threads = 16

    def setup(self) -> None:
        self.locals = [self.target.local() for _ in range(2)]
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.dropped = 0
        self.early = False
        self.thread = self.target.Thread(target=self.work)
        self.thread.start()

    def drop(self) -> None:
        time.sleep(0.0002)
        self.early |= not self.thread.is_alive()
        self.dropped += 1

    def work(self) -> None:
        for local in self.locals:
            local.value = Value(self.drop)
        self.gate.acquire()

    @actor(MANY)
    def joiner(self, me: Actor) -> None:
        while me.rng.random() < 0.6:
            me.timed(lambda t: self.thread.join(t) or not self.thread.is_alive(), me.tiny())
            me.did("timed join")
        if me.rng.random() < 0.3:
            while self.thread.is_alive():
                me.pause()
            how = "is_alive() was false"
        else:
            self.thread.join()
            how = "join() returned"
        if self.dropped != 2:
            raise OracleFailure("dropped", f"{how} when {self.dropped} of 2 values were dropped")
        me.did("join")

    @actor()
    def opener(self, me: Actor) -> None:
        me.pause()
        self.gate.release()
        me.did("open")

    def arbiter(self) -> str:
        if self.early:
            raise OracleFailure("alive", "is_alive() is false while thread-locals are dropped")
        return "done"


class ThreadsForgotten(Scenario):
    """Threads that nobody joins vanish from enumerate(), and are freed with what they had."""

    core = False
    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate"})
    min_rounds = 2
    max_threads = 16

    def setup(self) -> None:
        self.threads_left: list[weakref.ref[Any]] = []
        self.given: list[weakref.ref[Any]] = []

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            run = Run(self.target, daemon=me.rng.random() < 0.5)
            run.thread.itself = run.thread
            self.threads_left.append(weakref.ref(run.thread))
            self.given.append(weakref.ref(run))
            if me.rng.random() < 0.8:
                run.thread.start()
                me.did("start")
            run.open()
            me.pause()
            del run

    def arbiter(self) -> str:
        def listed() -> int:
            ours = {id(thread) for ref in self.threads_left if (thread := ref()) is not None}
            return sum(id(thread) in ours for thread in self.target.enumerate())

        if not soon(lambda: not listed()):
            raise OracleFailure("gone", f"{listed()} threads that have ended are listed")
        if not soon(lambda: not any(ref() for ref in self.threads_left + self.given)):
            left = sum(ref() is not None for ref in self.threads_left)
            raise OracleFailure("freed", f"{left} Threads, ended and dropped, are still there")
        return "done"


class ForeignThreadsForgotten(Scenario):
    """A thread that Thread has not started is listed once it asks who it is, and until it ends."""

    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate", "current_thread"})
    min_rounds = 2
    max_threads = 16

    def setup(self) -> None:
        self.wrong: list[str] = []
        self.met: list[Any] = []
        self.went: list[int] = []

    def check(self, right: bool, wrong: str) -> None:
        if not right:
            self.wrong.append(wrong)

    def foreign(self) -> None:
        try:
            thread = self.target.current_thread()
            self.met.append(thread)
            self.check(thread is self.target.current_thread(), "another at each call")
            self.check(thread in self.target.enumerate(), "the current thread is not listed")
            right = thread.ident == _thread.get_ident() and thread.daemon
            self.check(right, f"a thread that Thread has not started is {thread!r}")
        except BaseException as error:
            self.wrong.append(f"a thread that Thread has not started was told {error!r}")
        finally:
            self.went.append(1)

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            _thread.start_new_thread(self.foreign, ())
            me.did("start")
            me.pause()

    def arbiter(self) -> str:
        if not soon(lambda: len(self.went) == 3 * self.threads):
            raise OracleFailure("end", f"{len(self.went)} of {3 * self.threads} threads have ended")
        if self.wrong:
            raise OracleFailure("current", self.wrong[0])
        met = set(map(id, self.met))
        if not soon(lambda: met.isdisjoint(map(id, self.target.enumerate()))):
            left = [thread for thread in self.target.enumerate() if id(thread) in met]
            raise OracleFailure("gone", f"{len(left)} ended threads are listed, {left[0]!r}")
        return "done"


class DyingThreadAsks(Scenario):
    """current_thread() works at a thread's very end, in destructors, and leaves nothing listed."""

    core = False
    subjects = "Thread local"
    # CPython's leaves an entry for a Thread that asks so late; those of a later thread replace it.
    outcomes = {"done": ACCEPTABLE, "left listed": INTERESTING}
    requires: ClassVar = frozenset({"enumerate", "current_thread", "local"})
    min_rounds = 2
    max_threads = 16

    def setup(self) -> None:
        self.local = self.target.local()
        self.wrong: list[str] = []
        self.met: list[Any] = []
        self.went: list[int] = []

    def ask(self) -> None:
        """Be the end of a thread: whatever it raises would be lost there."""
        try:
            thread = self.target.current_thread()
            self.met.append(thread)
            if thread.ident != _thread.get_ident():
                self.wrong.append(f"the dying thread is {thread!r}")
        except BaseException as error:
            self.wrong.append(f"current_thread() raised {error!r} in a dying thread")
        finally:
            self.went.append(1)

    def work(self, asks: bool) -> None:
        if asks:
            self.target.current_thread()
        self.local.value = Value(self.ask)

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        for _ in range(3):
            asks = me.rng.random() < 0.5
            if me.rng.random() < 0.5:
                _thread.start_new_thread(self.work, (asks,))
            else:
                self.target.Thread(target=self.work, args=(asks,)).start()
            me.did("start")
            me.pause()

    def arbiter(self) -> str:
        if not soon(lambda: len(self.went) == 3 * self.threads):
            raise OracleFailure("end", f"{len(self.went)} of {3 * self.threads} threads have ended")
        if self.wrong:
            raise OracleFailure("current", self.wrong[0])
        met = set(map(id, self.met))
        if not soon(lambda: met.isdisjoint(map(id, self.target.enumerate())), LITTLE):
            return "left listed"
        return "done"
