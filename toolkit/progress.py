"""A line that tells how far a command is: drawn anew on a terminal, now and then elsewhere."""

import sys
import time
from typing import TextIO

from rich import progress
from rich.console import Console
from rich.markup import escape
from rich.table import Column

LIVE_SECONDS = 0.1
PLAIN_SECONDS = 10.0


class Progress:
    """One live line on a terminal; elsewhere a line every ten seconds. Main thread only."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._begin = time.monotonic()
        self._line = ""
        self._next = self._begin
        self._bar = progress.Progress(
            progress.BarColumn(bar_width=10),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn(
                "{task.description}",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=Console(file=self._stream, force_terminal=self._live),
            auto_refresh=False,  # no thread of its own: what is measured here are threads
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._live,
        )
        self._task = self._bar.add_task("", total=total)

    def show(self, done: int, topic: str, detail: str = "") -> None:
        """Say what is going on now: `done` steps of the total are behind."""
        self._line = f"[{done}/{self._total}] {topic} {detail}".rstrip()
        self._bar.update(self._task, completed=done, description=escape(f"{topic} {detail}"))
        self.tick()

    def tick(self) -> None:
        """Show that time passes; cheap enough to be called at any rate."""
        now = time.monotonic()
        if now < self._next or not self._line:
            return
        if self._live:
            self._next = now + LIVE_SECONDS
            self._bar.start()
            self._bar.console.show_cursor()  # a process that is killed leaves it so
            self._bar.refresh()
        else:
            self._next = now + PLAIN_SECONDS
            self._stream.write(f"{self._line} ({now - self._begin:.0f} s)\n")
            self._stream.flush()

    def clear(self) -> None:
        """Take the live line away, so that other output can follow."""
        self._bar.stop()
        self._next = min(self._next, time.monotonic()) if self._live else self._next
