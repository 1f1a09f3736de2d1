"""The one supervisor of child processes: nothing of a command outlives its deadline or us.

A command runs in a process group of its own. Over its deadline it is asked for its stacks, then
killed with all that it has started; so is one that prints without end.

Handlers of SIGINT, SIGTERM and SIGHUP only take note. Whoever waits looks at the note a few times a
second, ends the group, and raises Interrupted. So no exception can cut in between a process's birth
and the moment its number is known.
"""

import contextlib
import dataclasses
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

LOOK_SECONDS = 0.2
ABORT_SECONDS = 5.0  # for a hung program to print its stacks
MOST_OUTPUT = 256 * 2**20  # bytes


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
        self._take_over()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Take the three signals over in the body. It may be nested."""
        outermost = signal.getsignal(signal.SIGINT) != self._note
        before = self._take_over()
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)
            if outermost:
                self.signum = 0

    def _take_over(self) -> dict[int, Any]:
        before: dict[int, Any] = {}
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before[signum] = signal.getsignal(signum) or signal.SIG_DFL
            # Below nohup SIGHUP stays without effect, but a handler is not inherited: children
            # have the signal's default.
            ignored = signum == signal.SIGHUP and before[signum] == signal.SIG_IGN
            signal.signal(signum, _ignore if ignored else self._note)
        return before

    def check(self) -> None:
        """Raise Interrupted if a signal came."""
        if self.signum:
            raise Interrupted(self.signum)


def _ignore(_signum: int, _frame: FrameType | None) -> None:
    pass


INTERRUPTS = Interrupts()
"""For a tool that wants one for its whole process."""


class Process:
    """A command in a process group of its own, from its start to its end.

    Used in a `with` block, which leaves nothing of it running.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        output: IO[bytes] | None = None,
        before_exec: Callable[[], None] | None = None,
    ) -> None:
        """output: a file for all that it writes; without one `stdout` and `stderr` take it.

        before_exec: called in the new process, where it had better do next to nothing.

        Raises OSError when the command cannot start.
        """
        self._output = output
        self._begin = output.tell() if output else 0
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=stdin,
            stdout=output or subprocess.PIPE,
            stderr=output or subprocess.PIPE,
            preexec_fn=before_exec,  # noqa: PLW1509
            start_new_session=True,  # the terminal's interrupt is ours to handle, not the child's
        )
        self.pid = self._process.pid
        self.stdin = self._process.stdin
        self.stdout, self.stderr = bytearray(), bytearray()
        self._selector = selectors.DefaultSelector()
        for stream, kept in (
            (self._process.stdout, self.stdout),
            (self._process.stderr, self.stderr),
        ):
            if stream is not None:
                self._selector.register(stream, selectors.EVENT_READ, kept)

    def exit_code(self) -> int | None:
        """Return its exit code, a negated signal if one has killed it; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Return whether it ends within that time.

        Where we read what it writes, its end is the end of the last process that can write there.
        """
        deadline = time.monotonic() + seconds
        while self._selector.get_map():
            left = deadline - time.monotonic()
            if left < 0 or self.printed() > MOST_OUTPUT:
                return False
            for key, _ in self._selector.select(left):
                read = os.read(key.fd, 2**16)
                key.data.extend(read)
                if not read:
                    self._selector.unregister(key.fileobj)
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def watch(
        self,
        limit: float,
        interrupts: Interrupts = INTERRUPTS,
        tick: Callable[[], None] = lambda: None,
    ) -> str:
        """Wait for its end; return why there was none: its time is over, or it prints too much.

        tick: called a few times a second. Raises Interrupted.
        """
        deadline = time.monotonic() + limit
        while not self.wait(LOOK_SECONDS):
            tick()
            interrupts.check()
            if self.printed() > MOST_OUTPUT:
                return f"more than {MOST_OUTPUT // 2**20} MiB of output"
            if time.monotonic() > deadline:
                return f"still running after {limit:.0f} s"
        interrupts.check()
        return ""

    def printed(self) -> int:
        """Return how many bytes it has written."""
        if self._output is None:
            return len(self.stdout) + len(self.stderr)
        return os.fstat(self._output.fileno()).st_size - self._begin

    def send_signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        self._process.send_signal(number)

    def send_group(self, number: int) -> None:
        """Send a signal to all that the command has started and that did not leave its group."""
        # The number stays the group's as long as one of it is left, and a kernel gives numbers out
        # in turn: none other has it so soon.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def abort(self, seconds: float = ABORT_SECONDS) -> bool:
        """Have it say where its threads are and die; return whether it did, within that time.

        The stacks are from faulthandler, where that is on.
        """
        self.send_group(signal.SIGABRT)
        return self.wait(seconds)

    def end(self, clean_up: float = 0.0) -> None:
        """Leave nothing running.

        clean_up: seconds that it has after a SIGTERM, before it is killed.
        """
        if clean_up:
            self.send_group(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(clean_up)
        self.send_group(signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended.

    fault: empty for exit code 0. ended_by_us: its time was over, or it printed without end.
    """

    stdout: str
    stderr: str
    code: int
    fault: str
    ended_by_us: bool


def run(
    command: Sequence[str],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    limit: float,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    before_exec: Callable[[], None] | None = None,
    interrupts: Interrupts = INTERRUPTS,
    tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run the command for at most `limit` seconds; return what it has written.

    A command over its limit gets SIGABRT first, so that faulthandler can print all stacks.
    Raises Interrupted after the group is dead, and OSError when the command cannot start.
    """
    with Process(command, cwd=cwd, env=env, stdin=stdin, before_exec=before_exec) as process:
        fault = process.watch(limit, interrupts, tick)
        if fault:
            process.abort()
            interrupts.check()
    code = process.exit_code()
    assert code is not None
    ended_by_us = bool(fault)
    if not fault and code < 0:
        fault = f"killed by {signal.Signals(-code).name}"
    elif not fault and code:
        fault = f"exit code {code}"
    return Outcome(_text(process.stdout), _text(process.stderr), code, fault, ended_by_us)


def _text(written: bytearray) -> str:
    return written.decode(errors="replace").replace("\r\n", "\n")


def die_of(signum: int) -> int:
    """End as the signal would have ended us, so that a calling shell sees the truth."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    return 128 + signum
