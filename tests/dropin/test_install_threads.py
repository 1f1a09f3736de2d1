"""`install` and `uninstall` while threads run, and with what they made before and after."""

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import ftthreading
from tests.support import SECONDS, wait_until
from tests.support.installing import PLAIN, plain_threading  # noqa: F401

pytestmark = [
    pytest.mark.thread_unsafe(reason="changes the threading module"),
    pytest.mark.usefixtures("plain_threading"),
]


def join(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


class TestThreads:
    def test_concurrent_calls(self) -> None:
        barrier = PLAIN["Barrier"](8)
        errors: list[BaseException] = []

        def change(number: int) -> None:
            try:
                barrier.wait(SECONDS)
                for _ in range(30):
                    if number % 2:
                        record = ftthreading.install()
                        assert record.replaced["Lock"] is PLAIN["Lock"]
                    else:
                        assert ftthreading.uninstall() == {}
                    assert threading.Lock in (PLAIN["Lock"], ftthreading.Lock)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        join(*threads)
        assert errors == []
        assert ftthreading.uninstall() == {}
        assert vars(threading) == PLAIN

    def test_one_registry(self) -> None:
        seen: dict[str, object] = {}
        done = PLAIN["Semaphore"](0)

        def look(name: str) -> None:
            mine = [threading.current_thread(), ftthreading.current_thread()]
            assert mine[0] in threading.enumerate()
            assert mine[0] in ftthreading.enumerate()
            seen[name] = (mine[0] is mine[1], mine[0].name)
            done.release()

        def start_all(kind: str) -> None:
            for module in (threading, ftthreading):
                name = f"{kind} {module.__name__}"
                thread = module.Thread(target=look, args=(name,), name=name)
                thread.start()
                join(thread)
                assert done.acquire(timeout=SECONDS)
                assert seen[name] == (True, name)
            import _thread

            _thread.start_new_thread(look, (f"{kind} raw",))
            assert done.acquire(timeout=SECONDS)
            assert seen[f"{kind} raw"][0] is True  # type: ignore[index]

        start_all("before")
        ftthreading.install()
        start_all("during")
        assert threading.main_thread() is ftthreading.main_thread()
        assert isinstance(threading.main_thread(), ftthreading.Thread)
        assert threading.active_count() == ftthreading.active_count()
        ftthreading.uninstall()
        start_all("after")

    @pytest.mark.parametrize("installed", [False, True], ids=["plain", "installed"])
    def test_logging_names_the_thread(
        self, installed: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        if installed:
            ftthreading.install()
        for number, module in enumerate((threading, ftthreading)):
            thread = module.Thread(target=logging.warning, args=("x",), name=f"worker {number}")
            thread.start()
            join(thread)
        assert [record.threadName for record in caplog.records] == ["worker 0", "worker 1"]

    def test_new_threads_use_our_event(self) -> None:
        """The interpreter's Thread looks Event up when it is made: that is intended."""
        ftthreading.install()
        thread = threading.Thread(target=lambda: None)
        assert isinstance(vars(thread)["_started"], ftthreading.Event)
        thread.start()
        join(thread)


class Early(PLAIN["Thread"]):  # type: ignore[misc,name-defined,valid-type]
    pass


class TestClasses:
    def test_a_class_defined_before(self) -> None:
        early, timer = Early(), PLAIN["Timer"](0, int)
        for _ in range(2):
            assert isinstance(early, threading.Thread)
            assert isinstance(timer, threading.Timer)
            assert isinstance(threading.main_thread(), ftthreading.Thread)
            assert issubclass(Early, ftthreading.Thread)
            ftthreading.install()
        for thread in (early, timer):
            thread.start()
        join(early, timer)


class TestOldObjects:
    """What was made before, and what is made later from an old class, keeps working."""

    def test_held_lock(self) -> None:
        lock, rlock = PLAIN["Lock"](), PLAIN["RLock"]()
        with lock, rlock:
            ftthreading.install()
            assert lock.locked()
            with rlock:
                assert not lock.acquire(blocking=False)
        assert lock.acquire(timeout=0)

    def test_waiting_threads(self) -> None:
        """Waiting began under the one module and ends under the other."""
        condition, event, semaphore = PLAIN["Condition"](), PLAIN["Event"](), PLAIN["Semaphore"](0)
        barrier = PLAIN["Barrier"](2)
        through: list[str] = []
        flag = False

        def wait_for_condition() -> None:
            with condition:
                assert condition.wait_for(lambda: flag, SECONDS)
            through.append("condition")

        def wait_for(name: str, wait: Any) -> None:
            assert wait(timeout=SECONDS) is not None
            through.append(name)

        waits = {"event": event.wait, "semaphore": semaphore.acquire, "barrier": barrier.wait}
        threads = [threading.Thread(target=wait_for, args=item) for item in waits.items()]
        threads.append(threading.Thread(target=wait_for_condition))
        for thread in threads:
            thread.start()
        conditions = [condition, event._cond, semaphore._cond]
        wait_until(lambda: all(c._waiters for c in conditions) and barrier.n_waiting == 1)
        ftthreading.install()
        with condition:
            flag = True
            condition.notify_all()
        event.set()
        semaphore.release()
        barrier.wait(SECONDS)
        join(*threads)
        assert sorted(through) == ["barrier", "condition", "event", "semaphore"]

    def test_old_classes_make_working_objects(self) -> None:
        ftthreading.install()
        event, barrier = PLAIN["Event"](), PLAIN["Barrier"](2)
        semaphore, condition = PLAIN["BoundedSemaphore"](2), PLAIN["Condition"]()
        thread = threading.Thread(target=lambda: (barrier.wait(SECONDS), event.set()))
        thread.start()
        barrier.wait(SECONDS)
        assert event.wait(SECONDS)
        join(thread)
        with semaphore, condition:
            assert not condition.wait(0)
        with pytest.raises(ValueError, match="released too many"):
            semaphore.release()

    def test_condition_over_a_lock_of_the_other_kind(self) -> None:
        ftthreading.install()
        for condition in (
            threading.Condition(PLAIN["Lock"]()),
            threading.Condition(PLAIN["RLock"]()),
            PLAIN["Condition"](threading.Lock()),
            PLAIN["Condition"](threading.RLock()),
        ):
            with condition:
                assert not condition.wait(0)
                condition.notify()


def run(code: str) -> subprocess.CompletedProcess[str]:
    path = [str(Path(ftthreading.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


WHOLE_PROGRAMS = {
    "ends_installed": """
import ftthreading, threading
ftthreading.install()
def work(): threading.main_thread().join(); print("ok")
threading.Thread(target=work).start()
""",
    "forks": """
import os, threading
before = threading.Thread(target=threading.Event().wait, daemon=True); before.start()
import ftthreading
ftthreading.install()
after = threading.Thread(target=threading.Event().wait, daemon=True); after.start()
pid = os.fork()
if pid == 0:
    thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
    alive = [t.is_alive() for t in (before, after, thread, threading.main_thread())]
    assert ftthreading.uninstall() == {} and alive == [False, False, False, True], alive
    os._exit(0)
print("ok" if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 else "child failed")
""",
    "installed_in_a_thread": """
import threading
def install():
    import ftthreading
    ftthreading.install()
thread = threading.Thread(target=install); thread.start(); thread.join()
import ftthreading, queue
assert type(queue.Queue().mutex) is ftthreading.Lock
print("ok")
""",
    "installed_in_a_signal_handler": """
import signal, threading, ftthreading
signal.signal(signal.SIGALRM, lambda *_: (ftthreading.uninstall(), ftthreading.install()))
for i in range(300):
    signal.setitimer(signal.ITIMER_REAL, (i % 20 + 1) * 50e-6)
    ftthreading.install()
    ftthreading.uninstall()
signal.setitimer(signal.ITIMER_REAL, 0)
ftthreading.install()
assert threading.Lock is ftthreading.Lock and ftthreading.uninstall() == {}
print("ok")
""",
    "early_from_import": """
from threading import Lock, RLock as R, Event
import ftthreading
record = ftthreading.install()
assert record.stale["__main__"] == ("Event", "Lock", "R"), record.stale
print("ok")
""",
}


@pytest.mark.parametrize("code", WHOLE_PROGRAMS.values(), ids=WHOLE_PROGRAMS)
def test_whole_program(code: str) -> None:
    process = run(f"import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n{code}")
    assert (process.returncode, process.stdout, process.stderr) == (0, "ok\n", "")
