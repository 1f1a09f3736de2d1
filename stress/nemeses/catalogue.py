"""What goes on beside the actors to disturb them; each draws from the batch's seed.

A nemesis touches the interpreter and the kernel, never the subject. `stop` is the supervisor's:
a stopped process cannot go on by itself.
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from random import Random
from types import CodeType
from typing import Any

from ..records.batch import seed_of
from ..targets.inspection import code_of, queue_of
from .nemesis import Nemesis, Patience, Running
from .throwing import Interrupts, NoMemory, Throws

TOOL = 4  # sys.monitoring's: neither a debugger's nor a profiler's


class Switch(Nemesis):
    doc = "the switch interval, from 1 us to 5 ms (matters with the GIL)"

    def before_round(self, rng: Random) -> None:
        sys.setswitchinterval(10 ** rng.uniform(-6, -2.3))


class Timeouts(Nemesis):
    doc = "timeouts of about the time that a hand-over takes here, from 1 us to 3 ms"

    def before_round(self, rng: Random) -> None:
        scale = 10 ** rng.uniform(-6, -2.5)
        for actor in self.run.actors:
            actor.scale = scale


class Injection(Nemesis):
    """Calls back before each line of some code, and now and then takes a break there."""

    def codes(self) -> list[CodeType]:
        raise NotImplementedError

    def prepare(self) -> None:
        self.chance = self.rng.choice((0.02, 0.1, 0.3))
        self.rngs: dict[int, Random] = {}
        monitoring = sys.monitoring
        if monitoring.get_tool(TOOL) is None:
            monitoring.use_tool_id(TOOL, "stress")
            monitoring.register_callback(TOOL, monitoring.events.LINE, self.line)
        for code in self.codes():
            monitoring.set_local_events(TOOL, code, monitoring.events.LINE)

    def line(self, code: CodeType, number: int) -> None:
        ident = _thread.get_ident()
        rng = self.rngs.get(ident)
        if rng is None:
            rng = self.rngs[ident] = Random(seed_of(self.run.batch.seed, len(self.rngs)))
        if rng.random() < self.chance:
            if rng.random() < 0.7:
                os.sched_yield()
            else:
                time.sleep(rng.random() * 0.0003)


class Lines(Injection):
    doc = "breaks between the lines of a target written in Python (nothing for one in C)"

    def codes(self) -> list[CodeType]:
        queue_of(self.run.target)
        return code_of(self.run.target)


class Yields(Injection):
    doc = "breaks between the calls that the scenario's actors make"

    def codes(self) -> list[CodeType]:
        cls = self.run.scenario
        names = [*self.run.plain, *([self.run.main] if self.run.main else [])]
        return [getattr(cls, name).__code__ for name in names]


class Oversubscribe(Nemesis):
    doc = "2 to 32 times as many busy threads as processors"

    def prepare(self) -> None:
        for _ in range(len(os.sched_getaffinity(0)) * self.rng.choice((2, 4, 8, 16, 32))):
            _thread.start_new_thread(self.burn, ())

    def burn(self) -> None:
        self.run.heartbeat.add_extra(_thread.get_native_id())
        patience = Patience(self.run.heartbeat)
        while True:
            if not patience.lasts():
                time.sleep(0.05)
                continue
            time.sleep(0.00005)
            until = time.monotonic() + 0.002
            while time.monotonic() < until:
                pass


def own_threads() -> list[int]:
    return [int(tid) for tid in os.listdir("/proc/self/task")]


class Affinity(Nemesis):
    doc = "all threads on one processor, spread out, or each somewhere at random"
    every = 0.02

    def act(self) -> None:
        cpus = sorted(self.allowed)
        kind = self.rng.choice(("one", "free", "random"))
        one = self.rng.choice(cpus)
        for tid in own_threads():
            where = {"one": {one}, "free": self.allowed, "random": {self.rng.choice(cpus)}}[kind]
            with contextlib.suppress(OSError):
                os.sched_setaffinity(tid, where)

    def prepare(self) -> None:
        self.allowed = os.sched_getaffinity(0)


class Starve(Nemesis):
    doc = "one thread after the other runs only when a processor has nothing else to do"
    every = 0.02

    def act(self) -> None:
        with contextlib.suppress(OSError):
            tid = self.rng.choice(own_threads())
            os.sched_setscheduler(tid, os.SCHED_IDLE, os.sched_param(0))
            time.sleep(min(0.2, self.rng.expovariate(50)))
            os.sched_setscheduler(tid, os.SCHED_OTHER, os.sched_param(0))


class Signals(Nemesis):
    doc = "bursts of signals to the actors' threads, whose waits go on afterwards"
    every = 0.003

    def prepare(self) -> None:
        signal.signal(signal.SIGUSR2, lambda number, frame: None)

    def act(self) -> None:
        for _ in range(self.rng.randrange(1, 8)):
            signal.pthread_kill(self.rng.choice(self.run.idents), signal.SIGUSR2)


class Collect(Nemesis):
    doc = "garbage collections all the time, of objects with finalizers"
    every = 0.002

    def act(self) -> None:
        for _ in range(20):
            cycle: list[Any] = [Finalized()]
            cycle.append(cycle)
        gc.collect(self.rng.randrange(3))


class Finalized:
    def __del__(self) -> None:
        for _ in range(50):
            pass


class StopTheWorld(Nemesis):
    doc = "stops of all threads, by _current_frames and (from 3.14) settrace_all_threads"
    every = 0.005

    def prepare(self) -> None:
        # 3.13t changes the trace functions of running threads unprotected, and crashes of it; on
        # 3.14t a child that was forked meanwhile hangs in its first settrace(). That is the
        # interpreter's, whatever the target is.
        forks = self.run.scenario.forks or "fork" in self.run.batch.nemeses
        self.trace = sys.version_info >= (3, 14) and not forks

    def act(self) -> None:
        stop_the_world()
        if self.trace:
            threading.settrace_all_threads(_trace)
            threading.settrace_all_threads(None)


def stop_the_world() -> None:
    """Stop all threads for a moment."""
    sys._current_frames()


def _trace(*event: object) -> None:
    return None


class Churn(Nemesis):
    doc = "short-lived threads with thread-local objects"
    every = 0.001

    def prepare(self) -> None:
        self.local = threading.local()

    def act(self) -> None:
        with contextlib.suppress(RuntimeError):  # no room for one more just now
            _thread.start_new_thread(self.short, ())

    def short(self) -> None:
        self.local.value = Finalized()


class Fork(Nemesis):
    doc = "forks, whose children end at once"
    every = 0.01

    def act(self) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)


class Stop(Nemesis):
    doc = "SIGSTOP, a while, SIGCONT: all timeouts expire at once (done by the supervisor)"


NEMESES: dict[str, type[Nemesis]] = {
    "switch": Switch,
    "lines": Lines,
    "yields": Yields,
    "timeouts": Timeouts,
    "oversubscribe": Oversubscribe,
    "affinity": Affinity,
    "starve": Starve,
    "signals": Signals,
    "interrupts": Interrupts,
    "throws": Throws,
    "nomemory": NoMemory,
    "gc": Collect,
    "stw": StopTheWorld,
    "churn": Churn,
    "fork": Fork,
    "stop": Stop,
}


class Nemeses:
    """All that a batch asks for."""

    def __init__(self, run: Running) -> None:
        seed = run.batch.seed
        self._all = [NEMESES[name](run, Random(seed_of(seed, name))) for name in run.batch.nemeses]

    def start(self) -> None:
        """Start the threads of those that have one."""
        for nemesis in self._all:
            if nemesis.every:
                _thread.start_new_thread(nemesis.live, ())

    def before_round(self, rng: Random) -> None:
        """Let each do what it does before a round."""
        for nemesis in self._all:
            nemesis.before_round(rng)
