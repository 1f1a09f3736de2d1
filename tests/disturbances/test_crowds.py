"""Many threads in Condition, Semaphore, Event and Barrier, and the collector or fork() among them.

A garbage collection stops every thread: one that waits must not hold it up. After fork() the
child has one thread, and all the rest were somewhere; what they waited for must work there.
"""

import gc
import os

import pytest

import ftthreading
from ftthreading import Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore
from tests.support import handling, run_threads, start_threads, wait_until
from tests.support.asleep import once_main_sleeps, start_asleep, wait_until_asleep
from tests.support.forking import Child, end_of, finish, marks, run_destructors_of_dead_threads

CROWD = 64


def waiters(name):
    """A function to wait in, one that lets `count` waiting threads go, and the thing itself."""
    if name in ("Lock", "RLock"):
        lock = getattr(ftthreading, name)()
        return lambda i: (lock.acquire(), lock.release())[0], lambda count: None, lock
    if name in ("Semaphore", "BoundedSemaphore"):
        semaphore = getattr(ftthreading, name)(CROWD)
        while semaphore.acquire(False):
            pass
        return lambda i: semaphore.acquire(), semaphore.release, semaphore
    if name == "Event":
        event = Event()
        return lambda i: event.wait(), lambda count: event.set(), event
    if name == "Barrier":
        barrier = Barrier(CROWD + 1)
        return lambda i: barrier.wait() is not None, lambda count: barrier.wait(), barrier
    cond = Condition(Lock() if name == "Condition(Lock)" else RLock())

    def wait(i):
        with cond:
            return cond.wait()

    def notify(count):
        with cond:
            cond.notify(count)

    return wait, notify, cond


WAITS = ["Semaphore", "BoundedSemaphore", "Event", "Barrier", "Condition(Lock)", "Condition(RLock)"]


@pytest.mark.parametrize("name", [*WAITS, "Lock", "RLock"])
@pytest.mark.thread_unsafe(reason="takes 64 threads as it is")
def test_collections_while_a_crowd_waits(name):
    wait, let_go, thing = waiters(name)
    held = name in ("Lock", "RLock")
    if held:
        thing.acquire()
    waiting = start_asleep(CROWD, wait)
    collected = start_threads(2, lambda i: [gc.collect() for _ in range(10)])
    collected.join()
    assert waiting.finished == 0
    if held:
        thing.release()
    else:
        let_go(CROWD)
    assert waiting.join() == [True] * CROWD


@pytest.mark.thread_unsafe(reason="takes many threads as it is")
def test_collections_while_a_crowd_is_busy():
    things = Lock(), RLock(), Semaphore(3), BoundedSemaphore(2), Condition(), Event()
    done = []
    rounds = [0] * 16

    def work(i):
        lock, rlock, semaphore, bounded, cond, event = things
        while not done:
            rounds[i] += 1
            for context in (lock, rlock, semaphore, bounded):
                with context:
                    pass
            with cond:
                cond.notify() if i % 2 else cond.wait(0.0001)
            event.set() if i % 2 else event.wait(0.0001)
            event.clear()

    working = start_threads(16, work)
    for _ in range(20):
        gc.collect()
    wait_until(lambda: all(rounds), what="every thread has got on")
    done.append(True)
    working.join()


# fork()


def forks(test):
    for mark in marks:
        test = mark(test)
    return test


def use(name, thing):
    """Use it with new threads, whatever state it is in."""
    if name == "Event":
        thing.clear()
        waiting = start_asleep(3, lambda i: thing.wait())
        thing.set()
    elif name == "Barrier":
        thing.reset()
        waiting = start_threads(thing.parties - 1, lambda i: thing.wait() is not None)
        thing.wait()
    elif "Semaphore" in name:
        while thing.acquire(False):
            pass
        waiting = start_asleep(3, lambda i: thing.acquire())
        assert thing.acquire(timeout=0.001) is False
        thing.release(3)
    else:

        def wait(i):
            with thing:
                return thing.wait()

        with thing:
            assert thing.wait(0.001) is False
        waiting = start_asleep(3, wait)
        with thing:
            thing.notify(2)  # in the child of a fork, _waiters is right only from here on
            assert len(thing._waiters) == 1
        wait_until(lambda: waiting.finished == 2)
        with thing:
            thing.notify_all()
    assert all(waiting.join())


