"""The interpreter's own libraries on ftthreading: they work, and it is our objects they work with.

What CPython's own tests of them say is compared by ci/cpython-tests; here is what programs do.
"""

from pathlib import Path

import pytest

from tests.support.interop import check_both

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

PROGRAMS = {
    "futures": (
        """
from concurrent import futures
hold = threading.Event()
names = set()
with futures.ThreadPoolExecutor(4, "worker", initializer=lambda: names.add(1)) as pool:
    print(list(pool.map(lambda x: x * x, range(100))))
    first = [pool.submit(hold.wait, SECONDS), pool.submit(divmod, 7, 2)]
    done, pending = futures.wait(first, SECONDS, futures.FIRST_COMPLETED)
    print([each.result() for each in done], len(pending))
    hold.set()
    print(sorted(each.result(SECONDS) is True for each in futures.as_completed(first, SECONDS)))
    failed = pool.submit(int, "x")
    print(repr(failed.exception(SECONDS)))
    called = []
    failed.add_done_callback(called.append)
    print(called == [failed])
    show(lock=pool._shutdown_lock, semaphore=pool._idle_semaphore, condition=failed._condition)
    show(**{each.name.replace("-", "_").split("_")[0]: each for each in pool._threads})
hold.clear()
pool = futures.ThreadPoolExecutor(1)
running, waiting = pool.submit(hold.wait, SECONDS), pool.submit(print, "never")
while not running.running():
    pass
pool.shutdown(wait=False, cancel_futures=True)
print(waiting.cancelled(), names)
hold.set()
print(running.result(SECONDS))
""",
        "True {1}\nTrue\n",
    ),
    "queue": (
        """
import queue
for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue):
    items, results = kind(3), []
    def work(number):
        if number < 2:
            for n in range(200):
                items.put(number * 200 + n)
        else:
            for _ in range(100):
                results.append(items.get())
                items.task_done()
    in_threads(6, work)
    items.join()
    print(kind.__name__, sorted(results) == list(range(400)), items.qsize())
    show(mutex=items.mutex, empty=items.not_empty, full=items.not_full, done=items.all_tasks_done)
items, ends = queue.Queue(), []
def wait(number):
    try:
        items.get()
    except queue.ShutDown:
        ends.append("shut down")
waiting = threading.Thread(target=wait, args=(0,))
waiting.start()
items.shutdown()
waiting.join(SECONDS)
print(ends)
try:
    queue.SimpleQueue().get(timeout=0.001)
except queue.Empty:
    print("empty")
""",
        "['shut down']\nempty\n",
    ),
    "logging": (
        """
import logging, logging.handlers, queue
class Keep(logging.Handler):
    def emit(self, record):
        assert threading.current_thread() is listener._thread
        kept.append((record.threadName, record.getMessage()))
kept, records, handler = [], queue.Queue(), Keep()
listener = logging.handlers.QueueListener(records, handler)
log = logging.getLogger("app")
log.propagate = False
log.setLevel("INFO")
log.addHandler(logging.handlers.QueueHandler(records))
listener.start()
show(thread=listener._thread, handler=handler.lock, module=logging._lock, queue=records.mutex)
def work(number):
    threading.current_thread().name = f"worker {number}"
    for n in range(50):
        log.info("%d of %d", n, number)
        logging.getLogger(f"app.{number}.{n}")
in_threads(8, work)
listener.stop()
print(all(
    [text for name, text in kept if name == f"worker {i}"] == [f"{n} of {i}" for n in range(50)]
    for i in range(8)
), len(kept))
""",
        "True 400\n",
    ),
    "asyncio": (
        """
import asyncio, contextvars
variable = contextvars.ContextVar("variable")
async def double(x):
    await asyncio.sleep(0)
    return 2 * x
async def fail():
    raise LookupError("lost")
async def main():
    loop = asyncio.get_running_loop()
    here = threading.get_ident()
    variable.set("kept")
    print(await asyncio.to_thread(variable.get))
    others = await asyncio.gather(*(loop.run_in_executor(None, threading.get_ident) for _ in "123"))
    print(here not in others)
    await asyncio.gather(*(asyncio.to_thread(divmod, n, 3) for n in range(50)))
    executor = loop._default_executor
    show(lock=executor._shutdown_lock, thread=next(iter(executor._threads)))
    asked, answers, told = asyncio.Event(), [], []
    def alien(number):
        for n in range(50):
            future = asyncio.run_coroutine_threadsafe(double(n), loop)
            answers.append(future.result(SECONDS))
        lost = asyncio.run_coroutine_threadsafe(fail(), loop)
        answers.append(str(lost.exception(SECONDS)))
        show(**{f"condition{number}": lost._condition})
        loop.call_soon_threadsafe(told.append, number)
        if number == 3:
            loop.call_soon_threadsafe(asked.set)
    await asyncio.to_thread(in_threads, 4, alien)
    await asked.wait()
    print(sorted(answers, key=str) == sorted(4 * [*range(0, 100, 2), "lost"], key=str))
    print(sorted(told))
    try:
        await asyncio.wait_for(asyncio.to_thread(hold.wait, SECONDS), 0.01)
    except TimeoutError:
        print("timeout")
    hold.set()
hold = threading.Event()
asyncio.run(main())
print([each for each in threading.enumerate() if each is not threading.main_thread()])
""",
        "timeout\n[]\n",
    ),
    "socketserver": (
        """
import socket, socketserver
class Upper(socketserver.StreamRequestHandler):
    def handle(self):
        handlers.add(threading.current_thread())
        for line in self.rfile:
            self.wfile.write(line.upper())
handlers, answers = set(), {}
def ask(number):
    with socket.create_connection(server.server_address, SECONDS) as connection:
        with connection.makefile("rwb") as file:
            for n in range(20):
                file.write(f"line {number} {n}\\n".encode())
                file.flush()
                answers[number, n] = file.readline()
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upper) as server:
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    in_threads(8, ask)
    show(serving=serving, down=server._BaseServer__is_shut_down, handler=next(iter(handlers)))
    server.shutdown()
    serving.join(SECONDS)
print(all(text == f"LINE {i} {n}\\n".encode() for (i, n), text in answers.items()), len(answers))
print(len(handlers), any(each.is_alive() for each in (*handlers, serving)))
""",
        "True 160\n8 False\n",
    ),
    "sqlite3": (
        """
import sqlite3
connection, lock = sqlite3.connect(":memory:", check_same_thread=False), threading.RLock()
def step(x):
    with lock:  # called by SQLite, below the thread that has the lock
        return x + 1
connection.create_function("step", 1, step)
connection.execute("CREATE TABLE t (thread, n)")
def work(number):
    for n in range(50):
        with lock, connection:
            connection.execute("INSERT INTO t VALUES (?, step(?))", (number, n))
in_threads(8, work)
show(rlock=lock)
print(connection.execute("SELECT count(*), count(DISTINCT thread), sum(n) FROM t").fetchone())
own, refused = sqlite3.connect(":memory:"), []
def trespass(number):
    try:
        own.execute("SELECT 1")
    except sqlite3.ProgrammingError as error:
        refused.append(str(error).partition(".")[0])
in_threads(1, trespass)
print(refused)
connection.close(); own.close()
""",
        "(400, 8, 10200)\n",
    ),
    "sched": (
        """
import sched, time
stop, ran = threading.Event(), []
scheduler = sched.scheduler(time.monotonic, stop.wait)
def plan(number):
    for n in range(20):
        scheduler.enter(0.001 * n, number, ran.append, (number,))
in_threads(4, plan)
late = scheduler.enter(3600, 0, print)
for event in scheduler.queue:
    if event is not late and event.priority == 3:
        scheduler.cancel(event)
scheduler.cancel(late)
running = threading.Thread(target=scheduler.run)
running.start()
running.join(SECONDS)
show(lock=scheduler._lock, stop=stop, thread=running)
print({number: ran.count(number) for number in range(4)}, scheduler.empty())
""",
        "{0: 20, 1: 20, 2: 20, 3: 0} True\n",
    ),
    "contextvars": (
        """
import contextvars, decimal
variable = contextvars.ContextVar("variable", default="none")
seen, lock, barrier = {}, threading.Lock(), threading.Barrier(4)
context = contextvars.copy_context()
context.run(variable.set, "given")
variable.set("main")
def work(number):
    before = variable.get()
    token = variable.set(number)
    decimal.getcontext().prec = 5 + number
    barrier.wait(SECONDS)
    with lock:
        seen[number] = before, variable.get(), str(decimal.Decimal(1) / 3)
    variable.reset(token)
    assert variable.get() == before
in_threads(4, work)
show(barrier=barrier, plain=lock)
thread = threading.Thread(target=lambda: context.run(lambda: seen.update(run=variable.get())))
thread.start(); thread.join(SECONDS)
if sys.version_info >= (3, 14):
    thread = threading.Thread(target=lambda: seen.update(own=variable.get()), context=context)
    thread.start(); thread.join(SECONDS)
    assert seen.pop("own") == "given"
print(sorted(seen.items(), key=str), variable.get())
""",
        "[('run', 'given'), (0, (",
    ),
    "weakref": (
        """
import gc, weakref
class Node:
    def __init__(self): self.me = self
gone, freed = threading.Event(), threading.Semaphore(0)
condition = threading.Condition()
weakref.finalize(node := Node(), gone.set)
others = [weakref.ref(Node(), lambda _: freed.release()) for _ in range(3)]
values = weakref.WeakValueDictionary()
keys = weakref.WeakKeyDictionary()
def work(number):
    for n in range(200):
        values[n], keys[lock] = (lock := threading.RLock()), n
        with condition:
            keys[condition] = n
in_threads(4, work)
del node
gc.collect()
print(gone.wait(SECONDS), [freed.acquire(timeout=SECONDS) for _ in range(3)])
show(gone=gone, freed=freed, condition=condition)
thread = threading.Thread(target=gone.wait)
dead = weakref.ref(thread)
thread.start(); thread.join(SECONDS)
del thread
gc.collect()
print(dead(), len(values), list(keys) == [condition])
""",
        "True [True, True, True]\nNone 0 True\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_library(tmp_path: Path, name: str) -> None:
    program, expected = PROGRAMS[name]
    assert expected in check_both(tmp_path, program)
