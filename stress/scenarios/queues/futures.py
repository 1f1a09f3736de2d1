"""ThreadPoolExecutor upon the target's threads: each item runs once, and who waits learns of it."""

from __future__ import annotations

import _thread
import logging
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from functools import partial
from typing import Any

from ...api.scenario import (
    ACCEPTABLE,
    CLOCK_SLACK,
    INTERESTING,
    Actor,
    OracleFailure,
    Scenario,
    World,
    actor,
)
from ...targets.inspection import futures_of

HOW = ("ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION")


class Failed(Exception):
    """What work items raise here."""


class Job:
    """A work item that knows how often it ran, and which callbacks were called, by whom."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.runs: list[int] = []
        self.promised: list[bool] = []
        """What cancel() returned each time."""
        self.callbacks = 0
        self.called: list[tuple[int, int]] = []
        self.early: list[int] = []
        self.future: Any = None

    def run(self) -> Job:
        self.runs.append(_thread.get_ident())
        if self.fails:
            raise Failed
        return self

    def note(self, which: int, future: Any) -> None:
        if not future.done():
            self.early.append(which)
        self.called.append((_thread.get_ident(), which))
        if which % 3 == 1:
            raise Failed("a callback's own, which is only logged")

    def add_callback(self) -> None:
        self.callbacks += 1
        self.future.add_done_callback(partial(self.note, self.callbacks - 1))

    def cancel(self) -> bool:
        cancelled: bool = self.future.cancel()
        if cancelled and self.runs:
            raise OracleFailure("cancel", "cancel() returned True of what has run")
        self.promised.append(cancelled)
        return cancelled

    def check(self) -> None:
        """Look at it when nobody can change it any more."""
        if not self.future.done() or self.future.running():
            raise OracleFailure("pending", f"nobody is left to end {self.future!r}")
        cancelled = self.future.cancelled()
        if len(self.runs) + cancelled != 1:
            raise OracleFailure("once", f"it ran {len(self.runs)} times, {cancelled=}")
        if any(self.promised) != cancelled:
            raise OracleFailure("cancel", f"cancel() gave {self.promised}, yet {cancelled=}")
        self.check_result(cancelled)
        if self.early:
            raise OracleFailure("callbacks", "a callback was called before the future was done")
        if sorted(which for _, which in self.called) != list(range(self.callbacks)):
            raise OracleFailure(
                "callbacks", f"of {self.callbacks} callbacks were called {self.called}"
            )
        last: dict[int, int] = {}
        for ident, which in self.called:
            if which < last.get(ident, -1):
                raise OracleFailure("callbacks", f"one thread called them in order {self.called}")
            last[ident] = which

    def check_result(self, cancelled: bool) -> None:
        """Compare what result() and exception() say."""
        for ask, good in ((self.future.result, self), (self.future.exception, None)):
            try:
                answer = ask(0)
            except CancelledError:
                right = cancelled
            except Failed:
                right = self.fails and not cancelled and good is self
            else:
                expected = isinstance(answer, Failed) if self.fails and not good else answer is good
                right = expected and not cancelled
            if not right:
                raise OracleFailure("result", f"{ask.__name__}() of {self.future!r} is wrong")


class Pooled(Scenario):
    """Shared: pools upon the target's threads, that log nothing of what fails on purpose."""

    subjects = "ThreadPoolExecutor Thread Condition"

    def __init__(self, world: World) -> None:
        self.futures = futures_of(world.target)
        logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL + 1)
        super().__init__(world)


class FuturesRunOnce(Pooled):
    """Each item runs once or is cancelled; each callback is called once, whenever it was added."""

    must_see = frozenset({"cancelled", "too late to cancel"})

    def setup(self) -> None:
        self.pool = self.futures.ThreadPoolExecutor(self.rng.choice((1, 2, 4)))
        self.jobs: list[Job] = []
        self.share = self.rng.choice((2, 10, 30))
        self.left = 2

    @actor(2)
    def submitter(self, me: Actor) -> None:
        for _ in range(self.share):
            job = Job(me.rng.random() < 0.3)
            job.future = self.pool.submit(job.run)
            for _ in range(me.rng.choice((0, 1, 1, 3))):
                job.add_callback()
            self.jobs.append(job)
            me.did("submit")
            if me.rng.random() < 0.5:
                me.pause()
            for _ in range(me.rng.choice((0, 1, 8))):
                job.add_callback()

    @actor()
    def canceller(self, me: Actor) -> None:
        for _ in range(self.share):
            me.pause()
            if jobs := self.jobs[-3:]:
                job = me.rng.choice(jobs)
                me.saw("cancelled" if job.cancel() else "too late to cancel")
                me.did("cancel")

    def arbiter(self) -> str:
        self.pool.shutdown()
        if len(self.jobs) != 2 * self.share:
            raise OracleFailure("count", f"{len(self.jobs)} of {2 * self.share} were submitted")
        for job in self.jobs:
            job.check()
        return "done"


