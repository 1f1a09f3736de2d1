"""fork() and the lock of threading's registry of threads, which ftthreading holds meanwhile."""

from __future__ import annotations

from tests.support import run_python
from tests.support.forking import marks

pytestmark = marks


def test_a_foreign_thread_that_is_known_and_a_registry_that_is_held() -> None:
    """Its entry goes when the child clears what dead threads left, and takes the held lock."""
    run_python(
        """
import _thread, os, threading
import ftthreading._thread
from tests.support import wait_until
from tests.support.asleep import wait_until_asleep
from tests.support.forking import Child

ftthreading._thread._PATIENCE = 60
gate = _thread.allocate_lock()
gate.acquire()

def foreign():
    threading.current_thread()
    gate.acquire()

_thread.start_new_thread(foreign, ())
wait_until(lambda: len(threading.enumerate()) == 2)
registry = threading._active_limbo_lock
held, forking = threading.Event(), threading.Event()

def holder(main):
    with registry:
        held.set()
        forking.wait()
        wait_until_asleep(main)

_thread.start_new_thread(holder, (_thread.get_native_id(),))
held.wait()
os.register_at_fork(before=forking.set)  # the last to register is the first to be called
Child(lambda: None).end()
assert not registry._is_owned()
assert len(threading.enumerate()) == 2
with threading._active_limbo_lock:  # held by nobody
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert registry._recursion_count() == 1
gate.release()
"""
    )


def test_a_fork_within_a_fork_leaves_the_registry_free() -> None:
    """By a handler that runs after ours has taken the lock, for it was registered before."""
    out = run_python(
        """
import os, threading

done = []

def again():
    if not done:
        done.append(1)
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        assert os.waitpid(pid, 0) == (pid, 0)

os.register_at_fork(before=again)
import ftthreading
import ftthreading._thread
registry = threading._active_limbo_lock
pid = os.fork()
if pid == 0:
    os._exit(0 if done and not registry._is_owned() else 1)
assert os.waitpid(pid, 0) == (pid, 0)
assert done and not registry._is_owned()
assert ftthreading._thread._forking == {}
print("done")
"""
    )
    assert (out.stdout, out.stderr) == ("done\n", "")


def test_a_registry_with_a_lock_of_a_tools_own_is_left_alone() -> None:
    out = run_python(
        """
import os, threading
import ftthreading

class Green:
    def __enter__(self): pass
    def __exit__(self, *_): pass

threading._active_limbo_lock = Green()
pid = os.fork()
if pid == 0:
    os._exit(0)
assert os.waitpid(pid, 0) == (pid, 0)
print("done")
"""
    )
    assert (out.stdout, out.stderr) == ("done\n", "")
