"""The page itself: one file that holds its data, scripts, styles and charting library.

Plotly's script is taken from its package when the page is written. A policy in the page's head
forbids every request, so that the page cannot come to need a network unnoticed.
"""

import datetime
import pathlib

from markupsafe import Markup

from perf.dashboard.data import Json
from toolkit.pages import render

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


def page(data: Json) -> str:
    """Return the whole page. Raises NoPlotly."""
    library, version = plotly()
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return render(
        ASSETS / "page.html",
        data={**data, "written": now, "plotly": version},
        library=Markup(library),
        scripts=SCRIPTS,
    )
