"""A line that tells how far a command is."""

import sys
import time
from typing import TextIO


class Progress:
    """One live line on a terminal; elsewhere a line for each new topic. Main thread only."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._begin = time.monotonic()
        self._topic = ""
        self._line = ""
        self._drawn = 0.0

    def show(self, done: int, topic: str, detail: str = "") -> None:
        """Say what is going on now: `done` steps of the total are behind."""
        head = f"[{done}/{self._total}] {topic}"
        if not self._live and topic != self._topic:
            self._stream.write(f"{head} ({self._elapsed()})\n")
            self._stream.flush()
        self._topic = topic
        self._line = f"{head} {detail}"
        self.tick()

    def tick(self) -> None:
        """Show that time passes; cheap enough to be called at any rate."""
        now = time.monotonic()
        if self._live and now - self._drawn >= 0.1:
            self._drawn = now
            self._stream.write(f"\r\033[K{self._line} ({self._elapsed()})")
            self._stream.flush()

    def clear(self) -> None:
        """Take the live line away, so that other output can follow."""
        if self._live:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._begin:.0f} s"
