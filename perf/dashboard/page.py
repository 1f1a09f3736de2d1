"""The page itself: one file that holds its data, scripts, styles and charting library.

Plotly's script is taken from its package when the page is written. A policy in the page's head
forbids every request, so that the page cannot come to need a network unnoticed.
"""

import datetime
import json
import pathlib

from perf.dashboard.data import Json

ASSETS = pathlib.Path(__file__).parent / "assets"
# In this order: each uses what those before it define.
SCRIPTS = (
    "data",
    "stats",
    "state",
    "elements",
    "charts",
    "panels",
    "overview",
    "curves",
    "costs",
    "history",
    "compare",
    "case",
    "main",
)


class NoPlotly(Exception):
    """The charting library is not installed; the message says how to get it."""


def plotly() -> tuple[str, str]:
    """Return Plotly's script and its version. Raises NoPlotly."""
    try:
        from plotly.offline import get_plotlyjs, get_plotlyjs_version
    except ImportError as error:
        raise NoPlotly(
            f"{error}: the charts need it; get it by ci/env, or python -m pip install plotly"
        ) from None
    return str(get_plotlyjs()), str(get_plotlyjs_version())


def embedded(data: Json) -> str:
    """Return JSON that can stand in a script element, whatever its strings hold."""
    # An escaped "<" is the same string to JSON, and can neither end the element nor open a comment.
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def script(text: str) -> str:
    """Return a script element. Raises ValueError for a text that would end it early."""
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("a script holds an end tag or a comment's begin")
    return f"<script>{text}</script>"


def page(data: Json) -> str:
    """Return the whole page. Raises NoPlotly."""
    library, version = plotly()
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    data = {**data, "written": now, "plotly": version}
    own = [(ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    parts = {
        "styles": f"<style>{(ASSETS / 'page.css').read_text(encoding='utf-8')}</style>",
        "data": f'<script type="application/json" id="results">{embedded(data)}</script>',
        "library": script(library),
        "scripts": "\n".join(script(text) for text in own),
    }
    template = (ASSETS / "page.html").read_text(encoding="utf-8")
    # One pass from the left, since a part may hold another part's mark.
    found = []
    for name, text in parts.items():
        before, _, template = template.partition(f"<!-- {name} -->")
        found += [before, text]
    return "".join([*found, template])
