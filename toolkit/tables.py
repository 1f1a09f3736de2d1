"""Text for people: tables, and how long something takes.

On a terminal a table is as wide as the terminal at most: words go on below, numbers are cut. Into a
pipe or a file goes plain text of any width.
"""

import sys
from collections.abc import Sequence

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

ANY_WIDTH = 100_000
BOX = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)  # a line below the heads


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Lay rows out under heads; the first `left` columns are words, the others are numbers."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else ANY_WIDTH, force_terminal=terminal)
    laid = Table(box=BOX, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, head in enumerate(heads):
        words = place < left
        laid.add_column(
            Text(head), justify="left" if words else "right", no_wrap=not words, overflow="ellipsis"
        )
    for row in rows:
        laid.add_row(*map(Text, row))
    with console.capture() as captured:
        console.print(laid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def duration(seconds: float) -> str:
    """Write a short time with a unit that fits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
