"""Counts objects, memory, descriptors and threads, and tells which of them keep growing."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from array import array
from collections.abc import Callable

WINDOWS = 15
MISSES = 2
"""Windows among them in which it need not have grown."""


class MallInfo(ctypes.Structure):
    """What mallinfo2() of the GNU C library returns."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd",
            "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def heap_bytes() -> Callable[[], int]:
    """Return what counts the bytes in use in the C library's heap; always 0 if it cannot tell."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return lambda: 0
    mallinfo2.restype = MallInfo
    return lambda: int(mallinfo2().uordblks) + int(mallinfo2().hblkhd)


class Measure:
    """What there is of each thing, now."""

    # Per operation: what would be 1 for a leak of one each time.
    names = ("objects", "blocks", "heap bytes", "descriptors", "threads")
    least = (0.0005, 0.0005, 4.0, 0.0005, 0.0005)

    def __init__(self) -> None:
        self._heap = heap_bytes()
        # Numbers that are kept would be found to be a leak.
        self._first, self._last, self._misses = (array("q", bytes(40)) for _ in range(3))

    def settle(self) -> None:
        """Have freed what can be freed."""
        for _ in range(3):
            gc.collect()
            time.sleep(0.001)

    def begin(self) -> None:
        """Take the first sample."""
        self.settle()
        for k in range(5):
            self._first[k] = self._last[k] = self.now(k)
            self._misses[k] = 0

    def step(self, times: int) -> None:
        """Take another one; count what has not grown by what is a leak in so many operations."""
        self.settle()
        for k in range(5):
            now = self.now(k)
            if now < self._last[k]:
                self._misses[k] = MISSES  # and the next line's
            if now - self._last[k] < max(1, self.least[k] * times):
                self._misses[k] += 1
            self._last[k] = now

    def now(self, k: int) -> int:
        if k == 0:
            return len(gc.get_objects())
        if k == 1:
            return sys.getallocatedblocks()
        if k == 2:
            return self._heap()
        return len(os.listdir("/proc/self/fd" if k == 3 else "/proc/self/task"))

    def growing(self, windows: int = WINDOWS) -> list[int]:
        """Return the kinds that have grown, but for a few times, in so many windows."""
        allowed = MISSES if windows > WINDOWS // 2 else MISSES - 1
        return [k for k in range(5) if self._misses[k] <= allowed]

    def slopes(self, total: int) -> str:
        """Say what has grown, how much by a thousand operations."""
        return ", ".join(
            f"{(self._last[k] - self._first[k]) * 1000 / total:.1f} {self.names[k]}"
            for k in self.growing()
        )
