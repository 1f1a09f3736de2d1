"""Runs batches in child processes: one at a time, kept as long as it is as good as new.

A process costs a third of a second to start, most of a short batch; so one is kept until a batch
has left something behind in it: a finding, a thread, a nemesis that cannot be undone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from ..records.batch import Batch, BatchResult
from .process import Child
from .supervise import Supervisor


class Children:
    """Runs batches, one after the other, in as few children as can be."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        """folder: where children keep what they share with us; python: the interpreter."""
        self._folder = folder
        self._python = python
        self._child: Child | None = None
        self._started = 0

    def run(
        self, batch: Batch, folder: Path, *, native: bool, limit: float = float("inf")
    ) -> BatchResult:
        """Run a batch in its folder; see `Supervisor.watch`."""
        if self._child is None or not self._child.is_free():
            self.close()
            self._started += 1
            self._child = Child(self._folder / str(self._started), self._python)
        return Supervisor(batch, folder, self._child).watch(native, limit)

    def close(self) -> None:
        """End the child that is kept."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
