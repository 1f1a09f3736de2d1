"""What was found, in words that a person reads.

A report says first what can happen, then which locks, then each thread with the line where it took
the one lock and the line where it wanted the other, and at the end what can be done about it.
"""

from __future__ import annotations

import textwrap

from ._lock_order_stacks import in_words, site, where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._lock_order_nodes import Node
    from ._lock_order_recorder import Suspicion
    from ._lock_order_stacks import Stack

RULE = "=" * 79
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Inversion:
    """One inversion of the order of locks.

    Attributes:
        certain: the locks themselves were taken in orders that contradict each other, or one was
            wanted by the thread that held it; else the order of the lines where they were
            made contradicts itself, or the verdict has a doubt, which `reason` tells.
        reason: why it is certain, or only possible, in a sentence.
        text: all of it, as it is printed.
        suppression: the line for a suppressions file that silences it.
        withdrawn: it has turned out later that one of the locks is no lock but a signal,
            because another thread released it than had taken it.
    """

    __slots__ = ("_nodes", "certain", "places", "reason", "suppression", "text")

    def __init__(self, found: Suspicion) -> None:
        self._nodes: list[Node] = found.nodes
        self.certain: bool = found.kind == "objects" or (found.kind == "twice" and not found.stuck)
        self.reason: str = _reason(found)
        self.places: list[list[str]] = _places(found)
        # The lines where it happens: those where the locks are made serve many other orders.
        sites = [site(sighting.wants) for sighting in found.cycle]
        self.suppression: str = " & ".join(dict.fromkeys(where(place) for place in sites))
        self.text: str = _text(found, self)

    @property
    def withdrawn(self) -> bool:
        return any(node.signal for node in self._nodes)

    def __repr__(self) -> str:
        kind = "certain" if self.certain else "possible"
        return f"<{kind} lock order inversion at {self.suppression}>"


def _reason(found: Suspicion) -> str:
    if found.kind == "twice":
        if not found.stuck:
            return "It was taken by `with`, so only this thread would release it."
        return (
            "It has waited for a second so far. A Lock may be released by any thread: if another "
            "one is meant to release this one, all is well."
        )
    if found.kind == "lines":
        return (
            "They were different locks, made at the same lines: no two of them were taken in both "
            "orders in this run. If the program has a rule which one comes first, all is well."
        )
    if not found.several:
        return (
            "The same locks were taken in both orders, so far by one thread only: it deadlocks "
            "when two threads run this code at the same time."
        )
    return "The same locks were taken in both orders, without another lock around both."


def _places(found: Suspicion) -> list[list[str]]:
    """What a suppression can name, for each lock: "path:line" and functions."""
    places = []
    for sighting in found.cycle:
        stacks = [sighting.wants, sighting.taken]
        stacks += [node.made for node in (sighting.holder, sighting.wanted) if node.made]
        names = []
        for place in (place for stack in stacks for place in stack):
            code, line = place
            names += [f"{code.co_filename}:{line}", code.co_filename, code.co_qualname]
        places.append(names)
    return places


def _text(found: Suspicion, report: Inversion) -> str:
    lines = [RULE, *_heading(found, report), ""]
    names = _names(found)
    for node, name in names.items():
        lines.append(f"  {name}  {_lock(node)}")
    for sighting in found.cycle:
        holder, wanted = names[sighting.holder], names[sighting.wanted]
        lines += ["", f"Thread {sighting.name} held {holder} and wanted {wanted}:"]
        lines += _stack(f"took {holder} at", sighting.taken)
        lines += _stack(f"wanted {wanted} at", sighting.wants)
    lines += ["", *textwrap.wrap(f"{report.reason} {_advice(found)}", len(RULE))]
    lines.append(f"To silence this, put this line into a suppressions file:  {report.suppression}")
    lines.append(RULE)
    return "\n".join(lines) + "\n"


def _heading(found: Suspicion, report: Inversion) -> list[str]:
    verdict = "" if report.certain else "possible "
    if found.kind == "twice":
        name = found.cycle[0].name
        will = "waits" if report.certain else "may wait"
        told = f"Thread {name} wants a Lock that it holds already, and {will} for itself for ever."
        return [
            f"ftthreading: {verdict}deadlock of one thread with itself",
            *textwrap.wrap(told, len(RULE)),
        ]
    count = len(found.cycle)
    number = {2: "Two", 3: "Three", 4: "Four"}.get(count, str(count))
    wanted = "the lock that the other wants" if count == 2 else "what the next one wants"
    condition = "do this at the same time" + (" with the same locks" * (found.kind == "lines"))
    return [
        f"ftthreading: {verdict}lock order inversion of {count} locks",
        *textwrap.wrap(
            f"{number} threads that {condition} deadlock: each holds {wanted}.", len(RULE)
        ),
    ]


def _names(found: Suspicion) -> dict[Node, str]:
    """A letter for each lock; by lines, one for each line, with a number for the lock."""
    names: dict[Node, str] = {}
    for i, sighting in enumerate(found.cycle):
        here, there = LETTERS[i % 26], LETTERS[(i + 1) % len(found.cycle) % 26]
        lines = found.kind == "lines"
        names.setdefault(sighting.holder, f"{here}1" if lines else here)
        names.setdefault(sighting.wanted, f"{there}2" if lines else there)
    return dict(sorted(names.items(), key=lambda item: item[1]))


def _lock(node: Node) -> str:
    if node.made:
        place = site(node.made)
        assert place is not None
        return f"{node.kind} made at {in_words(place)}"
    return f"{node.kind}, made before anybody watched"


def _stack(what: str, stack: Stack) -> list[str]:
    """The place in the program first, then the frames around it."""
    if not stack:
        return [f"  {what} an unknown place"]
    first = site(stack)
    start = next(i for i, place in enumerate(stack) if place is first)
    lines = []
    if start:
        inside = stack[0]
        what_inside = f"    (in {inside[0].co_qualname}, {where(inside)})"
        lines = [what_inside]
    width = len("wanted B at") + 2
    lines.insert(0, f"  {what:<{width}}{in_words(stack[start])}")
    lines += [f"  {'from':>{width - 2}}  {in_words(place)}" for place in stack[start + 1 :]]
    return lines


def _advice(found: Suspicion) -> str:
    if found.kind == "twice":
        return "To mend it, call what needs the lock without holding it, or make it an RLock."
    return (
        "To mend it, take them in one order everywhere, or release the first before the second is "
        "taken."
    )
