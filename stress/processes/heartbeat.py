"""A page of memory that a child and its supervisor share: how far the child has come.

The rounds and operations are those of the batch that runs; `ended` counts batches.
"""

from __future__ import annotations

import _thread
import mmap
from pathlib import Path

SLOTS = 512
BYTES = SLOTS * 8
ENDED, STAYS, ROUND, DONE, OPS, EXTRA = range(6)


class Heartbeat:
    """Numbers in a file mapped by both; the child writes, the supervisor reads."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(BYTES))
        with open(path, "r+b") as file:
            self._words = memoryview(mmap.mmap(file.fileno(), BYTES)).cast("Q")
        self._adding = _thread.allocate_lock()

    def begin(self) -> None:
        """Begin a batch: nothing is done yet, and there are no nemeses."""
        self._words[EXTRA] = self._words[OPS] = self._words[DONE] = self._words[ROUND] = 0

    @property
    def ended(self) -> int:
        """How many batches have ended."""
        return self._words[ENDED]

    @property
    def stays(self) -> bool:
        """Whether the child takes another batch after the one that has ended."""
        return bool(self._words[STAYS])

    def end(self, *, stays: bool) -> None:
        """Say that a batch has ended."""
        self._words[STAYS] = stays
        self._words[ENDED] += 1

    @property
    def current(self) -> int:
        """The number of the round that runs."""
        return self._words[ROUND]

    @current.setter
    def current(self, value: int) -> None:
        self._words[ROUND] = value

    @property
    def done(self) -> int:
        """How many rounds have ended."""
        return self._words[DONE]

    @done.setter
    def done(self, value: int) -> None:
        self._words[DONE] = value

    @property
    def ops(self) -> int:
        """How many operations the rounds that have ended took."""
        return self._words[OPS]

    @ops.setter
    def ops(self, value: int) -> None:
        self._words[OPS] = value

    def add_extra(self, tid: int) -> None:
        """Say that a thread (its native id) is a nemesis's: it moves though all others hang."""
        with self._adding:  # nemeses start many threads at once, and each says so itself
            count = self._words[EXTRA]
            if EXTRA + 1 + count < SLOTS:
                self._words[EXTRA + 1 + count] = tid
                self._words[EXTRA] = count + 1

    def extras(self) -> set[int]:
        """Return the native ids that `add_extra` was told."""
        return {self._words[EXTRA + 1 + i] for i in range(self._words[EXTRA])}

    def progress(self) -> tuple[int, int]:
        """Return what changes whenever the child gets on."""
        return self._words[ROUND], self._words[DONE]
