"""What was read of another process, in words."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .read import SeenObject, SeenThread, SeenWait, Snapshot
    from .stacks import Stacks
    from .verdicts import Cycle, Verdicts

STATES = {
    "R": "runs",
    "S": "sleeps, but not in ftthreading",
    "D": "sleeps in the kernel, uninterruptibly",
    "I": "sleeps in the kernel",
    "T": "is stopped by a signal",
    "t": "is stopped by a debugger",
    "Z": "has ended",
    "X": "has ended",
    "": "has ended",
}

_ALL_WAIT = (
    "All threads wait, and none has a deadline: only a signal handler or another process can end"
    " that."
)


def span(ns: int) -> str:
    """A length of time, to three digits or so."""
    seconds = max(ns, 0) / 1e9
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def thread_name(thread: SeenThread | None, number: int = 0) -> str:
    """How a thread is called in a sentence."""
    if thread is None:
        return f"thread number {number}"
    name = f'thread "{thread.name}"' if thread.name else "thread"
    return f"{name} ({thread.native_id})" if thread.native_id else name


def object_name(found: SeenObject) -> str:
    """A class and an address; and which primitive it is, if the name does not say so."""
    if found.kind == "Thread":
        return f"{found.type_name} at {found.address:#x}"
    ours = f"ftthreading.{found.kind}" if found.kind else found.type_name
    what = ours if ours == found.shown else f"{found.shown} ({ours})"
    return f"{what} at {found.address:#x}"


def purpose(wait: SeenWait) -> str:
    """What the call is to bring about."""
    if wait.object is None:
        return "for something that has no name"
    name = object_name(wait.object)
    if wait.purpose == "join":
        return f"for the end of the {name}"
    if wait.purpose == "acquire":
        return f"to acquire the {name}"
    if wait.purpose == "reacquire":
        return f"to take back the lock of the {name}, as its wait() is over"
    if wait.object.kind == "Condition":
        return f"to be notified by the {name}"
    if wait.object.kind == "Event":
        return f"for the {name} to be set"
    if wait.object.kind == "Barrier":
        return f"for others at the {name}"
    return f"for the {name}"


def deadline(wait: SeenWait, now: int) -> str:
    """Until when it goes on by itself."""
    if wait.until is None:
        return "without a deadline"
    return f"for at most {span(wait.until - now)} more"


def holder(snapshot: Snapshot, wait: SeenWait) -> str:
    """Who is in its way, as the end of a sentence; empty if that is not known."""
    if wait.holder is None:
        return ""
    thread = snapshot.holder_of(wait)
    if wait.holder.how == "is":
        return f"which is {thread_name(thread, wait.holder.thread)}"
    verb = {"owns": "owns", "with": "took by a with statement", "took": "took last"}[
        wait.holder.how
    ]
    if thread is None:
        number = wait.holder.thread
        if snapshot.threads_changed or not snapshot.threads:
            return f"which thread number {number} {verb}"
        fork = ", or was left behind in the parent process at a fork" if snapshot.forks else ""
        return f"which a thread {verb} that has ended{fork} (number {number})"
    if thread.number == wait.thread:
        return f"which this thread itself {verb}"
    return f"which {thread_name(thread)} {verb}"


def _sentence(snapshot: Snapshot, wait: SeenWait) -> str:
    name = thread_name(snapshot.threads.get(wait.thread), wait.thread)
    held = holder(snapshot, wait)
    return f"{name[0].upper()}{name[1:]} waits {purpose(wait)}{', ' if held else ''}{held}."


def verdict_lines(snapshot: Snapshot, verdicts: Verdicts) -> list[str]:
    """What is wrong, each with its reasons; a line that is empty before each."""
    lines = []
    for cycle in verdicts.cycles:
        lines += ["", _headline(cycle)]
        lines += [f"  {_sentence(snapshot, wait)}" for wait in cycle.waits]
        lines += [f"  (It may be none: {doubt}.)" for doubt in cycle.doubts]
    if verdicts.orphans:
        lines += ["", "Held by a thread that has ended, and so perhaps for ever:"]
        lines += [f"  {_sentence(snapshot, wait)}" for wait in verdicts.orphans]
    if verdicts.all_wait and not any(cycle.certain for cycle in verdicts.cycles):
        lines += ["", _ALL_WAIT]
    return lines


def _headline(cycle: Cycle) -> str:
    what = "Deadlock" if cycle.certain else "Possible deadlock"
    if len(cycle.waits) == 1:
        return f"{what}: a thread waits for what it holds itself."
    return (
        f"{what}: {len(cycle.waits)} threads wait for each other in a circle, and none goes on"
        " unless another does."
    )


def _wait_lines(snapshot: Snapshot, wait: SeenWait, now: int) -> list[str]:
    lines = [f"  has waited {span(now - wait.began)}, {deadline(wait, now)},"]
    held = holder(snapshot, wait)
    lines += [f"  {purpose(wait)}{',' if held else ''}"]
    return [*lines, f"  {held}"] if held else lines


def dump_lines(
    snapshot: Snapshot, verdicts: Verdicts, stacks: Stacks, notes: list[str]
) -> list[str]:
    """All of it."""
    now = time.monotonic_ns()
    process, table = snapshot.process, snapshot.table
    build = " free-threaded" if table.free_threaded else ""
    waiting: dict[int, list[SeenWait]] = {}
    for wait in snapshot.waits:
        waiting.setdefault(wait.thread, []).append(wait)
    threads = count(len(snapshot.tasks), "thread")
    lines = [
        f"Process {process.pid}: {process.command()}",
        f"Python {table.python_version}{build}; {threads}, {len(waiting)} wait in ftthreading",
        *verdict_lines(snapshot, verdicts),
    ]
    for number, waits in waiting.items():
        thread = snapshot.threads.get(number)
        lines += ["", _title(thread, number, waits[0].ident)]
        for wait in reversed(waits):  # a signal handler waits in the midst of another wait
            lines += _wait_lines(snapshot, wait, now)
        lines += _stack_lines(stacks, thread.native_id if thread else 0)
    for number, thread in sorted(snapshot.threads.items()):
        if number not in waiting:
            state = STATES.get(process.thread_state(thread.native_id), "is in an unknown state")
            lines += ["", _title(thread, number, thread.ident), f"  {state}"]
            lines += _stack_lines(stacks, thread.native_id)
    lines += _stranger_lines(snapshot, stacks)
    if snapshot.changed:
        lines += ["", f"{count(snapshot.changed, 'wait')} changed each time it was read: left out."]
    if snapshot.threads_changed:
        lines += ["", "The list of threads changed while it was read: it may be incomplete."]
    if notes:
        lines += ["", *notes]
    return lines


def _title(thread: SeenThread | None, number: int, ident: int) -> str:
    name = thread_name(thread, number)
    return f"{name[0].upper()}{name[1:]}, ident {ident:#x}"


def _stack_lines(stacks: Stacks, native_id: int) -> list[str]:
    return [f"    {line}" for line in stacks.get(native_id, [])]


def _stranger_lines(snapshot: Snapshot, stacks: Stacks) -> list[str]:
    """Threads that have never used us: those that run Python, and how many else."""
    known = {thread.native_id for thread in snapshot.threads.values()}
    strangers = [native_id for native_id in snapshot.tasks if native_id not in known]
    if 0 in known:
        return []  # some could not be told from these
    lines = []
    for native_id in strangers:
        if native_id in stacks:
            name = snapshot.process.thread_name(native_id)
            lines += ["", f'Thread "{name}" ({native_id}), which has not used ftthreading']
            lines += _stack_lines(stacks, native_id)
    others = [str(native_id) for native_id in strangers if native_id not in stacks]
    if others:
        shown = ", ".join(others[:8]) + (", ..." if len(others) > 8 else "")
        lines += ["", f"{count(len(others), 'more thread')} without ftthreading: {shown}"]
    return lines
