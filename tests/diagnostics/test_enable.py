"""enable() and disable(): from several threads, through forks, beside other handlers of signals."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.support import SECONDS

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters")

BEGIN = """
import os, resource, signal, sys, threading, time, warnings
import ftthreading
from ftthreading import diagnostics
from ftthreading.diagnostics import _deadlocks

warnings.simplefilter("ignore")
SECONDS = 30

class File:
    def __init__(self):
        self.dumps = 0
        self.more = threading.Semaphore(0)

    def write(self, text):
        self.dumps += 1
        self.more.release()

    def flush(self):
        pass

file = File()
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(source)],
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
        check=False,
    )


def test_signal_while_forking_ends_nobody() -> None:
    done = run(
        """
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        me, child = os.getpid(), os.fork()
        if child == 0:
            while os.getppid() == me:
                os.kill(me, signal.SIGUSR1)
            os._exit(0)
        for _ in range(100):
            each = os.fork()
            if each == 0:
                os._exit(0)
            assert os.waitpid(each, 0)[1] == 0
        os.kill(child, signal.SIGKILL)
        assert file.more.acquire(timeout=SECONDS)
        print("lives")
        """
    )
    assert done.returncode == 0, done.stderr
    assert "lives" in done.stdout


def test_child_of_a_fork_is_told_of_its_own_signals() -> None:
    done = run(
        """
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGUSR1)
            os._exit(0 if file.more.acquire(timeout=SECONDS) else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert file.dumps == 0
        os.kill(os.getpid(), signal.SIGUSR1)
        assert file.more.acquire(timeout=SECONDS)
        """
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("then", ["diagnostics.disable()", "os.fork() or os._exit(0)"])
def test_handler_that_the_program_has_set_since_stays(then: str) -> None:
    done = run(
        f"""
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
        {then}
        os.kill(os.getpid(), signal.SIGUSR1)
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "handled\n"


def test_handler_from_before_comes_back() -> None:
    done = run(
        """
        signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert file.more.acquire(timeout=SECONDS)
        diagnostics.disable()
        os.kill(os.getpid(), signal.SIGUSR1)
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "handled\n"


def test_several_threads_switch_it() -> None:
    done = run(
        """
        def switch():
            for i in range(30):
                diagnostics.enable(deadlocks="report", file=file)
                if i % 3 == 0:
                    diagnostics.disable()

        threads = [threading.Thread(target=switch) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        diagnostics.disable()
        print(len(_deadlocks.own), len(sys._current_frames()))
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 1\n"


def test_file_that_cannot_be_written() -> None:
    """Not now; the next dump may be."""
    done = run(
        """
        class Full(File):
            def write(self, text):
                super().write(text)
                if self.dumps == 1:
                    raise OSError("full")

        file = Full()
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert file.more.acquire(timeout=SECONDS)
        """
    )
    assert done.returncode == 0, done.stderr


def test_many_open_files() -> None:
    """More than select() can take."""
    done = run(
        """
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < 1200:
            sys.exit(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1200, hard))
        null = os.open(os.devnull, os.O_RDONLY)
        while os.dup(null) < 1100:
            pass
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert file.more.acquire(timeout=SECONDS)
        """
    )
    assert done.returncode == 0, done.stderr


def test_fork_does_not_wait_for_who_reads_the_report() -> None:
    """A write that waits for what the forking thread has."""
    done = run(
        """
        has = threading.Lock()

        class Locked(File):
            def write(self, text):
                super().write(text)
                with has:
                    pass

        file = Locked()
        diagnostics.enable(signal=signal.SIGUSR1, file=file)
        with has:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert file.more.acquire(timeout=SECONDS)
            child = os.fork()
            if child == 0:
                os._exit(0)
        os.waitpid(child, 0)
        print("over")
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "over\n"


def test_deadlock_in_a_program_that_forks_all_the_time() -> None:
    done = run(
        """
        class Told(File):
            def write(self, text):
                super().write(text)
                print(text.count("DEADLOCK: Thread"), flush=True)
                os._exit(0)

        def work(lock=ftthreading.Lock()):
            with lock:
                lock.acquire()

        threading.Thread(target=work, daemon=True).start()
        diagnostics.enable(deadlocks="report", file=Told())
        while True:
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        """
    )
    assert done.stdout == "1\n", done.stderr
