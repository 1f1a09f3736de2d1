"""Tools that look into a program's threads, on ftthreading: they see what they see on threading."""

import re
from pathlib import Path

import pytest

from tests.support import CHECKOUT
from tests.support.interop import PRELUDE, check_both
from tests.support.launching import LAUNCHER, place, run

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

BLOCKED = """
import faulthandler, os
sys.path.append(sys.argv[1])
from tests.support.asleep import wait_until_asleep
natives = []
def alone(function):
    def main():
        natives.append(threading.get_native_id())
        function()
    return main
lock, rlock, condition = threading.Lock(), threading.RLock(), threading.Condition()
semaphore, bounded = threading.Semaphore(0), threading.BoundedSemaphore(1)
event, barrier = threading.Event(), threading.Barrier(2)
def in_lock():
    lock.acquire()  # blocked
def in_with_lock():
    with lock:  # blocked
        pass
def in_rlock():
    rlock.acquire(timeout=600)  # blocked
def in_condition():
    with condition:
        condition.wait()  # blocked
def in_wait_for():
    with condition:
        condition.wait_for(lambda: False)  # blocked
def in_semaphore():
    with semaphore:  # blocked
        pass
def in_bounded():
    bounded.acquire()  # blocked
def in_event():
    event.wait()  # blocked
def in_barrier():
    barrier.wait()  # blocked
def in_join():
    others[0].join()  # blocked
lock.acquire(), rlock.acquire(), bounded.acquire()
functions = [value for name, value in list(globals().items()) if name.startswith("in_")]
functions.remove(in_threads)
others = [threading.Thread(target=alone(each), daemon=True) for each in functions]
for thread in others:
    thread.start()
while len(natives) < len(others):
    pass
for native in natives:
    wait_until_asleep(native)
show(lock=lock, rlock=rlock, condition=condition, semaphore=semaphore, event=event, barrier=barrier)
sys.stdout.flush()
faulthandler.dump_traceback(file=1, all_threads=True)
os._exit(0)
"""


def test_faulthandler_names_the_line_at_which_a_thread_is_blocked(tmp_path: Path) -> None:
    source = PRELUDE + BLOCKED
    operands, _ = place(tmp_path, "script", source)
    code, output, errors = run(tmp_path, *LAUNCHER, *operands, str(CHECKOUT))
    assert (code, errors) == (0, ""), errors
    assert "False" not in re.findall(r"^SHOWN \w+ (\w+)$", output, re.MULTILINE)
    expected = {}
    function = ""
    for number, line in enumerate(source.splitlines(), 1):
        if match := re.match(r"def (\w+)", line):
            function = match[1]
        if line.endswith("# blocked"):
            expected[function] = number
    assert len(expected) == 10
    stacks = output.partition("Thread 0x")[2].split("\n\n")
    assert len(stacks) == len(expected) + 1
    found: dict[str, int] = {}
    for stack in stacks:
        frames = re.findall(r'^  File "(.*)", line (\d+) in (\S+)', stack, re.MULTILINE)
        ours = [(name, int(line)) for file, line, name in frames if file.endswith("app.py")]
        found.update([ours[0]])
        # The primitives are C: no Python frame lies above the line that called them, but for
        # those that are the interpreter's own.
        own = ("in_join", "in_wait_for")
        assert frames[0][0].endswith("app.py") or ours[0][0] in own, stack
    assert {name: found[name] for name in expected} == expected


