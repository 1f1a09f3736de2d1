"""The linearizability checker: right verdicts, told apart from what cannot be judged."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from stress.linearizability.checker import Search, Stuck, Verdict, check, minimise
from stress.linearizability.history import PENDING, Call, Recorder, draw
from stress.linearizability.models import (
    BarrierModel,
    ConditionModel,
    EventModel,
    LockModel,
    Model,
    QueueModel,
    RLockModel,
    SemaphoreModel,
)


def call(
    thread: int,
    op: str,
    begin: int,
    end: int | None,
    result: object = None,
    argument: object = None,
) -> Call:
    return Call(thread, op, argument, begin, end, PENDING if end is None else result)


def by_hand(model: Model, calls: Sequence[Call]) -> bool:
    """Whether any order explains the calls, by trying all of them."""
    for order in itertools.permutations(calls):
        if any(
            later.end is not None and later.end < earlier.begin
            for i, earlier in enumerate(order)
            for later in order[i + 1 :]
        ):
            continue
        states = {model.initial()}
        for one in order:
            states = {after for state in states for after in model.step(state, one)}
        if states:
            return True
    return False


def some_calls(rng: random.Random, ops: Sequence[tuple[str, object, object]]) -> list[Call]:
    """Up to three threads with up to three calls each, overlapping at random."""
    calls = []
    for thread in range(3):
        times = sorted(rng.sample(range(20), 2 * rng.randrange(3)))
        for begin, end in itertools.batched(times, 2, strict=True):
            op, argument, result = rng.choice(ops)
            calls.append(Call(thread, op, argument, begin, end, result))
    return calls


@pytest.mark.parametrize(
    ("model", "ops"),
    [
        (
            SemaphoreModel(1),
            [
                ("acquire", None, True),
                ("try", None, True),
                ("try", None, False),
                ("release", 1, None),
            ],
        ),
        (
            SemaphoreModel(1, 1),
            [("acquire", None, True), ("release", 1, None), ("release", 1, "ValueError")],
        ),
        (
            LockModel(),
            [
                ("acquire", None, True),
                ("try", None, False),
                ("release", None, None),
                ("release", None, "RuntimeError"),
            ],
        ),
        (
            RLockModel(),
            [
                ("acquire", None, True),
                ("try", None, False),
                ("release", None, None),
                ("release", None, "RuntimeError"),
            ],
        ),
        (
            EventModel(),
            [
                ("set", None, None),
                ("clear", None, None),
                ("wait", None, True),
                ("is_set", None, False),
            ],
        ),
        (
            ConditionModel(),
            [
                ("enter", None, None),
                ("notify", 1, None),
                ("wait", None, True),
                ("timed", None, False),
                ("stray notify", 1, "RuntimeError"),
            ],
        ),
        (
            QueueModel(1),
            [
                ("put", 1, None),
                ("put timed", 1, "Full"),
                ("get", None, 1),
                ("get timed", None, "Empty"),
                ("shutdown", None, None),
                ("put", 1, "ShutDown"),
                ("get", None, "ShutDown"),
            ],
        ),
    ],
    ids=["semaphore", "bounded", "lock", "rlock", "event", "condition", "queue"],
)
def test_it_agrees_with_trying_all_orders(
    model: Model, ops: list[tuple[str, object, object]]
) -> None:
    rng = random.Random(7)
    verdicts = []
    for _ in range(250):
        calls = some_calls(rng, ops)
        expected = Verdict.LEGAL if by_hand(model, calls) else Verdict.ILLEGAL
        assert check(model, calls).verdict is expected, draw(calls, [])
        verdicts.append(expected)
    assert verdicts.count(Verdict.LEGAL) > 10
    assert verdicts.count(Verdict.ILLEGAL) > 10


def test_a_call_that_has_not_returned_may_have_taken_effect_or_not() -> None:
    release = call(0, "release", 0, None, argument=1)
    assert check(SemaphoreModel(0), [release, call(1, "try", 1, 2, True)]).verdict is Verdict.LEGAL
    assert check(SemaphoreModel(0), [release, call(1, "try", 1, 2, False)]).verdict is Verdict.LEGAL
    assert check(SemaphoreModel(0), [call(1, "try", 1, 2, True)]).verdict is Verdict.ILLEGAL


def test_a_lost_wake_up_is_told_apart_from_a_legal_deadlock() -> None:
    waits = [call(0, "acquire", 0, None)]
    released = [call(1, "release", 1, 2, argument=1)]
    assert Search(SemaphoreModel(0), waits).stuck() is Stuck.LEGAL_DEADLOCK
    assert Search(SemaphoreModel(0), waits + released).stuck() is Stuck.LOST_WAKEUP
    taken = [call(2, "acquire", 1, 3, True)]
    assert Search(SemaphoreModel(0), waits + released + taken).stuck() is Stuck.LEGAL_DEADLOCK
    maybe = [call(1, "set", 1, 4), call(2, "clear", 2, 3)]
    assert Search(EventModel(), [call(0, "wait", 0, None), *maybe]).stuck() is Stuck.UNKNOWN
    nonsense = [call(1, "is_set", 1, 2, True)]
    assert Search(EventModel(), [call(0, "wait", 0, None), *nonsense]).stuck() is Stuck.UNEXPLAINED


def test_a_notification_that_a_late_waiter_swallows_is_a_lost_wake_up() -> None:
    history = [
        call(0, "enter", 0, 1),
        call(0, "timed", 2, 9, False),
        call(1, "enter", 3, 4),
        call(1, "wait", 5, None),
        call(2, "notify", 6, 7, argument=1),
    ]
    assert Search(ConditionModel(), history).stuck() is Stuck.LOST_WAKEUP
    told = [*history[:1], call(0, "timed", 2, 9, True), *history[2:]]
    assert Search(ConditionModel(), told).stuck() is Stuck.LEGAL_DEADLOCK


def test_who_crosses_a_barrier() -> None:
    def crossing(a: object, b: object) -> list[Call]:
        return [
            call(0, "arrive", 0, 9),
            call(0, "leave", 0, 9, a),
            call(1, "arrive", 1, 8),
            call(1, "leave", 1, 8, b),
        ]

    model = BarrierModel(2)
    assert check(model, crossing(0, 1)).verdict is Verdict.LEGAL
    assert check(model, crossing(0, 0)).verdict is Verdict.ILLEGAL
    assert check(model, crossing(0, "broken")).verdict is Verdict.ILLEGAL
    abort = call(2, "abort", 2, 3)
    assert check(model, [*crossing("broken", "broken"), abort]).verdict is Verdict.LEGAL
    assert check(model, crossing(0, 1)[:2]).verdict is Verdict.ILLEGAL


def test_a_release_of_nothing_has_to_be_refused() -> None:
    for result, verdict in (("RuntimeError", Verdict.LEGAL), (None, Verdict.ILLEGAL)):
        assert check(LockModel(), [call(0, "release", 0, 1, result)]).verdict is verdict
        stray = call(0, "stray notify", 0, 1, result, argument=1)
        assert check(ConditionModel(), [stray]).verdict is verdict
    held = call(0, "acquire", 0, 1, True)
    refused = call(1, "release", 2, 3, "RuntimeError")
    assert check(LockModel(), [held, refused]).verdict is Verdict.ILLEGAL


def test_a_queue_is_first_in_first_out_and_wakes_who_waits() -> None:
    puts = [call(0, "put", 0, 1, argument=1), call(0, "put", 2, 3, argument=2)]
    model = QueueModel(0)
    assert check(model, [*puts, call(1, "get", 4, 5, 1)]).verdict is Verdict.LEGAL
    assert check(model, [*puts, call(1, "get", 4, 5, 2)]).verdict is Verdict.ILLEGAL
    waits = call(1, "get", 0, None)
    assert Search(model, [waits, puts[0]]).stuck() is Stuck.LOST_WAKEUP
    assert Search(model, [waits]).stuck() is Stuck.LEGAL_DEADLOCK
    assert Search(model, [waits, call(0, "shutdown", 1, 2)]).stuck() is Stuck.LOST_WAKEUP
    full = [puts[0], call(0, "put", 2, None, argument=2)]
    assert Search(QueueModel(1), full).stuck() is Stuck.LEGAL_DEADLOCK
    assert Search(QueueModel(2), full).stuck() is Stuck.LOST_WAKEUP


def test_it_gives_up_instead_of_guessing() -> None:
    # Releases that all overlap, and one result that none of their orders explains.
    calls = [Call(k, "release", k + 1, 0, 100, None) for k in range(12)]
    calls.append(Call(99, "acquire", None, 101, 102, False))
    assert check(SemaphoreModel(0), calls, limit=500).verdict is Verdict.UNKNOWN


def test_a_failing_history_is_cut_short_and_drawn() -> None:
    calls = []
    for k in range(10):
        calls += [
            call(0, "acquire", 10 * k, 10 * k + 1, True),
            call(0, "release", 10 * k + 2, 10 * k + 3),
        ]
    calls.append(call(1, "try", 31, 31, True))  # while thread 0 has it
    calls[7] = call(0, "release", 34, 35)
    assert check(LockModel(), calls).verdict is Verdict.ILLEGAL
    short = minimise(LockModel(), calls)
    assert len(short) == 8
    order = check(LockModel(), short).order
    assert check(LockModel(), short).verdict is Verdict.ILLEGAL
    drawing = draw(short, order)
    assert drawing.count("<- has no place") == 1
    assert len(drawing.splitlines()) == len(short)


def test_a_recorder_keeps_results_errors_and_the_open_call() -> None:
    record = Recorder(3)

    def look() -> str:
        (inside,) = record.look()
        assert inside.pending
        return "seen"

    assert record.call("look", None, look) == "seen"
    assert record.call("fail", 1, int, "x") == "ValueError"
    assert [str(one) for one in record.look()] == ["look() -> seen", "fail(1) -> ValueError"]
    assert record.look()[0].end is not None
