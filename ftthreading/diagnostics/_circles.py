"""Circles among threads of which each waits for one other at most."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def circles(leads: Mapping[int, int]) -> list[list[int]]:
    """Return each circle once: numbers of which each leads to the next, the last to the first."""
    found: list[list[int]] = []
    done: set[int] = set()
    for start in leads:
        path: dict[int, int] = {}  # with the place of each
        at: int | None = start
        while at is not None and at not in done:
            done.add(at)
            path[at] = len(path)
            at = leads.get(at)
        if at is not None and at in path:
            found.append(list(path)[path[at] :])
    return found