PROGRAMS = {
    "tracemalloc": (
        """
import tracemalloc
held, lock = [], threading.Lock()
def work(number):
    kept = [threading.Lock() for _ in range(100)]  # here
    with lock:
        held.extend(kept)
tracemalloc.start(2)
in_threads(4, work)
places = {tracemalloc.get_object_traceback(each)[-1].lineno for each in held}
mine = tracemalloc.Filter(True, __file__)
snapshot = tracemalloc.take_snapshot().filter_traces([mine])
most = snapshot.statistics("lineno")[0]
here = next(n for n, text in enumerate(open(__file__), 1) if text.rstrip().endswith("# here"))
show(first=held[0])
print(places == {here}, most.traceback[0].lineno == here, most.count >= 400)
held.clear()
after = tracemalloc.take_snapshot().filter_traces([mine]).statistics("lineno")
print(all(each.traceback[0].lineno != here or each.count < 10 for each in after))
""",
        "True True True\nTrue\n",
    ),
    "cProfile": (
        """
import cProfile
# In the main thread, and alone: on 3.13t enable() can hang beside other threads, on threading too.
lock = threading.Lock()
def step():
    with lock:
        pass
    lock.acquire()
    lock.release()
def work():
    for _ in range(30):
        step()
profile = cProfile.Profile()
profile.runcall(work)
show(lock=lock)
names = [each.code if isinstance(each.code, str) else each.code.co_name
         for each in profile.getstats() for _ in range(each.callcount)]
print(names.count("work"), names.count("step"))
print([sum(name.startswith(f"<method '{each}' of") for name in names)
       for each in ("acquire", "release")])
""",
        "1 30\n[30, 30]\n",
    ),
    "setprofile": (
        """
calls, lock = {}, threading.Lock()
def profile(frame, event, argument):
    if event == "call" and frame.f_code.co_filename == __file__:
        key = threading.current_thread().name, frame.f_code.co_name
        calls[key] = calls.get(key, 0) + 1
    if event == "c_call" and getattr(argument, "__name__", "") in ("acquire", "release"):
        key = threading.current_thread().name, argument.__name__
        calls[key] = calls.get(key, 0) + 1
def step():
    lock.acquire()
    lock.release()
def work(number):
    threading.current_thread().name = f"worker {number}"
    for _ in range(10):
        step()
threading.setprofile(profile)
in_threads(3, work)
threading.setprofile(None)
in_threads(1, work)
show(lock=lock, thread=threading.Thread())
print([(key, count) for key, count in sorted(calls.items()) if key[0].startswith("worker")])
""",
        "(('worker 2', 'release'), 10), (('worker 2', 'step'), 10)]\n",
    ),
    "coverage": (
        """
import collections
lines, condition, ready = collections.Counter(), threading.Condition(), []
def trace(frame, event, argument):
    if frame.f_code.co_filename != __file__ or frame.f_code.co_name not in ("produce", "consume"):
        return None
    if event == "line":
        with guard:
            lines[frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno] += 1
    return trace
def produce():
    for n in range(5):
        with condition:
            ready.append(n)
            condition.notify()
def consume():
    for _ in range(5):
        with condition:
            condition.wait_for(ready.__len__, SECONDS)
            ready.pop()
    if ready is None:
        print("never")
guard = threading.Lock()
threading.settrace(trace)
in_threads(2, lambda number: (produce, consume)[number]())
threading.settrace(None)
show(condition=condition, guard=guard)
print(sorted(lines.items()))
""",
        "(('consume', 5), 1), (('produce', 1), 6), (('produce', 2), 10)",
    ),
    "trace": (
        """
import trace
semaphore = threading.Semaphore(1)
def work(number):
    for n in range(3):
        with semaphore:
            total.append(n)  # here
total = []
tracer = trace.Trace(count=1, trace=0)
tracer.runctx("in_threads(4, work)", globals())
here = next(n for n, text in enumerate(open(__file__), 1) if text.rstrip().endswith("# here"))
counts = {line: count for (file, line), count in tracer.results().counts.items()
          if file == __file__ and abs(line - here) < 3}
show(semaphore=semaphore, thread=threading.Thread())
print(sorted(line - here for line in counts), len(total))
""",
        "[-2, -1, 0] 12\n",
    ),
    "bdb": (
        """
import bdb
class Debugger(bdb.Bdb):
    def user_line(self, frame):
        if frame.f_code.co_name == "work":
            stops.append((frame.f_lineno - frame.f_code.co_firstlineno, dict(frame.f_locals)))
            if frame.f_locals.get("x") == 1:
                self.set_next(frame)
                return
        self.set_continue()
lock, event, stops = threading.Lock(), threading.Event(), []
def work(x):
    with lock:
        y = x + 1
    event.set()
    return y
def debug(number):
    debugger = Debugger()
    debugger.set_break(__file__, work.__code__.co_firstlineno + 2)
    print(debugger.runcall(work, number))
for number in range(2):  # where it stopped, and each line from there on
    in_threads(1, lambda _: debug(number))
show(lock=lock, event=event)
print(stops, event.is_set())
""",
        "True\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_tool(tmp_path: Path, name: str) -> None:
    program, expected = PROGRAMS[name]
    assert expected in check_both(tmp_path, program)


def test_pdb_in_a_thread(tmp_path: Path) -> None:
    """The stack of a thread in a debugger ends where it does under plain python."""
    source = """
lock, event = threading.Lock(), threading.Event()
show(lock=lock, event=event)
def work(number):
    with lock:
        breakpoint()
        here = "stopped"
        event.set()
in_threads(1, work)
print("end", event.is_set())
"""
    typed = (
        "n\nn\np here\np lock.locked()\np threading.current_thread().name\nn\np event.is_set()\n"
    )
    output = check_both(tmp_path, source, input=typed + "c\n")
    assert "'stopped'" in output
    assert output.endswith("end True\n")
