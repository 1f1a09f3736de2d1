"""Suppressions: which inversions a project knows of and does not want to hear about.

A line of the file is a pattern, or several joined by " & ", all of which must match. A pattern is
compared, as by `fnmatch`, with the lines ("path:line"), files and functions of all stacks of the
report; a path needs only its end ("bank.py:12", "lib/*.py"). What follows # is a comment.
"""

from __future__ import annotations

import fnmatch
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Suppressions:
    """The lines of a file, or lines given. OSError if the file cannot be read."""

    def __init__(self, source: str | os.PathLike[str] | Iterable[str] | None) -> None:
        lines: Iterable[str] = ()
        if source is not None:
            if isinstance(source, (str, os.PathLike)):
                with open(source, encoding="utf-8") as file:
                    lines = file.read().splitlines()
            else:
                lines = source
        self.rules: list[list[str]] = []
        for line in lines:
            pattern = line.partition("#")[0].strip()
            if pattern:
                self.rules.append([part.strip() for part in pattern.split(" & ")])
        self.used: list[int] = [0] * len(self.rules)

    def match(self, places: list[list[str]]) -> bool:
        """Whether a rule covers the places of a report; counts its use."""
        names = {name for each in places for name in each}
        for i, rule in enumerate(self.rules):
            if all(any(_matches(name, pattern) for name in names) for pattern in rule):
                self.used[i] += 1
                return True
        return False


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"*/{pattern}")
