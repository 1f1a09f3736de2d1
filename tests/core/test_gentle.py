"""FTTHREADING_GENTLE: waiters that let the thread that wakes them go first (core/parking/policy.h).

How often they do is the scheduler's affair; that the switch is read is what is tested here, and
that everything works with it.
"""

import os
import sysconfig

import pytest

from tests.support import run_python

PROGRAM = """
import threading
import ftthreading, ftthreading._core as core

def events(mine, other):
    for _ in range(200):
        mine.wait()
        mine.clear()
        other.set()

def semaphores(mine, other):
    for _ in range(200):
        mine.acquire()
        other.release()

def locks(mine, other):
    for _ in range(200):
        mine.acquire()
        other.release()

def conditions(mine, other):
    for _ in range(200):
        with condition:
            condition.wait_for(lambda: turn[0] == mine)
            turn[0] = other
            condition.notify_all()

def pair(function, first, second):
    threads = [threading.Thread(target=function, args=arguments)
               for arguments in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

first, second = ftthreading.Event(), ftthreading.Event()
first.set()
pair(events, first, second)
pair(semaphores, ftthreading.Semaphore(1), ftthreading.Semaphore(0))
first, second = ftthreading.Lock(), ftthreading.Lock()
second.acquire()
pair(locks, first, second)
condition, turn = ftthreading.Condition(), [1]
pair(conditions, 1, 2)
print(core._spin_limit())
"""

PARALLEL = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and len(os.sched_getaffinity(0)) > 1


@pytest.mark.thread_unsafe(reason="starts an interpreter, slow to do eight times")
@pytest.mark.parametrize("value", ["", "0", "1"])
def test_the_switch_is_read(value: str) -> None:
    spins = int(run_python(PROGRAM, env={"FTTHREADING_GENTLE": value}).stdout)
    assert (spins > 0) == (PARALLEL and value != "1")
