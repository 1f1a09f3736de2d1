"""The same again and again: a table of who waits for what at each moment, the longest first.

On a terminal the table takes its place, by `rich` where that is installed; into a pipe each look is
a block of plain lines, and an empty line.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import time
from dataclasses import dataclass

from .memory import GONE, Refused
from .text import count, deadline, span, thread_name, verdict_lines
from .verdicts import PAUSE as _PAUSE
from .verdicts import judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .read import SeenWait, Snapshot, SnapshotReader
    from .verdicts import Verdicts

_COLUMNS = ("THREAD", "WAITS", "FOR", "HELD BY", "DEADLINE")
_LEAST = 10
"""Characters that a column needs to be of use; the last ones go where there is no room."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one refresh shows."""

    title: str
    rows: list[tuple[str, ...]]
    verdicts: list[str]


def look(snapshot: Snapshot, verdicts: Verdicts) -> Look:
    """Reduce a snapshot to lines of a table."""
    now = time.monotonic_ns()
    rows = [_row(snapshot, wait, now) for wait in snapshot.waits]
    clock = time.strftime("%H:%M:%S")
    title = (
        f"{clock}  process {snapshot.process.pid}: {count(len(snapshot.tasks), 'thread')},"
        f" {len({wait.thread for wait in snapshot.waits})} wait in ftthreading"
    )
    if snapshot.changed or snapshot.threads_changed:
        title += " (changed while it was read: incomplete)"
    return Look(title, rows, [line for line in verdict_lines(snapshot, verdicts) if line])


def _row(snapshot: Snapshot, wait: SeenWait, now: int) -> tuple[str, ...]:
    thread = snapshot.threads.get(wait.thread)
    name = thread_name(thread, wait.thread).removeprefix("thread ").replace('"', "")
    what = "?"
    if wait.object is not None:
        kind = wait.object.shown.rpartition(".")[2]
        verb = {"acquire": "", "wait": ""}.get(wait.purpose, f"{wait.purpose} ")
        what = f"{verb}{kind} {wait.object.address:#x}"
    held = ""
    owner = snapshot.holder_of(wait)
    if wait.purpose == "join" and owner is not None:
        what = f"the end of {owner.name or owner.native_id}"
    elif wait.holder is not None:
        held = "ended" if owner is None else owner.name or str(owner.native_id)
        if owner is None and snapshot.threads_changed:
            held = "?"
    until = "" if wait.until is None else deadline(wait, now).removeprefix("for at most ")
    return name, span(now - wait.began), what, held, until


def text_lines(shown: Look, width: int | None = None, height: int | None = None) -> list[str]:
    """As plain lines; cut to the size of the terminal, if that is given."""
    table = [_COLUMNS, *shown.rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(_COLUMNS))]
    if width is not None:
        while (
            len(widths) > 2
            and 2 * len(widths) - 2 + sum(min(size, _LEAST) for size in widths) > width
        ):
            widths.pop()
        while sum(widths) + 2 * len(widths) - 2 > width and max(widths) > 1:
            widths[widths.index(max(widths))] -= 1
    lines = [shown.title, *shown.verdicts]
    body = [
        "  ".join(_fit(cell, size) for cell, size in zip(row, widths, strict=False)).rstrip()
        for row in table
    ]
    room = None if height is None else max(height - len(lines), 2)
    if not shown.rows:
        body = ["no thread waits in ftthreading"]
    elif room is not None and len(body) > room:
        body[room - 1 :] = [f"... and {len(body) - room + 1} more"]
    lines += body
    return lines if width is None else [_fit(line, width).rstrip() for line in lines][:height]


def _fit(text: str, size: int) -> str:
    return text.ljust(size) if len(text) <= size else text[: max(size - 1, 0)] + "~"


def top(reader: SnapshotReader, seconds: float, most: int | None) -> int:
    """Refresh until the process ends, `most` times, or until Ctrl-C; the exit code."""
    ended = ""
    try:
        before = reader.snapshot()
        show, end = _screen()
        try:
            time.sleep(_PAUSE)
            for shown in itertools.count(1):
                snapshot = reader.snapshot()
                show(look(snapshot, judge(before, snapshot)))
                if shown == most:
                    break
                before = snapshot
                time.sleep(max(seconds, _PAUSE))
        except Refused as refused:
            if refused.code != GONE:
                raise
            ended = f"process {reader.process.pid} has ended"
        finally:
            end()
    except KeyboardInterrupt:
        pass
    if ended:
        print(ended)
    return 0


def _screen() -> tuple[Callable[[Look], None], Callable[[], None]]:
    """How to show a look, and what to do after the last."""
    if not sys.stdout.isatty():
        return _show_block, lambda: None
    try:
        return _rich_screen()
    except ImportError:
        return _show_in_place, lambda: None


def _show_block(shown: Look) -> None:
    print("\n".join([*text_lines(shown), ""]), flush=True)


def _show_in_place(shown: Look) -> None:
    size = shutil.get_terminal_size()
    lines = text_lines(shown, size.columns, size.lines - 1)
    # To the corner, each line to its end, and what is left below.
    print("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J", end="", flush=True)


def _rich_screen() -> tuple[Callable[[Look], None], Callable[[], None]]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    console = Console()
    live = Live(console=console, auto_refresh=False, screen=True, vertical_overflow="ellipsis")
    live.start()

    def show(shown: Look) -> None:
        width, height = console.size
        table = Table(box=None, expand=False, pad_edge=False)
        for i, name in enumerate(_COLUMNS):
            if i < 2 or width >= _LEAST * 2 * (i + 1):
                table.add_column(name, no_wrap=True, overflow="ellipsis", style=_STYLES[i])
        room = max(height - 3 - len(shown.verdicts), 1)
        for row in shown.rows[:room]:
            table.add_row(*(Text(cell) for cell in row[: len(table.columns)]))
        more = len(shown.rows) - room
        live.update(
            Group(
                Text(shown.title, style="bold", no_wrap=True, overflow="ellipsis"),
                *(Text(line, style="red") for line in shown.verdicts),
                table if shown.rows else Text("no thread waits in ftthreading"),
                *([Text(f"... and {more} more")] if more > 0 else []),
            ),
            refresh=True,
        )

    return show, live.stop


_STYLES = ("cyan", "yellow", "", "magenta", "green")
