"""The exit codes of all tools.

A command that a signal has ended says so as a shell does: 128 and the signal's number.
"""

import enum
import os
import signal
import sys
from collections.abc import Callable


class Exit(enum.IntEnum):
    """What a command's exit code says."""

    NOTHING_FOUND = 0
    """What was to be done was done, and nothing is wrong with it."""
    FOUND = 1
    """A bug, a regression, a difference, a check that failed."""
    USAGE = 2
    """The command line makes no sense; nothing was begun."""
    TOO_LITTLE = 3
    """It could not run, or too little was seen to tell: a machine too noisy, no interpreter."""
    BROKEN = 4
    """The tool itself failed."""


def call(main: Callable[[], int]) -> int:
    """Call a tool's main function; return its exit code.

    Where a reader such as `head` has gone early it ends as by SIGPIPE: without a word or a verdict.
    """
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # What the interpreter still writes as it ends goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code
