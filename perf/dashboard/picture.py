"""One SVG for README: throughput over threads by primitive, and every cell that loses, by name.

Drawn by hand rather than by the page's library, so that the file is small, is the same for the
same result, and follows the reader's light or dark style.
"""

import math
import pathlib
import textwrap
from collections.abc import Iterator, Sequence
from html import escape

from perf.analysis.comparison import CaseComparison, Judgement, compare
from perf.analysis.rounds import ENOUGH_ROUNDS
from perf.cases.contended_workloads import IS_SET
from perf.dashboard.cautions import cautions, cpus
from perf.results.case import ATTRIBUTE, BASE, OWN, SECOND, Case
from perf.results.measurement import Measurement, Result
from toolkit.address import command
from toolkit.tables import duration

KINDS = ("contended", "uncontended", "handoff", "latency", "thread", "queue", "program")
SECTIONS = (1_000, 0, 10_000)  # the one to draw: the first that most curves have
COLUMNS = 3
WIDTH, MARGIN = 960, 24
PANEL_WIDTH, PANEL_HEIGHT = 300, 190
PLOT_LEFT, PLOT_TOP, PLOT_WIDTH, PLOT_HEIGHT = 50, 26, 232, 116
LINE, LETTERS = 19, 128
LOSSES = 12  # so many are named; the others are counted
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1b2330; }
.title { font-size: 19px; font-weight: 600; } .head { font-weight: 600; }
.quiet { fill: #5b6574; font-size: 12px; } .loss { fill: #b34700; font-size: 12px; }
.page { fill: #ffffff; } .grid { stroke: #e1e5ea; } .over { fill: #00000010; }
.base { stroke: #c25400; } .own { stroke: #0063a8; } .line { fill: none; stroke-width: 2.5; }
.base.line { stroke-dasharray: 7 4; } .base.dot { fill: #c25400; } .own.dot { fill: #0063a8; }
.ring { fill: none; stroke: #b34700; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaf0; } .quiet { fill: #9aa5b4; } .loss { fill: #ff9a52; }
  .page { fill: #181e27; } .grid { stroke: #2c3644; } .over { fill: #ffffff10; }
  .base { stroke: #ff9a52; } .own { stroke: #56b4e9; } .base.dot { fill: #ff9a52; }
  .own.dot { fill: #56b4e9; } .ring { stroke: #ff9a52; }
}
"""


class NothingToDraw(Exception):
    """No result has curves over threads under both implementations; the message says so."""


Pair = tuple[Measurement, Measurement]
Curve = dict[int, Pair]  # by threads: the base's and our own measurement


def pairs(result: Result) -> Iterator[tuple[Case, Pair]]:
    """Yield what was timed under both implementations."""
    base, own = result.measurements.get(BASE, {}), result.measurements.get(OWN, {})
    for name, measurement in base.items():
        if measurement.unit == SECOND and measurement.case.kind in KINDS and name in own:
            yield measurement.case, (measurement, own[name])


def curves(result: Result) -> tuple[int | None, dict[str, Curve]]:
    """Return one curve of each primitive, and the section's length in them."""
    found: dict[int | None, dict[str, Curve]] = {}
    for case, pair in pairs(result):
        if case.kind == "contended" and case.shape == ATTRIBUTE and case.operation != IS_SET:
            at = found.setdefault(case.section_ns, {}).setdefault(case.primitive, {})
            at[case.threads] = pair
    whole = {
        section: {name: curve for name, curve in group.items() if len(curve) > 1}
        for section, group in found.items()
    }

    def rank(section: int | None) -> tuple[int, int]:
        place = SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)
        return len(whole[section]), -place

    best = max(whole, key=rank, default=None)
    return best, whole.get(best, {})


def choose(results: Sequence[Result], named: Sequence[pathlib.Path]) -> Result:
    """Return the result to draw: the first one named, or the newest with curves.

    Raises NothingToDraw.
    """
    wanted = [result for result in results if not named or result.path == named[0].resolve()]
    for result in reversed(wanted):
        if curves(result)[1]:
            return result
    raise NothingToDraw(
        f"no case under both {BASE} and {OWN} with two numbers of threads; "
        f"make some by: {command('perf')} run --only contended --tier full"
    )


def compared(pair: Pair) -> CaseComparison:
    """Say how many times as fast our own is."""
    return compare(pair[0].medians, pair[1].medians)


def times(found: CaseComparison) -> str:
    """Write how many times as fast our own is."""
    return f"{found.interval.estimate:.2f}\N{MULTIPLICATION SIGN}"


def losses(result: Result) -> tuple[list[str], int]:
    """Return the cells that lose with their ratios, the worst first, and the number of cells."""
    found = [(compared(pair), case) for case, pair in pairs(result)]
    lost = [each for each in found if each[0].verdict is Judgement.WORSE]
    lost.sort(key=lambda each: each[0].interval.estimate)
    return [f"{case.id} {times(ratio)}" for ratio, case in lost], len(found)


def rate(value: float) -> str:
    """Write operations a second shortly."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def ceiling(value: float) -> float:
    """Return the next round number, at which an axis may end."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(
        step * size for step in (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * size >= value * 0.999
    )


class Drawing:
    """Collects elements of an SVG file."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Add words at a point."""
        mark = f' class="{kind}"' if kind else ""
        at = f'x="{x:.1f}" y="{y:.1f}"{mark} text-anchor="{anchor}"'
        self.parts.append(f"<text {at}>{escape(words)}</text>")

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Add a line through points."""
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{text}" class="{kind}" fill="none"/>')

    def dot(self, x: float, y: float, kind: str, radius: float = 3.5) -> None:
        """Add a mark at a point."""
        if "base" in kind:  # a square: the shape says it without colour
            at = f'x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"'
            self.parts.append(f'<rect {at} class="{kind}"/>')
        else:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}"/>')


def _panel(drawing: Drawing, left: float, top: float, name: str, curve: Curve, usable: int) -> None:
    threads = sorted(curve)
    first, last = math.log2(threads[0]), math.log2(threads[-1])
    most = ceiling(max(1 / each.median for pair in curve.values() for each in pair))
    x0, y0 = left + PLOT_LEFT, top + PLOT_TOP

    def place(count: float, value: float) -> tuple[float, float]:
        across = (math.log2(count) - first) / (last - first)
        return x0 + 8 + across * (PLOT_WIDTH - 16), y0 + PLOT_HEIGHT * (1 - value / most)

    drawing.text(x0, top + 14, name, "head")
    if usable and threads[0] <= usable < threads[-1]:
        x = place(usable, 0)[0]
        wide = x0 + PLOT_WIDTH - x
        at = f'x="{x:.1f}" y="{y0}" width="{wide:.1f}" height="{PLOT_HEIGHT}"'
        drawing.parts.append(f'<rect {at} class="over"/>')
    for share in (0, 0.5, 1):
        y = y0 + PLOT_HEIGHT * (1 - share)
        drawing.line([(x0, y), (x0 + PLOT_WIDTH, y)], "grid")
        drawing.text(x0 - 6, y + 4, rate(most * share) if share else "0", "quiet", "end")
    for count in threads:
        drawing.text(place(count, 0)[0], y0 + PLOT_HEIGHT + 17, str(count), "quiet", "middle")
    for side, kind in ((0, "base"), (1, "own")):
        points = [place(count, 1 / curve[count][side].median) for count in threads]
        drawing.line(points, f"{kind} line")
        for x, y in points:
            drawing.dot(x, y, f"{kind} dot")
    for count in threads:
        found = compared(curve[count])
        if found.verdict is Judgement.WORSE:
            x, y = place(count, 1 / curve[count][1].median)
            drawing.dot(x, y, "ring", radius=8)
            below = y < y0 + PLOT_HEIGHT / 2
            drawing.text(x, y + 21 if below else y - 13, times(found), "loss", "middle")


def _origin(result: Result) -> str:
    known = result.metadata
    tier = f", tier {known['ftt_tier']}" if "ftt_tier" in known else ""
    rounds = [len(each.rounds) for _, pair in pairs(result) for each in pair]
    return (
        f"CPython {known.get('python_version', result.tag)}, {cpus(result) or 'unknown'} CPUs of "
        f"{known.get('cpu_model_name', 'an unknown machine')}; {result.when:%d %B %Y}, commit "
        f"{result.name}{tier}; medians of {min(rounds)} or more rounds. "
        + " ".join(cautions(result))
    )


def draw(result: Result) -> str:
    """Return the SVG file's text. The result must have curves: see choose()."""
    section, found = curves(result)
    lost, cells = losses(result)
    drawing = Drawing()
    held = "nothing done inside" if not section else f"{duration(section / 1e9)} of work inside"
    drawing.text(MARGIN, 36, "What contention costs", "title")
    words = f"Operations a second of all threads together, by number of threads; {held}"
    drawing.text(MARGIN, 58, words, "quiet")
    for x, side, kind in ((700, BASE, "base"), (815, OWN, "own")):
        drawing.line([(x, 31), (x + 30, 31)], f"{kind} line")
        drawing.dot(x + 15, 31, f"{kind} dot")
        drawing.text(x + 37, 36, side)
    top = 74.0
    usable = cpus(result) or 0
    for number, (name, curve) in enumerate(found.items()):
        row, column = divmod(number, COLUMNS)
        left = MARGIN + column * (PANEL_WIDTH + 6)
        _panel(drawing, left, top + row * PANEL_HEIGHT, name, curve, usable)
    y = top + math.ceil(len(found) / COLUMNS) * PANEL_HEIGHT + 6
    named = ", ".join(lost[:LOSSES]) + (f" and {len(lost) - LOSSES} more" if lost[LOSSES:] else "")
    said = f"Slower than {BASE} in {len(lost)} of {cells} cells{f': {named}' if lost else ''}."
    over = f"Shaded: more threads than the {usable} CPUs. " if usable else ""
    notes = f"{over}Ringed or named: slower by the whole 95 % interval of {ENOUGH_ROUNDS}+ rounds. "
    for kind, text in (("loss", said), ("quiet", notes + _origin(result))):
        for line in textwrap.wrap(text, LETTERS):
            drawing.text(MARGIN, y, line, kind)
            y += LINE
    height = y + 4
    title = escape(f"Throughput over threads of {BASE} and {OWN}. {said}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img"><title>{title}</title>'
        f'<style>{STYLE}</style><rect class="page" width="100%" height="100%" rx="8"/>\n'
        + "\n".join(drawing.parts)
        + "\n</svg>\n"
    )
