"""Futures by themselves: who may end one, and who keeps what came of it."""

from __future__ import annotations

import weakref
from concurrent.futures import CancelledError, InvalidStateError
from typing import Any

from ...api.scenario import ACCEPTABLE, Actor, OracleFailure, actor
from ..threads.registry import soon
from .futures import Pooled, TaskFailed


class FutureEndsOnce(Pooled):
    """Of several that end a future, one does; what is cancelled gets no result any more."""

    core = False
    outcomes = {"result": ACCEPTABLE, "exception": ACCEPTABLE, "cancelled": ACCEPTABLE}

    def setup(self) -> None:
        self.future = self.futures.Future()
        self.begun = self.rng.random() < 0.5
        if self.begun:
            self.future.set_running_or_notify_cancel()
        self.ended: list[str] = []
        self.told: list[str] = []

    def end(self, me: Actor, how: str, call: Any, *arguments: object) -> None:
        me.pause()
        try:
            if call(*arguments) is not False:
                self.ended.append(how)
        except InvalidStateError:
            me.saw("refused")
        me.did(how)

    @actor(2)
    def gives(self, me: Actor) -> None:
        if me.rng.random() < 0.5:
            self.end(me, "result", self.future.set_result, me.index)
        else:
            self.end(me, "exception", self.future.set_exception, TaskFailed())

    @actor()
    def cancels(self, me: Actor) -> None:
        self.end(me, "cancelled", self.future.cancel)

    @actor()
    def waits(self, me: Actor) -> None:
        try:
            self.future.result()
            self.told.append("result")
        except CancelledError:
            self.told.append("cancelled")
        except TaskFailed:
            self.told.append("exception")
        me.did("result")

    def arbiter(self) -> str:
        if len(self.ended) != 1 or self.told != self.ended:
            raise OracleFailure("once", f"ended by {self.ended}, and result() tells {self.told}")
        for call in (self.future.set_result, self.future.set_exception):
            try:
                call(TaskFailed())
            except InvalidStateError:
                continue
            raise OracleFailure(
                "once", f"{call.__name__}() of what is {self.ended[0]} was accepted"
            )
        return self.ended[0]


class Thing:
    """What a reference can be kept of."""


class FuturesForgotten(Pooled):
    """Nobody keeps what was given away: the idle pool no item, as_completed() no future."""

    core = False
    min_rounds = 1

    @actor()
    def user(self, me: Actor) -> None:
        with self.futures.ThreadPoolExecutor(2) as pool:
            thing = Thing()
            argument = weakref.ref(thing)
            pool.submit(id, thing).result()
            del thing
            self.gone(argument, "an idle pool keeps the argument of its last item")
            futures = [pool.submit(Thing) for _ in range(3)]
            completed = self.futures.as_completed(futures)
            del futures
            result = weakref.ref(next(completed).result())
            self.gone(result, "as_completed() keeps a future that it has given")
            list(completed)
            me.did("forgotten")

    def gone(self, kept: weakref.ref[Thing], message: str) -> None:
        if not soon(lambda: kept() is None):
            raise OracleFailure("forgotten", message)
