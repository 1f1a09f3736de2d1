"""Signal handlers that ask who is there, while the interrupted thread starts and joins threads."""

from __future__ import annotations

import signal
from typing import ClassVar

from ...api.scenario import Actor, OracleFailure, actor
from .alarmed import Alarmed


class SignalHandlerAsksWhoIsThere(Alarmed):
    """enumerate() and its like answer in a handler, whatever it interrupted."""

    core = False
    subjects = "Thread"
    requires: ClassVar = frozenset({"enumerate", "active_count", "current_thread", "main_thread"})
    must_see = frozenset({"handled"})
    min_rounds = 2

    def setup(self) -> None:
        self.wrong: list[str] = []
        self.install(self.ask)
        self.over = False

    def ask(self) -> None:
        target = self.target
        listed = target.enumerate()
        if target.main_thread() not in listed or target.active_count() < 1:
            self.wrong.append(f"the main thread is not listed: {listed!r}")
        if target.current_thread() is not target.main_thread():
            self.wrong.append(f"the handler runs in {target.current_thread()!r}")
        for thread in listed:
            if thread.is_alive() and thread.ident is None:
                self.wrong.append(f"it is alive and has no ident: {thread!r}")

    @actor(main=True)
    def starter(self, me: Actor) -> None:
        for _ in range(60):
            if not self.armed:
                self.wind(me)
            thread = self.target.Thread(target=me.tiny)
            thread.start()
            self.target.enumerate()
            thread.join()
            me.did("start and join")
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        for _ in range(self.handled):
            me.saw("handled")
        self.over = True

    @actor(2)
    def other(self, me: Actor) -> None:
        while not self.over:
            thread = self.target.Thread(target=me.tiny)
            thread.start()
            self.target.enumerate()
            thread.join()
            me.did("start and join beside it")

    def arbiter(self) -> str:
        if self.wrong:
            raise OracleFailure("listed", self.wrong[0])
        return "done"