@forks
@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("reinit", [False, True])
def test_the_child_can_use_what_the_parents_threads_wait_for(name, reinit):
    wait, let_go, thing = waiters(name)
    waiting = start_asleep(CROWD, wait)

    def child():
        if reinit and hasattr(thing, "_at_fork_reinit"):
            thing._at_fork_reinit()
        # The waiters are not there: a release finds nobody, and stays.
        if "Semaphore" in name:
            thing.release(2)
            assert thing.acquire(False)
            assert thing.acquire(False)
        use(name, thing)

    Child(child).end()
    assert waiting.finished == 0
    let_go(CROWD)
    assert waiting.join() == [True] * CROWD
    use(name, thing)


@forks
@pytest.mark.parametrize("name", ["Semaphore", "Event", "Condition(RLock)", "Barrier"])
def test_fork_in_a_handler_that_interrupted_the_wait(name):
    # The child is in the middle of that wait too, and there as here somebody ends it.
    parent = os.getpid()
    children = []
    wait, let_go, thing = waiters(name)
    if name == "Barrier":
        thing = Barrier(2)
        wait, let_go = lambda i: thing.wait() is not None, lambda count: thing.wait()

    def end_the_wait(_):
        wait_until_asleep(os.getpid())
        let_go(1)

    def fork():
        pid = os.fork()
        if pid:
            children.append(pid)
        else:
            start_threads(1, end_the_wait)

    def interrupt():
        handler.strike()
        wait_until(lambda: children)
        end_the_wait(0)

    ended = False
    with handling(fork) as handler:
        interrupting = once_main_sleeps(interrupt)
        try:
            ended = wait(0)
        finally:
            if os.getpid() != parent:
                finish(lambda: [ended or 1 / 0, use(name, thing)])
        interrupting.join()
    assert ended is True
    end_of(children[0])
    use(name, thing)


@forks
@pytest.mark.parametrize("reset", [False, True])
def test_the_child_has_no_turn_of_an_action_that_its_parent_runs(reset):
    actions = []
    gate = Lock()
    gate.acquire()

    def action():
        actions.append(1)
        if len(actions) == 1:
            gate.acquire()

    def child():
        if reset:
            use("Barrier", barrier)
        crossing = start_threads(1, lambda i: barrier.wait())
        assert barrier.wait() + crossing.join()[0] == 1
        assert (barrier.n_waiting, barrier.broken) == (0, False)

    barrier = Barrier(2, action)
    crossing = start_threads(2, lambda i: barrier.wait())
    wait_until(lambda: actions)
    Child(child).end()
    gate.release()
    assert sorted(crossing.join()) == [0, 1]


@forks
def test_forks_in_a_storm():
    # fork() catches the others anywhere: in a queue, under a bucket lock, spinning, waking.
    things = Semaphore(2), Event(), Condition(), Barrier(2)
    semaphore, event, cond, barrier = things
    done = []

    def storm(i):
        n = 0
        while not done:
            n += 1
            with semaphore:
                event.set() if i % 2 else event.wait(0.0001)
            event.clear()
            with cond:
                cond.notify() if i % 2 else cond.wait(0.0001)
            try:
                barrier.wait(0.0002)
            except ftthreading.BrokenBarrierError:
                barrier.reset()
        return n

    def child():
        use("Event", event)
        use("Barrier", barrier)
        use("Semaphore", semaphore)
        cond._at_fork_reinit()  # a thread that is no more may hold the lock
        use("Condition", cond)

    storming = start_threads(6, storm)
    for _ in range(20):
        Child(child).end()
    done.append(True)
    assert min(run_threads(1, lambda _: storming.join())[0]) > 0


@forks
def test_destructors_of_dead_threads_use_primitives():
    run_destructors_of_dead_threads(
        """
semaphore, event = ftthreading.Semaphore(0), ftthreading.Event()
cond, go_on = ftthreading.Condition(), ftthreading.Event()
wait, let_go = go_on.wait, go_on.set

def delete():
    semaphore.release(2)
    event.set()
    with cond:
        cond.notify_all()
    return semaphore.acquire(timeout=0.001) and event.wait(0.001), semaphore._value
""",
        [(True, 1), (True, 2), (True, 3), (True, 4)],
    )
