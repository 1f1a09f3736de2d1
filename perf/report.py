"""Plain text for people: tables, a progress line, and the machine that the numbers came from."""

import os
import platform
import sys
import sysconfig
import time
from collections.abc import Sequence
from typing import TextIO


def usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def gil_enabled() -> bool:
    probe = getattr(sys, "_is_gil_enabled", None)
    return probe is None or bool(probe())


def machine() -> str:
    """Describe what was measured on, in one line."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    gil = "GIL on" if gil_enabled() else "GIL off"
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"CPython {platform.python_version()}{'t' if free_threaded else ''} ({gil}), "
        f"{usable_cpus()} usable CPUs of {cpu_model()}, {platform.system()}, load {load}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Lay rows out under heads; the first `left` columns are words, the others are numbers."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join([line(heads), "  ".join("-" * width for width in widths), *map(line, rows)])


def duration(seconds: float) -> str:
    """Write a short time with a unit that fits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


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
