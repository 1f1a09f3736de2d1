"""Semaphore and BoundedSemaphore, interrupted: permits are neither lost nor made up."""

import pytest
from interruptions import Interruption, at_every_place
from support import alarms, handling, run_threads, start_threads, wait_until
from test_semaphore import BOTH, emptied, start_waiters, waiting

SIGNALS = pytest.mark.thread_unsafe(reason="signal handlers are of the whole process")
MONITORS = pytest.mark.thread_unsafe(reason="interrupts by sys.monitoring, of the whole process")


def is_free(semaphore):
    """Whether no thread is left holding what only calls hold."""
    return run_threads(1, lambda i: semaphore._cond.acquire(timeout=10))[0]


@BOTH
@MONITORS
def test_interrupted_acquire_takes_no_permit(semtype):
    def scenario(interrupter):
        semaphore = semtype(1)
        taken = False
        try:
            with interrupter.here():
                taken = semaphore.acquire()
        except Interruption:
            pass
        assert taken or interrupter.where
        assert semaphore._value == (0 if taken else 1)
        assert is_free(semaphore)

    at_every_place(scenario, at_least=6)


@BOTH
@MONITORS
def test_interrupted_waiter_leaves_the_permit_to_the_next(semtype):
    def scenario(interrupter):
        semaphore = emptied(semtype)

        def be_interrupted(_):
            try:
                with interrupter.here():
                    return semaphore.acquire()
            except Interruption:
                return None

        victim = start_threads(1, be_interrupted)
        wait_until(lambda: waiting(semaphore) == 1 or victim.finished)
        bystander = start_threads(1, lambda i: semaphore.acquire())
        wait_until(lambda: waiting(semaphore) == 2 or (victim.finished and waiting(semaphore)))
        semaphore.release()
        if victim.join()[0]:
            assert bystander.finished == 0
            semaphore.release()
        assert bystander.join() == [True]
        assert semaphore._value == 0
        assert waiting(semaphore) == 0
        assert is_free(semaphore)

    at_every_place(scenario, at_least=15)


@BOTH
@MONITORS
def test_interrupted_timeout(semtype):
    def scenario(interrupter):
        semaphore = emptied(semtype)
        try:
            with interrupter.here():
                assert semaphore.acquire(timeout=0.002) is False
        except Interruption:
            pass
        assert semaphore._value == 0
        assert waiting(semaphore) == 0
        assert is_free(semaphore)

    at_every_place(scenario, at_least=20)


@BOTH
@MONITORS
def test_interrupted_release_does_it_or_not(semtype):
    def scenario(interrupter):
        semaphore = emptied(semtype)
        running = start_waiters(semaphore, 2)
        try:
            with interrupter.here():
                semaphore.release(2)
        except Interruption:
            pass
        with semaphore._cond:
            untouched = waiting(semaphore) == 2
            assert semaphore._value == 0 or not untouched
        assert interrupter.where or not untouched
        if untouched:
            semaphore.release(2)
        assert running.join() == [True, True]
        assert semaphore._value == 0

    at_every_place(scenario, at_least=8)


@BOTH
@MONITORS
@pytest.mark.parametrize("first", ["acquire", "release"])
def test_a_handler_may_release_at_any_place(semtype, first):
    def scenario(interrupter):
        semaphore = emptied(semtype, 5)
        value = 0
        if first == "acquire":
            semaphore.release()
            value = 1
        running = start_waiters(semaphore, 2) if first == "release" else None
        strike = interrupter.pass_by

        def release_instead(code, offset):
            try:
                strike(code, offset)
            except Interruption:
                interrupter._thread = None
                semaphore.release()

        interrupter.pass_by = release_instead
        with interrupter.here():
            getattr(semaphore, first)()
        value += -1 if first == "acquire" else 1
        value += interrupter.where is not None
        if running:
            semaphore.release()
            assert running.join() == [True, True]
            value += 1 - 2
        assert semaphore._value == value
        assert is_free(semaphore)

    at_every_place(scenario, at_least=6)


class Raised(Exception):
    pass


@BOTH
@SIGNALS
def test_a_handler_that_raises_in_the_wait(semtype):
    semaphore = emptied(semtype)

    def release_and_raise():
        # The permit comes while the waiter is on its way out.
        semaphore.release()
        raise Raised

    def interrupt(_):
        wait_until(lambda: waiting(semaphore) == 1)
        bystander = start_waiters(semaphore, 1)
        handler.strike()
        return bystander.join()

    with handling(release_and_raise) as handler:
        running = start_threads(1, interrupt)
        with pytest.raises(Raised):
            semaphore.acquire()
        assert running.join() == [[True]]
    assert semaphore._value == 0


@BOTH
@SIGNALS
def test_release_in_a_handler_that_interrupts_release(semtype):
    # threading's semaphore locks itself out here.
    semaphore = emptied(semtype, 10**6)
    handled = []

    def release():
        semaphore.release()
        handled.append(1)

    with alarms(release):
        while len(handled) < 200:
            semaphore.release()
            assert semaphore.acquire(False), "a permit is lost"
    assert semaphore._value == len(handled)
