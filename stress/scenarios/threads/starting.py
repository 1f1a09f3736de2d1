"""start(): what it runs, and what is left where the system refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ...api.scenario import MANY, Actor, OracleFailure, Scenario, actor

TOO_LARGE = 1 << 47
"""Bytes of stack that no system has room for."""


class Empty(list[int]):
    """Something to call that is false, as a container is that has nothing in it."""

    def __init__(self, ran: list[object]) -> None:
        super().__init__()
        self.ran = ran

    def __call__(self, *args: object, **kwargs: object) -> None:
        self.ran.append((args, kwargs))


class ThreadRunsWhatItIsGiven(Scenario):
    """A thread calls its target, whatever that is, once, with the arguments that it was given."""

    subjects = "Thread"
    max_threads = 16

    @actor(MANY)
    def starter(self, me: Actor) -> None:
        ran: list[object] = []
        given: tuple[Any, ...] = tuple(range(me.rng.randrange(3)))
        named: dict[str, Any] = {"k": me.index} if me.rng.random() < 0.5 else {}
        forms: list[Any] = [given, list(given), self.one_by_one(given)]
        thread = self.target.Thread(target=Empty(ran), args=me.rng.choice(forms), kwargs=named)
        thread.start()
        thread.join()
        if ran != [(given, named)]:
            raise OracleFailure("runs", f"given {given} and {named}, the target was called: {ran}")
        me.did("target")
        seen: list[object] = []

        class Derived(self.target.Thread):  # type: ignore[misc, name-defined]
            def run(self) -> None:
                seen.append(self)
                super().run()

        derived = Derived(target=ran.clear)
        derived.start()
        derived.join()
        if seen != [derived] or ran:
            raise OracleFailure(
                "runs", f"run() that a class overrides was called {len(seen)} times"
            )
        me.did("run")

    def one_by_one(self, given: tuple[Any, ...]) -> Iterator[Any]:
        yield from given


class StartRefused(Scenario):
    """A start() that the system refuses says so, and leaves nothing that is listed or alive."""

    core = False
    subjects = "Thread stack_size"
    requires: ClassVar = frozenset({"stack_size", "enumerate", "active_count"})

    @actor(main=True)
    def starter(self, me: Actor) -> None:
        target = self.target
        for _ in range(5):
            before = target.active_count()
            thread = target.Thread(target=me.did, args=("ran",))
            old = target.stack_size(TOO_LARGE)
            try:
                thread.start()
            except RuntimeError:
                me.did("refused")
            else:
                thread.join()
                continue  # this system has room, or the size was forgotten: another scenario's
            finally:
                target.stack_size(old)
            if thread in target.enumerate() or target.active_count() != before:
                raise OracleFailure("listed", "a thread is listed that could not be started")
            if thread.is_alive() or thread.ident is not None:
                raise OracleFailure("state", f"it could not be started: {thread!r}")
            try:
                thread.join()
            except RuntimeError:
                me.did("join")
            else:
                raise OracleFailure("refused", "a thread that could not be started was joined")
