"""wait() and as_completed(): who waits for futures learns of each one, and in time."""

from __future__ import annotations

import _thread
import time
from concurrent.futures import CancelledError
from typing import Any

from ...api.scenario import (
    CLOCK_SLACK,
    Actor,
    OracleFailure,
    actor,
)
from .futures import Pooled, TaskFailed

HOW = ("ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION")


class FuturesWait(Pooled):
    """wait() and as_completed() against those who end and cancel: each future once, in time."""

    core = False
    must_see = frozenset({"timed out", "yielded"})

    def setup(self) -> None:
        self.all = [self.futures.Future() for _ in range(self.rng.choice((1, 3, 8)))]
        self.fails = {f for f in self.all if self.rng.random() < 0.2}

    @actor()
    def ender(self, me: Actor) -> None:
        self.end(me, self.all[::2])

    @actor()
    def other_ender(self, me: Actor) -> None:
        self.end(me, self.all[1::2])

    def end(self, me: Actor, futures: list[Any]) -> None:
        for future in me.rng.sample(futures, len(futures)):
            me.pause()
            if not future.set_running_or_notify_cancel():
                me.did("cancelled")
                continue
            if future in self.fails:
                future.set_exception(TaskFailed())
            else:
                future.set_result(future)
            me.did("end")

    @actor()
    def canceller(self, me: Actor) -> None:
        if me.rng.random() < 0.3:
            for future in me.rng.sample(self.all, (len(self.all) + 1) // 2):
                future.cancel()
                me.did("cancel")
                me.pause()

    @actor(2)
    def waiter(self, me: Actor) -> None:
        for _ in range(2):
            how = me.rng.choice(HOW)
            limit = me.tiny() if me.rng.random() < 0.5 else None
            begin = time.monotonic()
            done, rest = self.futures.wait([*self.all, self.all[0]], limit, how)
            elapsed = time.monotonic() - begin
            me.did("wait")
            if (
                done | rest != set(self.all)
                or done & rest
                or len(done) + len(rest) != len(self.all)
            ):
                raise OracleFailure("futures", f"{how}: {len(done)} and {len(rest)} futures")
            if not all(future.done() for future in done):
                raise OracleFailure("futures", f"{how}: one of those that are done is not done")
            enough = bool(done) if how == "FIRST_COMPLETED" else not rest
            if how == "FIRST_EXCEPTION":
                enough |= any(not f.cancelled() and f.exception() for f in done)
            if not enough:
                self.late(me, limit, elapsed, f"wait({how})")
        future = self.all[0]  # for which both wait
        try:
            if (error := future.exception()) is None and future.result() is not future:
                raise OracleFailure("result", f"result() of {future!r} is another's")
        except CancelledError:
            me.did("cancelled")
        else:
            me.did("exception")
            if (error is not None) != (future in self.fails):
                raise OracleFailure("result", f"exception() of {future!r} is {error!r}")

    @actor()
    def collector(self, me: Actor) -> None:
        limit = me.tiny() if me.rng.random() < 0.4 else None
        got: list[Any] = []
        begin = time.monotonic()
        try:
            for future in self.futures.as_completed([*self.all, self.all[-1]], limit):
                got.append(future)
                if not future.done():
                    raise OracleFailure("futures", "as_completed() gave one that is not done")
                me.did("completed")
                me.saw("yielded")
        except TimeoutError:
            self.late(me, limit, time.monotonic() - begin, "as_completed()")
        else:
            if set(got) != set(self.all):
                raise OracleFailure("loss", f"as_completed() gave {len(got)} of {len(self.all)}")
        if len(set(got)) != len(got):
            raise OracleFailure("futures", "as_completed() gave one future twice")

    def late(self, me: Actor, limit: float | None, elapsed: float, what: str) -> None:
        me.saw("timed out")
        if limit is None or elapsed < limit - CLOCK_SLACK:
            raise OracleFailure("timeout", f"{what} gave up after {elapsed:.6f} s of {limit} s")


class FuturesWaitForFirst(Pooled):
    """The first that ends is enough for those who wait for the first: the rest comes after them."""

    core = False

    def setup(self) -> None:
        self.all = [self.futures.Future() for _ in range(3)]
        self.how = self.rng.choice(HOW[1:])
        self.gates = [_thread.allocate_lock() for _ in range(3)]
        for gate in self.gates:
            gate.acquire()

    def wait(self, me: Actor) -> None:
        done, rest = self.futures.wait(self.all, return_when=self.how)
        me.did("wait")
        if done != {self.all[0]} or len(rest) != 2:
            raise OracleFailure("futures", f"{self.how}: {len(done)} are done, 1 had ended")

    @actor()
    def one(self, me: Actor) -> None:
        self.wait(me)
        self.gates[0].release()

    @actor()
    def two(self, me: Actor) -> None:
        self.wait(me)
        self.gates[1].release()

    @actor()
    def collector(self, me: Actor) -> None:
        got: list[Any] = []
        for future in self.futures.as_completed(self.all):
            me.did("completed")
            if not got:
                self.gates[2].release()
            got.append(future)
        if got[0] is not self.all[0] or set(got) != set(self.all) or len(got) != 3:
            raise OracleFailure("futures", f"as_completed() gave {got}")

    @actor()
    def ender(self, me: Actor) -> None:
        me.pause()
        for place, future in enumerate(self.all):
            future.set_running_or_notify_cancel()
            if place == 0 and self.how == "FIRST_EXCEPTION":
                future.set_exception(TaskFailed())
            else:
                future.set_result(None)
            me.did("end")
            if place == 0:
                for gate in self.gates:
                    gate.acquire()


class FuturesWaitForCancelled(Pooled):
    """wait() and as_completed() count as done what was cancelled and no worker has seen.

    CPython's own do not: python/cpython gh-87893, gh-92001, gh-109934.
    """

    core = False
    known_without = "ThreadPoolExecutor"

    def setup(self) -> None:
        self.pool = self.futures.ThreadPoolExecutor(1)
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.first = self.pool.submit(self.gate.acquire)
        self.rest = [self.pool.submit(int) for _ in range(self.rng.choice((1, 3)))]
        self.way = self.rng.choice(("cancel", "shutdown"))

    @actor()
    def canceller(self, me: Actor) -> None:
        me.pause()
        if self.way == "cancel":
            for future in self.rest:
                future.cancel()
        else:
            self.pool.shutdown(wait=False, cancel_futures=True)
        me.did("cancel")
        try:
            self.look(me)
        finally:
            self.gate.release()
            self.pool.shutdown()

    def look(self, me: Actor) -> None:
        if not all(future.cancelled() for future in self.rest):
            return  # the first has not even begun, or one had
        if me.rng.random() < 0.5:
            done, _ = self.futures.wait(self.rest, 0.002, me.rng.choice(HOW[:2]))
            me.did("wait")
            if not done:
                raise OracleFailure("cancelled in wait", "all are cancelled, and wait() says none")
            return
        try:
            got = list(self.futures.as_completed(self.rest, 0.002))
        except TimeoutError:
            got = []
        me.did("as_completed")
        if len(got) != len(self.rest):
            raise OracleFailure("cancelled in as_completed", "it waits for what is cancelled")
