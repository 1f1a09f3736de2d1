"""Run a command so that nothing of it outlives an interrupt.

Signal handlers here only take note; the waiting loop looks at the note a few times a second,
kills the command's whole process group and says so. No exception can therefore cut in between
a process's birth and the moment its number is known.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

LOOK_SECONDS = 0.2
ABORT_SECONDS = 5.0  # for a hung program to print its stacks


class Interrupted(Exception):
    """A signal asked to stop; raised only where nothing is half done."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Interrupts:
    """Notes SIGINT, SIGTERM and SIGHUP. Main thread only."""

    def __init__(self) -> None:
        self.signum = 0

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        self.signum = self.signum or signum

    def watch(self) -> None:
        """Take the three signals over for the rest of the process."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._note)

    def check(self) -> None:
        """Raise Interrupted if a signal came."""
        if self.signum:
            raise Interrupted(self.signum)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended: `fault` is empty for exit code 0."""

    stdout: str
    stderr: str
    fault: str


def run(
    command: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    limit: float,
    interrupts: Interrupts,
    tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run the command in a process group of its own for at most `limit` seconds.

    A command over its limit gets SIGABRT first, so that faulthandler can print all stacks.
    Raises Interrupted after the group is dead, and OSError when the command cannot start.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    deadline = time.monotonic() + limit
    fault = ""
    while True:
        try:
            stdout, stderr = process.communicate(timeout=LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:
            tick()
            if interrupts.signum:
                kill_group(process, signal.SIGKILL)
            elif not fault and time.monotonic() > deadline:
                fault = f"still running after {limit:.0f} s"
                kill_group(process, signal.SIGABRT)
                deadline += ABORT_SECONDS
            elif fault and time.monotonic() > deadline:
                kill_group(process, signal.SIGKILL)
    interrupts.check()
    if not fault and process.returncode < 0:
        fault = f"killed by {signal.Signals(-process.returncode).name}"
    elif not fault and process.returncode:
        fault = f"exit code {process.returncode}"
    return Outcome(stdout, stderr, fault)


def kill_group(process: subprocess.Popen[str], signum: int) -> None:
    """Send a signal to all that the command has started and that did not leave its group."""
    # Its leader is not reaped yet, or its children hold the pipes: the number is still ours.
    try:
        os.killpg(process.pid, signum)
    except ProcessLookupError:
        pass


def die_of(signum: int) -> int:
    """End as the signal would have ended us, so that a calling shell sees the truth."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    return 128 + signum
