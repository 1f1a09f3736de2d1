"""Programs that start processes: multiprocessing's helper threads, subprocess in many threads."""

from pathlib import Path

import pytest

from tests.support.interop import check_both

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

METHODS = ("spawn", "fork", "forkserver")

POOL = """
import multiprocessing
def square(x):
    if x == 13:
        raise LookupError("unlucky")
    return x * x
def fill(queue, number):
    for n in range(200):
        queue.put((number, n))  # through a feeder thread of the child
def main():
    context = multiprocessing.get_context(sys.argv[1])
    done, called = threading.Event(), []
    with context.Pool(2) as pool:
        print(sorted(pool.imap_unordered(square, range(12), chunksize=3)))
        pool.apply_async(square, (5,), callback=lambda x: (called.append(x), done.set()))
        print(done.wait(SECONDS), called)
        try:
            pool.apply_async(square, (13,)).get(SECONDS)
        except LookupError as error:
            print(repr(error))
        waiting = pool.map_async(square, range(3))
        show(handler=pool._worker_handler, tasks=pool._task_handler, results=pool._result_handler)
        show(event=waiting._event)
        print(waiting.get(SECONDS))
        pool.close()
        pool.join()
    queue = context.Queue()
    processes = [context.Process(target=fill, args=(queue, number)) for number in range(2)]
    for process in processes:
        process.start()
    found = [queue.get(timeout=SECONDS) for _ in range(400)]
    print(all([n for i, n in found if i == number] == [*range(200)] for number in range(2)))
    for process in processes:
        process.join(SECONDS)
    print([process.exitcode for process in processes])
    queue.put(None)
    show(feeder=queue._thread, notempty=queue._notempty)
    print(queue.get(timeout=SECONDS))
    queue.close()
    queue.join_thread()
if __name__ == "__main__":
    main()
"""

BARRIER = """
import multiprocessing
def pass_twice(number, barrier, answers):
    first = barrier.wait(SECONDS)
    answers.put((number, first, barrier.wait(SECONDS), barrier.parties))
def main():
    context = multiprocessing.get_context(sys.argv[1])
    barrier, answers = context.Barrier(3), context.SimpleQueue()
    show(waits=threading.Condition(), barrier=barrier)  # its class inherits from threading's
    processes = [
        context.Process(target=pass_twice, args=(i, barrier, answers)) for i in range(3)
    ]
    for process in processes:
        process.start()
    found = [answers.get() for _ in processes]
    print([sorted(column) for column in zip(*found)])
    for process in processes:
        process.join(SECONDS)
    print([process.exitcode for process in processes], barrier.n_waiting, barrier.broken)
    barrier.abort()
    try:
        barrier.wait(SECONDS)
    except threading.BrokenBarrierError as error:
        print(repr(error), barrier.broken)
    barrier.reset()
    print(repr(barrier).partition(" at ")[0], barrier.broken)
if __name__ == "__main__":
    main()
"""

MANAGER = """
import multiprocessing
def work(number, shared, lock, items, barrier):
    barrier.wait(SECONDS)
    for n in range(10):
        with lock:
            shared["sum"] += n
    items.put(number)
def main():
    context = multiprocessing.get_context(sys.argv[1])
    with context.Manager() as manager:
        shared, lock, items = manager.dict(sum=0), manager.Lock(), manager.Queue(2)
        barrier, event, condition = manager.Barrier(4), manager.Event(), manager.Condition()
        arguments = shared, lock, items, barrier
        processes = [context.Process(target=work, args=(i, *arguments)) for i in range(2)]
        for process in processes:
            process.start()
        threads = [threading.Thread(target=work, args=(i, *arguments)) for i in range(2, 4)]
        for thread in threads:
            thread.start()
        show(here=threading.Lock(), thread=threads[0])
        print(sorted(items.get(timeout=SECONDS) for _ in range(4)), shared["sum"])
        for each in (*processes, *threads):
            each.join(SECONDS)
        waiting = threading.Thread(target=event.wait, args=(SECONDS,))
        waiting.start()
        event.set()
        waiting.join(SECONDS)
        with condition:
            print(condition.wait(0.001), condition.wait_for(event.is_set, SECONDS))
        print(manager.RLock().acquire(), manager.BoundedSemaphore(2).acquire(), waiting.is_alive())
if __name__ == "__main__":
    main()
"""

# Python warns of a fork with threads in the way, and names its own process.
QUIET = ("-W", "ignore::DeprecationWarning")


@pytest.mark.parametrize("method", METHODS)
def test_pool_and_feeder_threads(tmp_path: Path, method: str) -> None:
    output = check_both(tmp_path, POOL, method, options=QUIET)
    assert output.splitlines()[-3:] == ["True", "[0, 0]", "None"]


@pytest.mark.parametrize("method", METHODS)
def test_barrier(tmp_path: Path, method: str) -> None:
    """Its class inherits from threading's, and brings the state that processes share."""
    output = check_both(tmp_path, BARRIER, method, options=QUIET)
    assert output.splitlines()[:2] == [
        "[[0, 1, 2], [0, 1, 2], [0, 1, 2], [3, 3, 3]]",
        "[0, 0, 0] 0 False",
    ]


@pytest.mark.parametrize("method", METHODS)
def test_manager(tmp_path: Path, method: str) -> None:
    """It hands classes of `threading` over to a process that may know only threading."""
    output = check_both(tmp_path, MANAGER, method, options=QUIET)
    assert output == "[0, 1, 2, 3] 180\nFalse True\nTrue True False\n"


def test_subprocess_in_threads(tmp_path: Path) -> None:
    program = """
import subprocess
child = "import sys; text = sys.stdin.read(); sys.stderr.write(text[::-1]); print(len(text))"
answers, late = {}, []
def ask(number):
    text = "%d," % number * 20000  # more than a pipe holds
    with subprocess.Popen(
        [sys.executable, "-c", child], text=True, stdin=-1, stdout=-1, stderr=-1
    ) as process:
        output, errors = process.communicate(text, timeout=SECONDS)
        answers[number] = output == f"{len(text)}\\n" and errors == text[::-1]
        show(**{f"waitpid{number}": process._waitpid_lock})
in_threads(4, ask)
print(answers == dict.fromkeys(range(4), True))
with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
    def wait(number):
        try:
            process.wait(0.01)
        except subprocess.TimeoutExpired:
            late.append(number)
        process.wait()
    waiting = threading.Thread(target=in_threads, args=(4, wait))
    waiting.start()
    while len(late) < 4:
        pass
    process.communicate(b"\\n", timeout=SECONDS)
    waiting.join(SECONDS)
print(sorted(late), process.returncode, waiting.is_alive())
"""
    assert check_both(tmp_path, program) == "True\n[0, 1, 2, 3] 0 False\n"
