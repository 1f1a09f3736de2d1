"""Deadlocks that have not happened yet: `lock_order`, and the option ``--lock-order``."""

from __future__ import annotations

import atexit
import os
import sys

from ._lock_order_recorder import (
    MOST_EDGES,
    MOST_LOCKS,
    MOST_REPORTS,
    Suspicion,
    Watch,
    turn_off,
    turn_on,
)
from ._lock_order_report import Inversion
from ._lock_order_suppressions import Suppressions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol, Self

    class Writable(Protocol):
        """What reports can be written to."""

        def write(self, text: str, /) -> object: ...


class LockOrder:
    """Watches in which order locks are taken, between `enable` and `disable` or in a ``with``.

    Made by `lock_order`. Only one at a time in a process.
    """

    def __init__(
        self,
        suppressions: str | os.PathLike[str] | Iterable[str] | None,
        file: Writable | None,
        quiet: bool,
    ) -> None:
        self.suppressions: Suppressions = Suppressions(suppressions)
        self._file = file
        self._quiet = quiet
        self._reports: list[Inversion] = []
        self._watch: Watch | None = None

    def enable(self) -> Self:
        """Begin to watch. RuntimeError if the order of locks is being watched already."""
        self._watch = turn_on(self._found)
        return self

    def disable(self) -> None:
        """End it. What was found stays in `inversions`."""
        if self._watch is not None:
            turn_off(self._watch)

    __enter__ = enable

    def __exit__(self, *_: object) -> None:
        self.disable()

    @property
    def inversions(self) -> tuple[Inversion, ...]:
        """What was found and neither suppressed nor withdrawn, in the order of finding."""
        return tuple(report for report in self._reports if not report.withdrawn)

    def _found(self, found: Suspicion) -> None:
        report = Inversion(found)
        if self.suppressions.match(report.places) or len(self._reports) >= MOST_REPORTS:
            return
        self._reports.append(report)
        if not self._quiet:
            self._write(report.text)

    def _write(self, text: str) -> None:
        """To the file, or to where standard error was at first.

        Not through sys.stderr: a stream of the program's own may need a lock that this very thread
        is holding at the moment.
        """
        if self._file is not None:
            self._file.write(text)
            return
        stream = sys.__stderr__
        if stream is None:
            return
        try:
            rest = text.encode(stream.encoding or "utf-8", "backslashreplace")
            while rest:
                rest = rest[os.write(stream.fileno(), rest) :]
        except (OSError, ValueError):
            pass  # it is closed, or a pipe that nobody reads any more

    def summary(self) -> str:
        """What was found, what was withdrawn, and whether memory was enough; "" for nothing."""
        lines = []
        certain = sum(report.certain for report in self.inversions)
        possible = len(self.inversions) - certain
        if certain or possible:
            counts = f"{_count(certain, 'lock order inversion')}, {possible} possible"
            lines.append(f"ftthreading: {counts}; see above.")
        withdrawn = len(self._reports) - len(self.inversions)
        if withdrawn:
            lines.append(
                f"ftthreading: {_count(withdrawn, 'report')} above withdrawn: a lock in it was "
                "released by another thread than took it, so it is a signal and has no order."
            )
        watch = self._watch
        if watch is not None and watch.left_out:
            lines.append(
                f"ftthreading: more than {MOST_LOCKS} locks at one time: {watch.left_out} were "
                "left out of the lock order."
            )
        if watch is not None and (watch.objects.full or watch.lines.full):
            lines.append(
                f"ftthreading: more than {MOST_EDGES} pairs of locks: the rest were left out of "
                "the lock order."
            )
        return "".join(f"{line}\n" for line in lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def lock_order(
    *,
    suppressions: str | os.PathLike[str] | Iterable[str] | None = None,
    file: Writable | None = None,
    quiet: bool = False,
) -> LockOrder:
    """Find locks that are taken in orders that can deadlock, though they did not in this run.

    ::

        with ftthreading.diagnostics.lock_order() as order:
            ...
        assert not order.inversions

    or ``lock_order().enable()``, for the whole process: all threads, and all Lock, RLock and
    Condition objects of ftthreading, those that were made before included.

    suppressions: a file of suppressions, or the lines of one.
    file: where reports are written as they are found, by its ``write``; None for standard error.
    quiet: write none.

    Each inversion is reported once. Raises OSError if the suppressions cannot be read.
    """
    return LockOrder(suppressions, file, quiet)


LOCK_ORDER_EXIT_CODE = 66
"""Of a program that ended with 0 under ``--lock-order``, and had inversions."""


def from_command_line(
    options: Mapping[str, str | None],
) -> Callable[[], Callable[[], int | None]]:
    """Return what turns it on for the program that is about to run, as options ask for.

    That returns what gives the exit code of a program that has ended with 0; None to leave it.
    Raises ValueError for a value or file that is none.
    """
    for name, value in options.items():
        if (value is None) == name.endswith("suppressions"):
            raise ValueError(f"{name} {'needs a' if value is None else 'takes no'} value")
    strict = "--lock-order-strict" in options
    try:
        order = lock_order(suppressions=options.get("--lock-order-suppressions"))
    except OSError as error:
        raise ValueError(
            f"can't read the suppressions {error.filename!r}: {error.strerror}"
        ) from None

    def end() -> None:
        order.disable()
        order._write(order.summary())

    def exit_code() -> int | None:
        bad = [report for report in order.inversions if report.certain or strict]
        return LOCK_ORDER_EXIT_CODE if bad else None

    def begin() -> Callable[[], int | None]:
        atexit.register(end)  # the first to register is the last to be called
        order.enable()
        return exit_code

    return begin
