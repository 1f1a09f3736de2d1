"""ThreadPoolExecutor as a whole: shutdown(), map(), initializers, and the number of workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError

from ...api.scenario import (
    ACCEPTABLE,
    CLOCK_SLACK,
    INTERESTING,
    Actor,
    OracleFailure,
    actor,
)
from .futures import Job, Pooled, TaskFailed


class FuturesShutdown(Pooled):
    """After shutdown() nothing is pending and no worker lives; later submit() is refused."""

    core = False
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


class FuturesMap(Pooled):
    """map() gives results in order, in time; what it gave up is cancelled or has run, once."""

    core = False
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
            except TaskFailed:
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
    """When an initializer fails, all that is pending fails with BrokenExecutor: nobody hangs.

    CPython's own pool may leave a worker waiting for ever that shutdown() has told to end.
    """

    core = False
    known_without = "ThreadPoolExecutor"
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
            raise TaskFailed

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
