"""billiard: its pool bounds itself by a semaphore of threading whose inside it uses."""

import threading
import time

import billiard
import pytest
from billiard.pool import LaxBoundedSemaphore, Pool, ThreadPool

SECONDS = 20.0


def double(number):
    return number * 2


def fail(number):
    raise ValueError(number)


def test_lax_semaphore():
    semaphore = LaxBoundedSemaphore(2)
    assert semaphore.acquire(False)
    semaphore.release()
    semaphore.release()  # one too many is no fault
    assert [semaphore.acquire(False) for _ in range(3)] == [True, True, False]
    semaphore.grow()
    assert [semaphore.acquire(False) for _ in range(2)] == [True, False]
    semaphore.release()
    semaphore.shrink()
    assert not semaphore.acquire(False)
    semaphore.clear()
    assert [semaphore.acquire(False) for _ in range(3)] == [True, True, False]


def test_lax_semaphore_wakes_a_waiter():
    semaphore = LaxBoundedSemaphore(1)
    semaphore.acquire()
    got = []
    thread = threading.Thread(target=lambda: got.append(semaphore.acquire(timeout=SECONDS)))
    thread.start()
    semaphore.grow()
    thread.join(SECONDS)
    assert got == [True]


@pytest.mark.parametrize("putlocks", [False, True])
def test_pool(putlocks):
    pool = Pool(2, putlocks=putlocks)
    try:
        results = [pool.apply_async(double, (number,)) for number in range(20)]
        assert [each.get(SECONDS) for each in results] == [2 * number for number in range(20)]
        assert pool.map(double, range(10)) == [2 * number for number in range(10)]
        with pytest.raises(ValueError, match="7"):
            pool.apply_async(fail, (7,)).get(SECONDS)
        pool.grow(1)
        pool.shrink(1)
        assert pool.apply(double, (4,)) == 8
        pool.close()
    finally:
        pool.terminate()
        pool.join()


def test_workers_are_replaced():
    pool = Pool(2, maxtasksperchild=2)
    try:
        results = [pool.apply_async(double, (number,)) for number in range(8)]
        assert [each.get(SECONDS) for each in results] == [2 * number for number in range(8)]
    finally:
        pool.terminate()
        pool.join()


def test_thread_pool():
    pool = ThreadPool(3)
    try:
        assert pool.map(double, range(10)) == [2 * number for number in range(10)]
    finally:
        pool.terminate()


def _meet(barrier, queue):
    queue.put(barrier.wait(SECONDS))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_synchronize(method):
    context = billiard.get_context(method)
    barrier, queue = context.Barrier(3), context.Queue()
    workers = [context.Process(target=_meet, args=(barrier, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    got = [barrier.wait(SECONDS), queue.get(timeout=SECONDS), queue.get(timeout=SECONDS)]
    for worker in workers:
        worker.join(SECONDS)
    assert sorted(got) == [0, 1, 2]
    event, condition = context.Event(), context.Condition()
    event.set()
    assert event.wait(0)
    with condition:
        condition.notify_all()
        assert not condition.wait(0.01)


def test_time_limit():
    pool = Pool(1, timeout=0.5, enable_timeouts=True)
    try:
        with pytest.raises(billiard.exceptions.TimeLimitExceeded):
            pool.apply_async(time.sleep, (SECONDS,)).get(SECONDS)
    finally:
        pool.terminate()
        pool.join()
