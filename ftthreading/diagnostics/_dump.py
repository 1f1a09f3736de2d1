"""All that is known of the threads at one moment, as text."""

from __future__ import annotations

import os
import sys
import threading
from typing import TextIO

from . import _places, _stacks
from ._deadlocks import Deadlock, describe, find_lasting, own, with_stacks
from ._names import Threads, said_of
from ._waits import Wait, waits


def dump(file: TextIO | None = None) -> None:
    """Write who waits for what, the deadlocks, and each thread's stack, as text.

    To `file`, or to standard error. Threads that do not wait in a primitive of ours are shown as
    `faulthandler` sees them, at most 100. Never waits for what it looks at. Raises what writing
    raises.
    """
    out = sys.stderr if file is None else file
    if out is not None:
        out.write(text())
        out.flush()


def text() -> str:
    """What `dump` writes."""
    threads = Threads()
    found = find_lasting()
    records = waits()
    by_key = {(wait.number, wait.began): wait for wait in records}
    # A signal handler inside a wait may wait again: the younger one is where the thread is.
    by_ident = {wait.ident: wait for wait in records}
    running = _stacks.running()
    lines = [
        f"ftthreading: {len(running.keys() - own)} threads, {len(by_ident)} of them waiting",
        "",
    ]
    for each in found:
        lines += [*report(with_stacks(each, by_key), stacks=False), ""]
    main = threading.main_thread().ident
    for ident in sorted({*running, *by_ident}, key=lambda ident: (ident != main, ident)):
        if ident in own:
            continue
        lines += [*_thread(ident, threads, by_ident.get(ident), running.get(ident, [])), ""]
    return "\n".join(lines)


def report(found: Deadlock, *, stacks: bool = True) -> list[str]:
    """The lines that tell of a deadlock; without stacks, only where each waits."""
    title = {"cycle": "DEADLOCK", "orphan": "ORPHANED LOCK", "all": "STANDSTILL"}[found.kind]
    lines = [f"{title if found.certain else 'POSSIBLE ' + title}: {found.sentence}"]
    if found.doubt:
        lines.append(f"It is not certain: {found.doubt}.")
    count = len(found.waits)
    for i, wait in enumerate(found.waits):
        lines += ["", f'Thread "{wait.name}" (ident {wait.ident})']
        if found.kind == "cycle":
            # What it holds is what the one before it waits for.
            before = found.waits[i - 1] if count > 1 else wait
            if before.kind != "join":
                taken = f", taken at {before.taken}" if before.taken is not None else ""
                lines.append(f"  holds {describe(before.primitive)}{taken}")
        lines += [f"  {each}" for each in of_wait(wait)]
        lines += of_stack(wait) if stacks else of_stack(wait)[:2]
    return lines


def _thread(ident: int, threads: Threads, wait: Wait | None, running: list[str]) -> list[str]:
    thread = threads.thread(ident)
    daemon = ", daemon" if thread is not None and said_of(thread, "daemon") else ""
    number = said_of(thread, "native_id") if thread is not None else None
    native = f", native id {number}" if number else ""
    lines = [f'Thread "{threads.name(ident)}" (ident {ident}{native}{daemon})']
    if wait is not None:
        lines += [f"  {each}" for each in of_wait(wait)]
        lines += of_stack(wait)
    else:
        lines += _without_launcher(running) or ["  (no stack: not among the first 100)"]
    return lines


def _without_launcher(lines: list[str]) -> list[str]:
    """The lines of faulthandler, without those of ours that look."""
    here = os.path.dirname(os.path.abspath(__file__)) + os.sep
    files = (f'  File "{here}', *(f'  File "{file}"' for file in _places.LAUNCHERS))
    threads = f'  File "{threading.__file__}"'
    shown = [line.rstrip() for line in lines if not line.startswith(files)]
    # Not all: a thread may run nothing of Python's but what every thread does.
    while len(shown) > 1 and shown[-1].startswith(threads):
        shown.pop()
    return shown


def of_wait(wait: Wait) -> list[str]:
    """What one thread waits for, and who has it."""
    what = {
        "acquire": "waits to acquire",
        "reacquire": "waits to get back" + " the lock of" * wait.called.endswith(".wait()"),
        "join": "waits for the end of",
    }.get(wait.kind, "waits on")
    until = "without a deadline"
    if wait.deadline is not None:
        until = f"with a timeout of {wait.deadline - wait.since:.3g} s"
    lines = [f"{what} {describe(wait.primitive)}, for {_seconds(wait.seconds)}, {until}"]
    inside = describe(wait.callee) if wait.callee is not wait.primitive else ""
    lines.append(f"in {wait.called}{' of ' + inside if inside else ''}")
    owner = wait.owner
    if owner is not None and wait.kind != "join":
        taken = f", taken at {wait.taken}" if wait.taken is not None else ""
        how = "held by" if owner.sure else "last taken by"
        lines.append(f'{how} "{owner.name}"{taken}')
    return lines


def of_stack(wait: Wait) -> list[str]:
    """Its stack, innermost first, as faulthandler writes it, with the source lines."""
    lines = []
    for line in wait.stack:
        lines.append(f'  File "{line.file}", line {line.line} in {line.function}')
        if line.text:
            lines.append(f"    {line.text}")
    return lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 0.9995 else f"{seconds * 1000:.3g} ms"