class FuturesCancelVersusStart(Pooled):
    """cancel() is True when the item never runs, and only then; states only move forward."""

    must_see = frozenset({"cancelled", "too late to cancel"})

    def setup(self) -> None:
        self.pool = self.futures.ThreadPoolExecutor(1)
        self.jobs = [Job() for _ in range(self.rng.choice((1, 4, 8)))]
        self.lined: list[Job] = []

    @actor()
    def submitter(self, me: Actor) -> None:
        for job in self.jobs:
            job.future = self.pool.submit(job.run)
            self.lined.append(job)
            me.did("submit")

    @actor(2)
    def canceller(self, me: Actor) -> None:
        for k in range(len(self.jobs)):
            job = self.at(k)
            me.pause()
            before = any(job.promised)
            cancelled = job.cancel()
            if before and not cancelled:
                raise OracleFailure("cancel", "cancel() of what is cancelled returned False")
            me.saw("cancelled" if cancelled else "too late to cancel")
            me.did("cancel")

    @actor()
    def watcher(self, me: Actor) -> None:
        for k in range(len(self.jobs)):
            future = self.at(k).future
            was_running = was_done = was_cancelled = False
            while not was_done:
                running, done, cancelled = future.running(), future.done(), future.cancelled()
                if was_running and cancelled:
                    raise OracleFailure("forward", "it was running, then cancelled")
                was_running, was_done, was_cancelled = running, done, cancelled
                if not done and me.rng.random() < 0.3:
                    break
            if was_done and (future.running() or not future.done()):
                raise OracleFailure("forward", "it was done, and is so no more")
            if was_cancelled and not future.cancelled():
                raise OracleFailure("forward", "it was cancelled, and is so no more")
            me.did("look")
            try:
                future.result()  # a limit would hide who is never told
            except CancelledError:
                me.did("cancelled")
            else:
                me.did("result")

    def at(self, k: int) -> Job:
        while len(self.lined) <= k:
            time.sleep(0)
        return self.lined[k]

    def arbiter(self) -> str:
        self.pool.shutdown()
        for job in self.jobs:
            job.check()
        return "done"


class FuturesShutdown(Pooled):
    """After shutdown() nothing is pending and no worker lives; later submit() is refused."""

    must_see = frozenset({"refused", "waited"})

    def setup(self) -> None:
        self.workers = self.rng.choice((1, 2, 4))
        self.pool = self.futures.ThreadPoolExecutor(self.workers)
        self.cancels = self.rng.random() < 0.5
        self.jobs: list[Job] = []
        self.begun = self.over = False

    @actor(2)
    def submitter(self, me: Actor) -> None:
        for _ in range(me.rng.choice((3, 100))):
            over, job = self.over, Job()
            try:
                job.future = self.pool.submit(job.run)
            except RuntimeError:
                me.saw("refused")
                if not self.begun:
                    raise OracleFailure("refused", "refused before shutdown()") from None
                break
            if over:
                raise OracleFailure("refused", "submit() after shutdown() was accepted")
            self.jobs.append(job)
            me.did("submit")
        if self.jobs and me.rng.random() < 0.5:
            job = me.rng.choice(self.jobs)
            try:
                job.future.result()
            except CancelledError:
                me.did("cancelled")
            me.saw("waited")

    @actor(2)
    def closer(self, me: Actor) -> None:
        for _ in range(me.rng.randrange(6)):
            me.pause()
        self.begun = True
        if self.cancels:
            self.pool.shutdown(cancel_futures=True)
        else:
            self.pool.shutdown(me.rng.random() < 0.2)
            self.pool.shutdown()
        pending = [job for job in self.jobs if not job.future.done()]
        self.over = True
        me.did("shutdown")
        if pending:
            raise OracleFailure("pending", f"{len(pending)} futures are not done after shutdown()")
        if alive := [t for t in getattr(self.pool, "_threads", ()) if t.is_alive()]:
            raise OracleFailure("workers", f"{len(alive)} workers live after shutdown()")

    def arbiter(self) -> str:
        for job in self.jobs:
            if job.future.cancelled():
                if not self.cancels:
                    raise OracleFailure("cancel", "shutdown() has cancelled, unasked")
                job.promised.append(True)
            job.check()
        try:
            self.pool.submit(int)
        except RuntimeError:
            return "done"
        raise OracleFailure("refused", "submit() after shutdown() was accepted")


class FuturesWait(Pooled):
    """wait() and as_completed() against those who end and cancel: each future once, in time."""

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
                future.set_exception(Failed())
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
                future.set_exception(Failed())
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


