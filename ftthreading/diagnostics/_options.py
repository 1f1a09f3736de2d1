"""The options of ``python -m ftthreading`` that stand before the program and look into it."""

from __future__ import annotations

import signal
from collections.abc import Callable

from . import _enable

type ExitCode = Callable[[], int | None]
"""Gives the exit code of a program that has ended with 0; None to leave it."""

type Begin = Callable[[], ExitCode | None]


class BadOptionError(ValueError):
    """What is wrong with an option, for people."""


def parse(options: list[str]) -> Begin:
    """What is to be called before the program runs. Raises BadOptionError."""
    signum: int | None = None
    mode: str | None = None
    more: list[Callable[[], None]] = []
    lock_order: dict[str, str | None] = {}
    for option in options:
        name, given, value = option.partition("=")
        if name == "--dump-on":
            signum = _signal(value)
        elif name == "--deadlocks":
            mode = value if given else "report"
            if mode not in ("report", "raise", "abort"):
                raise BadOptionError(f"--deadlocks is report, raise or abort, not {mode!r}")
        elif name == "--profile":
            more.append(_profile_begin(option))
        elif name.startswith("--lock-order"):
            lock_order[name] = value if given else None
    watch = _lock_order_begin(lock_order) if lock_order else None

    def begin() -> ExitCode | None:
        if signum is not None or mode is not None:
            _enable.enable(signal=signum, deadlocks=mode)
        for each in more:
            each()
        return watch() if watch is not None else None

    return begin


def _profile_begin(option: str) -> Callable[[], None]:
    from .contention import profile

    try:
        return profile.from_command_line(option)
    except ValueError as error:
        raise BadOptionError(str(error)) from None


def _lock_order_begin(options: dict[str, str | None]) -> Begin:
    from . import _lock_order

    try:
        return _lock_order.from_command_line(options)
    except ValueError as error:
        raise BadOptionError(str(error)) from None


def _signal(name: str) -> int:
    """The number of a signal that is called USR1, SIGUSR1 or 10."""
    try:
        number = int(name) if name.isdigit() else signal.Signals[f"SIG{name.removeprefix('SIG')}"]
    except KeyError:
        number = 0
    if number not in signal.valid_signals() or number in (signal.SIGKILL, signal.SIGSTOP):
        raise BadOptionError(f"--dump-on wants a signal that can be handled, as USR1, not {name!r}")
    return int(number)
