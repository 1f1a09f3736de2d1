"""Nemeses that act through the kernel: processors, priorities, signals, forks, stops."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import time

from .nemesis import Nemesis, Patience


class Oversubscribe(Nemesis):
    doc = "2 to 32 times as many busy threads as processors"

    def prepare(self) -> None:
        for _ in range(len(os.sched_getaffinity(0)) * self.rng.choice((2, 4, 8, 16, 32))):
            _thread.start_new_thread(self.burn, ())

    def burn(self) -> None:
        self.run.heartbeat.add_extra(_thread.get_native_id())
        patience = Patience(self.run.heartbeat)
        while not self.over:
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

    def end(self) -> None:
        for tid in own_threads():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(tid, self.allowed)


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
