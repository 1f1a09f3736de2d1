"""Barrier, interrupted: nobody is left waiting, and who leaves is not counted."""

import pytest
from interruptions import Interruption, at_every_place
from support import handling, start_threads, wait_until
from test_barrier import BROKEN, crosses, start_waiters, wait

from ftthreading import Barrier, BrokenBarrierError

SIGNALS = pytest.mark.thread_unsafe(reason="signal handlers are of the whole process")
MONITORS = pytest.mark.thread_unsafe(reason="interrupts by sys.monitoring, of the whole process")


@MONITORS
@pytest.mark.parametrize("parties", [2, 3])
def test_interrupted_waiter_leaves_and_the_rest_goes_on(parties):
    def scenario(interrupter):
        barrier = Barrier(parties)

        def be_interrupted(_):
            try:
                with interrupter.here():
                    return wait(barrier)
            except Interruption:
                return None

        victim = start_threads(1, be_interrupted)
        wait_until(lambda: barrier.n_waiting == 1 or victim.finished)
        rest = start_threads(parties - 1, lambda i: wait(barrier))
        # The victim was struck when the verdict was there, or it is missing.
        wait_until(
            lambda: (
                rest.finished == parties - 1
                or (victim.finished and barrier.n_waiting == parties - 1)
            )
        )
        assert not barrier.broken
        if rest.finished < parties - 1:
            assert interrupter.where
            substitute = start_threads(1, lambda i: wait(barrier))
            assert sorted(rest.join() + substitute.join()) == list(range(parties))
        else:
            numbers = rest.join() + [n for n in victim.join() if n is not None]
            assert len(set(numbers)) == len(numbers)
            assert set(numbers) <= set(range(parties))
        victim.join()
        assert crosses(barrier)

    at_every_place(scenario, at_least=8)


@MONITORS
def test_interrupted_last_arrival_leaves_nobody_waiting():
    def scenario(interrupter):
        actions = []
        barrier = Barrier(3, action=lambda: actions.append(1))
        running = start_waiters(barrier, 2)
        result = None
        try:
            with interrupter.here():
                result = wait(barrier)
        except Interruption:
            pass
        if not barrier.broken and barrier.n_waiting == 2:
            assert result is None
            assert not actions
            result = wait(barrier)
        if barrier.broken:
            assert result is None
            assert running.join() == [BROKEN] * 2
        else:
            assert len(actions) == 1
            assert sorted(running.join()) == [0, 1]
        barrier.reset()
        assert crosses(barrier)

    at_every_place(scenario, at_least=15)


@MONITORS
@pytest.mark.parametrize("method", ["abort", "reset"])
def test_interrupted_abort_and_reset_leave_nobody_waiting(method):
    def scenario(interrupter):
        barrier = Barrier(3)
        running = start_waiters(barrier, 2)
        try:
            with interrupter.here():
                getattr(barrier, method)()
        except Interruption:
            pass
        if barrier.n_waiting:
            assert interrupter.where
            assert not barrier.broken
            barrier.reset()
        assert running.join() == [BROKEN] * 2
        barrier.reset()
        assert crosses(barrier)

    at_every_place(scenario, at_least=10)


@MONITORS
@pytest.mark.parametrize("method", ["abort", "reset"])
@pytest.mark.parametrize("first", ["wait", "abort", "reset"])
def test_a_handler_may_call_abort_and_reset_at_any_place(first, method):
    def scenario(interrupter):
        barrier = Barrier(3)
        running = start_waiters(barrier, 2)
        strike = interrupter.pass_by

        def call_instead(code, offset):
            try:
                strike(code, offset)
            except Interruption:
                interrupter._thread = None
                getattr(barrier, method)()

        interrupter.pass_by = call_instead
        alone = False
        with interrupter.here():
            if first != "wait":
                getattr(barrier, first)()
            else:
                try:
                    # After a reset at the start it is the first of a new crossing.
                    barrier.wait(0.05)
                except BrokenBarrierError:
                    alone = True
        if alone or first != "wait":
            assert BROKEN in running.join() or interrupter.where
        running.join()
        barrier.reset()
        assert crosses(barrier)

    at_every_place(scenario, at_least=10)


@SIGNALS
def test_a_handler_that_raises_in_the_wait():
    class Raised(Exception):
        pass

    def raise_it():
        raise Raised

    barrier = Barrier(3)

    def interrupt(_):
        wait_until(lambda: barrier.n_waiting == 1)
        second = start_waiters(barrier, 1)
        handler.strike()
        return second

    with handling(raise_it) as handler:
        running = start_threads(1, interrupt)
        with pytest.raises(Raised):
            barrier.wait()
        (second,) = running.join()
    assert (barrier.n_waiting, barrier.broken) == (1, False)
    # The number of the one who left is given out again.
    others = start_threads(2, lambda i: wait(barrier))
    assert sorted(second.join() + others.join()) == [0, 1, 2]
    assert crosses(barrier)


@SIGNALS
def test_abort_in_a_handler_that_interrupts_the_wait():
    barrier = Barrier(2)

    def interrupt(_):
        wait_until(lambda: barrier.n_waiting == 1)
        handler.strike()

    with handling(barrier.abort) as handler:
        running = start_threads(1, interrupt)
        with pytest.raises(BrokenBarrierError):
            barrier.wait()
        running.join()