class FuturesMap(Pooled):
    """map() gives results in order, in time; what it gave up is cancelled or has run, once."""

    must_see = frozenset({"timed out", "closed", "failed"})

    def setup(self) -> None:
        self.pool = self.futures.ThreadPoolExecutor(self.rng.choice((1, 2, 4)))
        self.mapped: list[tuple[list[Job], bool]] = []
        self.sleep = self.rng.choice((0, 0, 0.0002))

    def work(self, job: Job, number: int) -> tuple[Job, int]:
        if self.sleep:
            time.sleep(self.sleep)
        return job.run(), number

    @actor(3)
    def mapper(self, me: Actor) -> None:
        for _ in range(3):
            jobs = [Job(me.rng.random() < 0.05) for _ in range(me.rng.choice((0, 1, 5, 20)))]
            limit = me.tiny() if me.rng.random() < 0.4 else None
            begin = time.monotonic()
            results = self.pool.map(self.work, jobs, range(len(jobs)), timeout=limit)
            got = 0
            stop = me.rng.choice((2, 10**6, 10**6))
            try:
                got = self.take(results, jobs, stop)
            except TimeoutError:
                me.saw("timed out")
                if limit is None or time.monotonic() - begin < limit - CLOCK_SLACK:
                    raise OracleFailure("timeout", f"it gave up early, {limit=}") from None
            except Failed:
                me.saw("failed")
                if not any(job.fails for job in jobs):
                    raise OracleFailure("result", "raised what no item has raised") from None
            if got >= stop:
                me.saw("closed")
            self.mapped.append((jobs, got == len(jobs)))
            me.did("map")

    def take(self, results: Iterator[tuple[Job, int]], jobs: list[Job], stop: int) -> int:
        got = 0
        for job, number in results:
            if job is not jobs[got] or number != got or not job.runs or job.fails:
                raise OracleFailure("order", f"result {got} is that of item {number}")
            got += 1
            if got >= stop:
                results.close()  # type: ignore[attr-defined]
                break
        else:
            if got != len(jobs):
                raise OracleFailure("loss", f"{got} results of {len(jobs)} items")
        return got

    def arbiter(self) -> str:
        self.pool.shutdown()
        for jobs, complete in self.mapped:
            for job in jobs:
                if len(job.runs) > 1 or (complete and not job.runs):
                    raise OracleFailure("once", f"an item ran {len(job.runs)} times")
        return "done"


class FuturesInitializerFails(Pooled):
    """When an initializer fails, all that is pending fails with BrokenExecutor: nobody hangs."""

    must_see = frozenset({"broken", "refused"})
    cancels = False

    def setup(self) -> None:
        self.good = self.rng.choice((0, 0, 1, 3))
        self.begun: list[int] = []
        self.pool = self.futures.ThreadPoolExecutor(4, initializer=self.begin)
        self.ran: list[int] = []

    def begin(self) -> None:
        self.begun.append(1)
        if len(self.begun) > self.good:
            raise Failed

    @actor(3)
    def submitter(self, me: Actor) -> None:
        futures = []
        for _ in range(me.rng.choice((2, 10))):
            try:
                futures.append(self.pool.submit(self.ran.append, 1))
            except BrokenExecutor:
                me.saw("refused")
                break
            me.did("submit")
            if self.cancels and me.rng.random() < 0.5:
                futures[-1].cancel()
        for future in futures:
            try:
                future.result()
            except BrokenExecutor:
                me.saw("broken")
            except CancelledError:
                if not self.cancels:
                    raise
            me.did("result")

    def arbiter(self) -> str:
        self.pool.shutdown()
        if len(self.begun) > self.good:
            try:
                self.pool.submit(int)
            except BrokenExecutor:
                pass
            else:
                raise OracleFailure("refused", "a broken pool has accepted an item")
        return "done"


class FuturesBrokenAndCancelled(FuturesInitializerFails):
    """As before, when some of what is pending was cancelled.

    CPython's own pool stops telling at the first cancelled one, and the rest is pending for ever.
    """

    core = False
    cancels = True


class FuturesReuse(Pooled):
    """Items that come one after the other find the idle worker: there are not many workers."""

    core = False
    outcomes = {"at most 2": ACCEPTABLE, "some more": INTERESTING}
    items = 24

    def setup(self) -> None:
        self.begun: list[int] = []
        self.pool = self.futures.ThreadPoolExecutor(
            self.items + 8, initializer=lambda: self.begun.append(1)
        )

    @actor()
    def submitter(self, me: Actor) -> None:
        for _ in range(self.items):
            self.pool.submit(int).result()
            me.did("submit")
            time.sleep(0.0002)  # a worker may say what came out before it is idle

    def arbiter(self) -> str:
        self.pool.shutdown()
        if (workers := len(self.begun)) > self.items // 2:
            raise OracleFailure("workers", f"{self.items} items one by one had {workers} workers")
        return "at most 2" if workers <= 2 else "some more"
