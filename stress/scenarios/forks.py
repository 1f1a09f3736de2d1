"""Fork while others contend: the child can use what it makes, and what it alone used."""

from __future__ import annotations

import _thread
import faulthandler
import os
import signal
import tempfile
import time
from typing import IO, Any

from ..api.scenario import MANY, Actor, OracleFailure, Scenario, actor
from ..processes.kernel import die_with

CHILD_SECONDS = 12


class ForkWhileContended(Scenario):
    """A thread forks while the others contend; the child uses every primitive, and ends."""

    core = False
    subjects = "Lock RLock Condition Semaphore Event Thread"
    max_threads = 8
    min_rounds = 2
    forks = True
    slow = True

    def setup(self) -> None:
        self.lock = self.target.Lock()
        self.condition = self.target.Condition()
        self.semaphore = self.target.Semaphore(2)
        self.own = self.target.RLock()
        self.over = False

    @actor(MANY)
    def contender(self, me: Actor) -> None:
        while not self.over:
            with self.lock:
                me.pause()
            with self.semaphore:
                me.pause()
            with self.condition:
                self.condition.notify()
                self.condition.wait(me.tiny())
            me.did("round")

    @actor()
    def forker(self, me: Actor) -> None:
        try:
            for _ in range(3):
                me.pause()
                with self.own:
                    here = os.getpid()
                    stacks = tempfile.TemporaryFile()  # noqa: SIM115  # until reaped
                    pid = os.fork()
                    if pid == 0:
                        die_with(here)
                        signal.alarm(CHILD_SECONDS)
                        faulthandler.dump_traceback_later(CHILD_SECONDS / 2, file=stacks)
                        os._exit(self.in_child())
                with stacks:
                    self.reap(pid, stacks)
                me.did("fork")
        finally:
            self.over = True

    def reap(self, pid: int, stacks: IO[bytes]) -> None:
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.001)
        if code := os.waitstatus_to_exitcode(status):
            hung = code == -signal.SIGALRM
            what = f"hung for {CHILD_SECONDS} seconds" if hung else f"ended with {code}"
            stacks.seek(0)
            text = stacks.read().decode(errors="replace")
            raise OracleFailure("child", f"a forked child {what}", text)

    def in_child(self) -> int:
        """Use fresh primitives and one held at the fork; return an exit code."""
        m: Any = self.target
        with self.own:  # held by this thread, in the child, too
            pass
        for lock in (m.Lock(), m.RLock(), m.Semaphore(), m.Condition()):
            with lock:
                pass
        event, barrier, condition = m.Event(), m.Barrier(2), m.Condition()
        ran: list[int] = []

        def other() -> None:
            barrier.wait()
            with condition:
                ran.append(_thread.get_ident())
                condition.notify()
            event.set()

        thread = m.Thread(target=other)
        thread.start()
        barrier.wait()
        with condition:
            while not ran:
                condition.wait()
        event.wait()
        thread.join()
        return 9 if thread.is_alive() else 0
