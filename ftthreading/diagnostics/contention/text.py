"""A contention profile as a table for people, and how its figures are written everywhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .data import Data, Holds, Waits

MOST_ROWS = 15  # of each table


def seconds(value: float) -> str:
    """A time with its unit, to three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 1000 * size else f"{value:.0f} s"
    return f"{value * 1e9:.0f} ns"


def percent(part: float, whole: float) -> str:
    """A share, to a tenth where it is small."""
    if whole <= 0:
        return "-"
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 10 else f"{share:.1f} %"


def number(value: float) -> str:
    """A count, or an estimate of one."""
    return f"{value:,.0f}"


def _times(count: float, what: str) -> str:
    return f"{number(count)} {what}{'' if round(count) == 1 else 's'}"


def first_line(data: Data) -> str:
    """How much was waited altogether."""
    took = f"{seconds(data.seconds)}; all threads together existed for"
    took += f" {seconds(data.thread_seconds)}"
    if not data.contended:
        return f"No thread waited for a lock. (The profile lasted {took}.)"
    total = sum(row.total for row in data.contended)
    count = _times(sum(row.count for row in data.contended), "wait")
    share = percent(total, data.thread_seconds)
    return (
        f"Threads waited {seconds(total)} for locks, in {count}: {share} of all thread time."
        f" (The profile lasted {took}.)"
    )


def headline(data: Data) -> str:
    """The same, and what the worst lines cost: as many as make up nine tenths, or three."""
    if not data.contended:
        return first_line(data)
    total = sum(row.total for row in data.contended)
    top, sum_of_top = 0, 0.0
    while top < min(3, len(data.contended)) and sum_of_top < 0.9 * total:
        sum_of_top += data.contended[top].total
        top += 1
    lines = "This line costs" if top == 1 else f"These {top} lines cost"
    share = percent(sum_of_top, data.thread_seconds)
    return f"{first_line(data)}\n{lines} {share} of all thread time:"


def table(data: Data) -> str:
    """The whole report; ends with a newline."""
    parts = ["Contention profile", "", headline(data)]
    if data.contended:
        parts += ["", *_waits(data.contended, data)]
    if data.holders:
        parts += ["", "Who made them wait (where the lock was released for which others slept):"]
        parts += ["", *_holds(data.holders, data)]
    if data.awaited:
        total = sum(row.total for row in data.awaited)
        parts += ["", f"Waits for something to happen, {seconds(total)}; this is no contention:"]
        parts += ["", *_waits(data.awaited, data)]
    if data.lost:
        parts += ["", f"{data.lost:,} more records found no room, and are not counted."]
    return "\n".join(parts) + "\n"


WAITS = ("share", "total", "waits", "average", "longest", "awake", "line", "called", "for")
HOLDS = ("share", "others waited", "releases", "held", "longest hold", "line", "called", "of")
NUMBERS = {*WAITS[:6], *HOLDS[:5]}


def waits_cells(row: Waits, data: Data) -> list[str]:
    """One row under `WAITS`; the last cell is empty for what is no lock."""
    return [
        percent(row.total, data.thread_seconds),
        seconds(row.total),
        number(row.count),
        seconds(row.total / max(row.count, 1.0)),
        seconds(row.longest),
        percent(row.awake, row.total) if row.lock else "",
        str(row.place),
        row.called,
        row.subject,
    ]


def holds_cells(row: Holds, data: Data) -> list[str]:
    """One row under `HOLDS`."""
    return [
        percent(row.total, data.thread_seconds),
        seconds(row.total),
        number(row.count),
        seconds(row.held),
        seconds(row.longest),
        str(row.place),
        row.called,
        str(row.lock),
    ]


def _waits(rows: Sequence[Waits], data: Data) -> list[str]:
    return _aligned(WAITS, [waits_cells(row, data) for row in rows])


def _holds(rows: Sequence[Holds], data: Data) -> list[str]:
    return _aligned(HOLDS, [holds_cells(row, data) for row in rows])


def _aligned(heads: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    shown = [list(heads), *rows[:MOST_ROWS]]
    empty = {i for i in range(len(heads)) if not any(row[i] for row in shown[1:])}
    widths = [max(len(row[i]) for row in shown) for i in range(len(heads))]
    lines = []
    for row in shown:
        cells = [
            cell.rjust(widths[i]) if heads[i] in NUMBERS else cell.ljust(widths[i])
            for i, cell in enumerate(row)
            if i not in empty
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    if len(rows) > MOST_ROWS:
        lines.append(f"  and {len(rows) - MOST_ROWS:,} more")
    return lines
