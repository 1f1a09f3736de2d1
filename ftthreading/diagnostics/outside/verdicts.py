"""What two looks at another process allow to be said of its locks.

Each look is made while the process runs, so what it found need not have been true all at one time.
But a call that both looks have seen went on all the time in between, and its thread did nothing
else. So if every thread of a cycle is in such a call, none of them has taken or released a lock
between the looks. And their locks have not been let go there by anybody else: one of them waits for
each all the time, and would have got it. So what was read of each holds for all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._circles import circles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .read import SeenWait, Snapshot


PAUSE = 0.05
"""Seconds at least between two looks: time for who has just got a lock to write down that it has,
and for who waits for a lock to come back with it."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """Calls of which each waits for the thread of the next, and the last for that of the first."""

    waits: tuple[SeenWait, ...]
    doubts: tuple[str, ...]  # why it may be none, in words

    @property
    def certain(self) -> bool:
        """Whether it will last until somebody interferes."""
        return not self.doubts


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All that is said of one snapshot."""

    cycles: list[Cycle]
    orphans: list[SeenWait]  # for locks whose holder has ended
    all_wait: bool  # every thread of the process, without a deadline


def judge(before: Snapshot, after: Snapshot) -> Verdicts:
    """Compare two snapshots, of which the second is the one shown."""
    earlier = {wait.key: wait for wait in before.waits}
    lasting = [
        wait
        for wait in after.waits
        if wait.key in earlier
        and wait.object == earlier[wait.key].object
        and wait.holder == earlier[wait.key].holder
    ]
    # A signal handler may wait in the midst of a wait: the thread is in the youngest.
    youngest = {wait.thread: wait for wait in sorted(after.waits, key=lambda wait: wait.began)}
    innermost = {wait.thread: wait for wait in lasting if youngest[wait.thread] is wait}
    return Verdicts(
        cycles=_cycles(after, innermost),
        orphans=[]
        if after.threads_changed or not after.threads
        else _orphans(before, after, lasting),
        all_wait=_all_wait(after, innermost),
    )


def _cycles(snapshot: Snapshot, waits: dict[int, SeenWait]) -> list[Cycle]:
    leads = {}
    for number, wait in waits.items():
        holder = snapshot.holder_of(wait)
        if holder is not None:
            leads[number] = holder.number
    found = [tuple(waits[number] for number in circle) for circle in circles(leads)]
    return [Cycle(members, tuple(_doubts(members))) for members in found]


def _doubts(waits: tuple[SeenWait, ...]) -> list[str]:
    doubts = []
    if any(wait.until is not None for wait in waits):
        doubts.append("a wait has a deadline, and ends then")
    if any(wait.holder is not None and wait.holder.how == "took" for wait in waits):
        doubts.append("a Lock that acquire() took may be released by any thread")
    return doubts


def _orphans(before: Snapshot, after: Snapshot, lasting: list[SeenWait]) -> list[SeenWait]:
    return [
        wait
        for wait in lasting
        if wait.holder is not None
        and wait.purpose != "join"
        and after.holder_of(wait) is None
        and (before.threads_changed or before.holder_of(wait) is None)
    ]


def _all_wait(snapshot: Snapshot, waits: dict[int, SeenWait]) -> bool:
    tasks = {
        snapshot.threads[number].native_id
        for number, wait in waits.items()
        if number in snapshot.threads and wait.until is None
    }
    return bool(tasks) and set(snapshot.tasks) <= tasks
