"""A child process that takes batches, as the supervisor sees it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from toolkit.address import ROOT
from toolkit.child import Process

from ..processes.heartbeat import Heartbeat

MOST_BATCHES = 40
"""After so many it is replaced: another layout in memory, another hash seed."""


def environment() -> dict[str, str]:
    """Return the environment in which ``python -P -m stress.engine.child`` finds this package.

    What is in the current folder comes last: a `stress` of the user's there is not the harness.
    """
    path = filter(None, [str(ROOT), os.environ.get("PYTHONPATH"), os.getcwd()])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


class Child:
    """One child process, from its start to its end."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.heartbeat = Heartbeat(folder / "heartbeat")
        self._path = folder / "output.txt"
        self._output = open(self._path, "wb")  # noqa: SIM115  # until end()
        self._before = 0
        self._batches = 0
        self._process = Process(
            [python, "-P", "-m", "stress.engine.child", str(folder), str(os.getpid())],
            env=environment(),
            stdin=subprocess.PIPE,
            output=self._output,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self, folder: Path) -> None:
        """Have it run the batch whose file is in the folder; it must be free."""
        self._batches += 1
        self._before = self._path.stat().st_size
        self.send(os.fsencode(folder.absolute()))

    def send(self, line: bytes) -> None:
        """Write a line to its standard input; if it is gone, that is seen elsewhere."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def has_ended(self, seconds: float) -> bool:
        """Wait for so long, or until the batch or the process ends; return whether one has."""
        deadline = time.monotonic() + seconds
        while self.heartbeat.ended < self._batches and self._process.exit_code() is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(min(0.002, seconds))
        return True

    def is_free(self) -> bool:
        """Return whether it can take another batch."""
        beat = self.heartbeat
        done = beat.ended == self._batches and (beat.stays or not self._batches)
        return done and self._batches < MOST_BATCHES and self._process.exit_code() is None

    def exit_code(self) -> int | None:
        """Return how the process has ended before its batch did; None if the batch has ended."""
        return None if self.heartbeat.ended == self._batches else self._process.exit_code()

    def printed(self) -> int:
        """Return how many bytes this batch has written to standard output and standard error."""
        return self._path.stat().st_size - self._before

    def output(self, most: int = 100_000) -> str:
        """Return what this batch has written there, the last of it."""
        with open(self._path, "rb") as file:
            file.seek(max(self._before, self._path.stat().st_size - most))
            return file.read().decode("utf-8", errors="replace")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def abort(self) -> bool:
        """Have it say where its threads are and die; return whether it did."""
        return self._process.abort()

    def end(self) -> None:
        """Leave nothing running."""
        self._process.end()
        self._output.close()
