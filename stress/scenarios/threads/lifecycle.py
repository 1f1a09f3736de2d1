"""Thread: started once, ends once, and everybody who joins it learns of its end."""

from __future__ import annotations

import _thread
import os
import sys
import time
from collections.abc import Callable

from toolkit.child import Process

from ...api.scenario import ACCEPTABLE, MANY, Actor, OracleFailure, Scenario, actor
from ...processes.kernel import threads


class ThreadLifecycle(Scenario):
    """Threads are started, asked whether they live, joined by many: all as documented."""

    subjects = "Thread"
    must_see = frozenset({"seen alive", "timed out"})
    max_threads = 16

    def setup(self) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.ended = False
        self.ran: list[int] = []
        self.thread = self.target.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        self.gate.acquire()
        self.ran.append(1)
        self.ended = True

    @actor(MANY)
    def joiner(self, me: Actor) -> None:
        thread = self.thread
        if me.rng.random() < 0.5:
            me.timed(lambda t: thread.join(t) or not thread.is_alive(), me.tiny())
            me.did("timed join")
        if thread.is_alive():
            me.saw("seen alive")
        thread.join()
        if thread.is_alive():
            raise OracleFailure("state", "is_alive() is true after join()")
        if not self.ended:
            raise OracleFailure("order", "join() returned before the thread's function")
        me.did("join")

    @actor()
    def opener(self, me: Actor) -> None:
        # One of its own, from start to end, beside the one that all join.
        done: list[int] = []
        own = self.target.Thread(target=done.append, args=(1,))
        own.start()
        try:
            own.start()
        except RuntimeError:
            me.did("start")
        else:
            raise OracleFailure("once", "a second start() did not raise RuntimeError")
        me.pause()
        self.gate.release()
        own.join()
        if done != [1]:
            raise OracleFailure("runs", f"join() returned after {len(done)} runs of the function")
        me.did("join")

    def arbiter(self) -> str:
        if self.ran != [1]:
            raise OracleFailure("runs", f"the function ran {len(self.ran)} times")
        return "done"


class ThreadStartRace(Scenario):
    """Two threads start the same Thread: one is refused, the Thread runs once and can be joined."""

    subjects = "Thread"

    def setup(self) -> None:
        self.ran: list[int] = []
        self.refused: list[str] = []
        self.thread = self.target.Thread(target=self.ran.append, args=(1,))

    @actor(2)
    def starter(self, me: Actor) -> None:
        try:
            self.thread.start()
        except RuntimeError as error:
            self.refused.append(type(error).__name__)
        except KeyError as error:
            raise OracleFailure("once", f"the refused start() raised KeyError({error})") from None
        me.did("start")

    def arbiter(self) -> str:
        if len(self.refused) != 1:
            raise OracleFailure("once", f"{len(self.refused)} of two calls of start() were refused")
        deadline = time.monotonic() + 1.2
        while self.thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.0002)
        if self.thread.is_alive() or not self.ran:
            raise OracleFailure("lost", "the thread was started, yet it neither runs nor ends")
        self.thread.join()
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


ASLEEP_SECONDS = 5.0
EXIT_SECONDS = 60.0
AT_EXIT = """
import atexit, sys, time
from stress.processes.kernel import die_with
from stress.targets.loading import load
die_with(int(sys.argv[2]))
m = load(sys.argv[1])
lock, event = m.Lock(), m.Event()
lock.acquire()
def daemon():
    while not event.wait(0.0003): pass
    lock.acquire()
started = []
for way in range(4):
    thread = m.Thread(target=(daemon, lock.acquire)[way % 2], daemon=True)
    thread.start()
    started.append(thread)
def end():
    event.set()
    last.join()
    print("joined", flush=True)
def late():
    time.sleep(0.05)
    print("waited for", flush=True)
m.Thread(target=late).start()
last = m.Thread(target=time.sleep, args=(0.002,))
last.start()
atexit.register(end)
"""


class ThreadExit(Scenario):
    """An interpreter ends among daemon threads that wait, and waits for those that are none."""

    core = False
    subjects = "Thread"
    outcomes = {"ended": ACCEPTABLE}
    quiet = 35.0
    slow = True
    min_rounds = 1

    def setup(self) -> None:
        self.code: int | None = None
        self.out = ""

    @actor()
    def runner(self, me: Actor) -> None:
        command = [sys.executable, "-c", AT_EXIT, self.target_name, str(os.getpid())]
        with Process(command) as child:
            trouble = self.watch(child)
        self.out, err = child.stdout.decode(), child.stderr.decode(errors="replace")
        if trouble:
            raise OracleFailure("end", f"the interpreter did not end: {trouble}", err[-3000:])
        self.code = child.exit_code()
        if self.code:
            raise OracleFailure("end", f"the interpreter ended with {self.code}", err[-3000:])
        me.did("run")

    def watch(self, child: Process) -> str:
        """Return why no end can be hoped for, or nothing once it has ended."""
        before: dict[int, tuple[str, int]] = {}
        begin = since = time.monotonic()
        while not child.wait(0.01):
            now = time.monotonic()
            states = threads(child.pid)
            # On a crowded machine it may take long; it has to get on, though.
            if states != before or any(state != "S" for state, _ in states.values()):
                before, since = states, now
            if now - since > ASLEEP_SECONDS:
                return f"all its threads have slept for {ASLEEP_SECONDS:g} seconds"
            if now - begin > EXIT_SECONDS:
                return f"{EXIT_SECONDS:g} seconds were not enough"
        return ""

    def arbiter(self) -> str:
        lines = sorted(self.out.splitlines())
        return "ended" if lines == ["joined", "waited for"] else f"printed {lines}"
