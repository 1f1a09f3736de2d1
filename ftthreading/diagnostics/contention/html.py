"""A contention profile as one page that needs no network, no script and no other file."""

from __future__ import annotations

import html
import sys

from . import formats
from .text import (
    HOLDS,
    NUMBERS,
    WAITS,
    headline,
    holds_cells,
    percent,
    seconds,
    waits_cells,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._places import Place
    from .data import Data

_MOST_ROWS = 200
_SMALLEST = 0.002  # of the whole: what is less is not drawn

_LIGHT = """--page: #f5f6f8; --card: #fff; --text: #1b2330; --quiet: #5b6574; --line: #d5dae1;
  --accent: #0063a8; --bar: #d55e0033;"""
_DARK = """--page: #10141a; --card: #181e27; --text: #e6eaf0; --quiet: #9aa5b4; --line: #303a48;
  --accent: #6cc0f0; --bar: #eb782855;"""
_STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }}
header, section {{ background: var(--card); border: 1px solid var(--line); }}
header {{ border-width: 0 0 1px; padding: 10px 24px; font-size: 17px; }}
header span, .quiet, th, footer {{ color: var(--quiet); font-weight: 400; }}
main, footer {{ max-width: 1500px; margin: 0 auto; padding: 4px 24px 24px; }}
h1 {{ font-size: 22px; line-height: 1.3; margin: 18px 0; white-space: pre-line; }}
h2 {{ font-size: 16px; margin: 0 0 8px; }}
section {{ border-radius: 10px; padding: 16px 18px; margin: 0 0 16px; overflow-x: auto; }}
.tiles {{ display: flex; flex-wrap: wrap; gap: 8px 32px; }}
.tiles b {{ display: block; font-size: 28px; line-height: 1.2; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px;
  font-variant-numeric: tabular-nums; }}
th {{ text-align: left; font-size: 12px; }}
th, td {{ padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }}
.number {{ text-align: right; white-space: nowrap; }}
.flame {{ display: flex; width: 100%; font: 12px/20px ui-monospace, monospace; }}
.flame .flame {{ min-width: 0; }}
.node {{ min-width: 0; flex-shrink: 0; }}
.node > span {{ display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  background: var(--bar); border: 1px solid var(--card); border-radius: 3px; padding: 0 4px; }}
.node > span:hover {{ outline: 2px solid var(--accent); outline-offset: -2px; }}
"""


def page(data: Data) -> str:
    """The whole page."""
    total = sum(row.total for row in data.contended)
    tiles = [
        (percent(total, data.thread_seconds), "of all thread time waits for locks"),
        (seconds(total), "waited for locks, by all threads"),
        (seconds(data.seconds), "profiled"),
        (seconds(data.thread_seconds), "of thread time"),
    ]
    body = [f"<h1>{html.escape(headline(data).rstrip(':'))}</h1>"]
    body.append('<section class="tiles">')
    body += [f"<div><b>{html.escape(value)}</b>{label}</div>" for value, label in tiles]
    body.append("</section>")
    contended = [waits_cells(row, data) for row in data.contended]
    awaited = [waits_cells(row, data) for row in data.awaited]
    holders = [holds_cells(row, data) for row in data.holders]
    stacks = [_drawn(stacks) for _, stacks in formats.kinds_of(data)]
    body += _section("Lines that wait for locks", "", WAITS, contended, stacks[0])
    note = "The line is that of the release; for a with statement that of the statement."
    body += _section("Who made them wait", note, HOLDS, holders, stacks[1])
    note = "Events, notifications, barriers, ends of threads: this is no contention."
    body += _section("Waits for something to happen", note, WAITS, awaited, stacks[2])
    if data.lost:
        body.append(f"<p>{data.lost:,} more records found no room, and are not counted.</p>")
    python = f"Python {sys.version.split()[0]}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>ftthreading: contention profile</title>
<style>{_STYLE}</style>
</head>
<body>
<header><strong>ftthreading</strong> <span>contention profile</span></header>
<main>
{"".join(f"{line}\n" for line in body)}</main>
<footer>{python}. A bar's width is its share of the time; its children stand below it.</footer>
</body>
</html>
"""


def _section(
    title: str, note: str, heads: tuple[str, ...], rows: list[list[str]], drawn: str
) -> list[str]:
    if not rows:
        return []
    parts = [f"<section><h2>{title}</h2>", f'<p class="quiet">{note}</p>' if note else ""]
    parts.append("<table><thead><tr>")
    parts += [f"<th{_class(head)}>{head}</th>" for head in heads]
    parts.append("</tr></thead><tbody>")
    for row in rows[:_MOST_ROWS]:
        cells = zip(heads, row, strict=True)
        parts.append("<tr>")
        parts += [f"<td{_class(head)}>{html.escape(cell)}</td>" for head, cell in cells]
        parts.append("</tr>")
    parts.append("</tbody></table>")
    if len(rows) > _MOST_ROWS:
        parts.append(f'<p class="quiet">and {len(rows) - _MOST_ROWS:,} more</p>')
    return [*parts, drawn, "</section>"]


def _class(head: str) -> str:
    return ' class="number"' if head in NUMBERS else ""


class _Node:
    __slots__ = ("children", "total")

    def __init__(self) -> None:
        self.total = 0.0
        self.children: dict[str | Place, _Node] = {}


def _drawn(stacks: formats.Stacks) -> str:
    """A flame graph that hangs down."""
    root = _Node()
    for stack, total in stacks:
        node = root
        node.total += total
        for frame in stack:
            node = node.children.setdefault(frame, _Node())
            node.total += total
    parts: list[str] = []
    _draw(root, root.total, parts)
    return "".join(parts)


def _draw(node: _Node, whole: float, parts: list[str]) -> None:
    shown = [pair for pair in node.children.items() if pair[1].total > _SMALLEST * whole]
    if not shown:
        return
    parts.append('<div class="flame">')
    for frame, child in sorted(shown, key=lambda pair: -pair[1].total):
        name = html.escape(str(frame))
        share = f"{seconds(child.total)}, {percent(child.total, whole)}"
        width = 100 * child.total / node.total
        parts.append(f'<div class="node" style="width:{width:.3f}%">')
        parts.append(f'<span title="{name}: {share}">{name}</span>')
        _draw(child, whole, parts)
        parts.append("</div>")
    parts.append("</div>")
