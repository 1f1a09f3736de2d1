"""Fork while others contend: the child can use what it makes, and what it alone used."""

from __future__ import annotations

import _thread
import faulthandler
import os
import signal
import tempfile
import time
import traceback
from typing import IO, Any

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor
from ...processes.kernel import die_with

CHILD_SECONDS = 12
MISSED = 9
"""The exit code of a child that has seen what must not be."""


class Forking(Scenario):
    """Shared: children that go on as Python programs, are watched, and tell what they miss."""

    core = False
    max_threads = 8
    min_rounds = 2
    forks = True
    slow = True

    def in_child(self) -> None:
        """Be all that the child does; raises OracleFailure for what must not be."""

    def fork(self) -> None:
        """Fork a child, and wait for its end. Raises OracleFailure if that is not as it has to be.

        What the child writes to standard error is a failure, too.
        """
        here = os.getpid()
        with tempfile.TemporaryFile() as words:
            pid = os.fork()
            if pid == 0:
                code = 70
                try:
                    die_with(here)
                    signal.alarm(CHILD_SECONDS)
                    faulthandler.dump_traceback_later(CHILD_SECONDS / 2, file=words)
                    os.dup2(words.fileno(), 2)
                    code = self.child(words)
                finally:
                    os._exit(code)
            self.reap(pid, words)

    def child(self, words: IO[bytes]) -> int:
        """Return an exit code, after writing why it is not 0."""
        try:
            self.in_child()
        except OracleFailure as failure:
            os.write(words.fileno(), f"{failure.oracle}\n{failure.message}".encode())
            return MISSED
        except BaseException:
            os.write(words.fileno(), traceback.format_exc().encode())
            return 70
        return 0

    def reap(self, pid: int, words: IO[bytes]) -> None:
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.001)
        code = os.waitstatus_to_exitcode(status)
        words.seek(0)
        text = words.read().decode(errors="replace")
        if code == MISSED:
            oracle, _, message = text.rpartition("\n")
            raise OracleFailure(oracle.rpartition("\n")[2], f"in a forked child, {message}", text)
        if code:
            hung = code == -signal.SIGALRM
            what = f"hung for {CHILD_SECONDS} seconds" if hung else f"ended with {code}"
            raise OracleFailure("child", f"a forked child {what}", text)
        if text:
            raise OracleFailure("quiet", f"a forked child wrote {text[:200]!r}", text)


class ForkWhileContended(Forking):
    """A thread forks while the others contend; the child uses every primitive, and ends."""

    subjects = "Lock RLock Condition Semaphore Event Thread"

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
                    self.fork()
                me.did("fork")
        finally:
            self.over = True

    def in_child(self) -> None:
        """Use fresh primitives and one held at the fork."""
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
        if thread.is_alive():
            raise OracleFailure("state", "is_alive() is true after join()")
