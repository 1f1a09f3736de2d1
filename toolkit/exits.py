"""The exit codes of all tools.

A command that a signal has ended says so as a shell does: 128 and the signal's number.
"""

import enum


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
