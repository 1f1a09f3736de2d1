"""One HTML page that opens offline: verdict, outcomes, findings, curves, history."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from ..engine.journal import Run
from ..processes.drift import NAMES
from .report import finding_text, verdict_line

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { padding: .2em .7em; text-align: left; border-bottom: 1px solid #8884; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; background: #8881; padding: .7em; font-size: 12px; }
.forbidden, .FOUND, .HARNESS { color: #c22; font-weight: 600; }
.interesting, .TOO_LITTLE { color: #b70; }
.acceptable, .NOTHING_FOUND { color: #184; }
svg { background: #8881; margin-right: 1em; }
.wide { overflow-x: auto; }
@media (max-width: 40em) { body { margin: 1em auto; } td, th { padding: .2em .4em; } }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd; } }
"""


def cell(value: object, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f"<td{mark}>{html.escape(str(value))}</td>"


def curve(samples: list[list[float]], column: int, title: str) -> str:
    """Return one resource over time as a drawing."""
    if len(samples) < 2:
        return ""
    xs = [sample[0] for sample in samples]
    ys = [sample[column] for sample in samples]
    top, wide = max(*ys, 1e-9), max(xs[-1] - xs[0], 1e-9)
    points = " ".join(
        f"{4 + 192 * (x - xs[0]) / wide:.1f},{56 - 50 * y / top:.1f}"
        for x, y in zip(xs, ys, strict=True)
    )
    return (
        f'<svg width="200" height="76" role="img"><polyline points="{points}" fill="none"'
        f' stroke="#37c"/><text x="4" y="71" font-size="11" fill="currentColor">{title}, at most'
        f" {top:g}</text></svg>"
    )


def scenarios(summary: dict[str, Any]) -> str:
    rows = []
    for name, entry in summary["scenarios"].items():
        if not entry["batches"]:
            continue
        outcomes = ", ".join(
            f'<span class="{one["grade"]}">{html.escape(outcome)} {one["count"]:,}</span>'
            for outcome, one in entry["outcomes"].items()
        )
        state, kind = ("FOUND", "FOUND") if entry["findings"] else ("quiet", "NOTHING_FOUND")
        if entry["missing"]:
            state, kind = f"too little: lacks {', '.join(entry['missing'])}", "TOO_LITTLE"
        rows.append(
            "<tr>"
            + cell(name)
            + (found(entry["findings"]) if entry["findings"] else cell(state, kind))
            + f"<td>{outcomes}</td>"
            + cell(f"{entry['rounds']:,}", "n")
            + cell(f"{entry['ops']:,}", "n")
            + cell(len(entry["pairs"]), "n")
            + "</tr>"
        )
    heads = ("scenario", "result", "outcomes", "rounds", "operations", "hand-overs seen")
    head = "".join(f"<th>{word}</th>" for word in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def found(fingerprints: list[str]) -> str:
    """Return a cell with a link to each finding."""
    links = (f'<a class="FOUND" href="#{one}">FOUND</a>' for one in fingerprints)
    return f"<td>{' '.join(links)}</td>"


def surroundings(run: Run) -> str:
    """Return the machine and interpreter, and what was not run."""
    about, summary = run.info["python"], run.info["summary"]
    words = [
        f"{about['version']} ({about['build']}), GIL {'on' if about['gil'] else 'off'}",
        f"{about['cpus']} processors, {about.get('processor', 'unknown')}",
        f"{summary['batches']} batches planned",
    ]
    if summary["dropped"]:
        words.append(f"not run: {', '.join(summary['dropped'])}")
    words += [f"reservation: {word}" for word in summary["reservations"]]
    return "".join(f"<p>{html.escape(word)}</p>" for word in words)


def curves(run: Run) -> str:
    """Return what the longest batch used, over its time."""
    results = [r for r in run.results() if len(r.drift.get("samples", ())) > 1]
    if not results:
        return ""
    longest = max(results, key=lambda result: result.seconds)
    drawn = "".join(curve(longest.drift["samples"], k, name) for k, name in enumerate(NAMES, 1))
    about = f"{longest.batch.key()}, {longest.seconds:.1f} s"
    return f"<h2>Resources of the longest batch</h2><p>{html.escape(about)}</p>{drawn}"


def past(runs: list[Run]) -> str:
    """Return earlier runs, the newest first."""
    rows = []
    for run in reversed(runs[-40:]):
        summary = run.info.get("summary")
        verdict = summary["verdict"] if summary else "not finished"
        found = ", ".join(finding.fingerprint for finding in run.findings()) or "-"
        ops = f"{summary['ops']:,}" if summary else ""
        row = cell(run.name) + cell(verdict, verdict) + cell(ops, "n") + cell(found)
        rows.append(f"<tr>{row}</tr>")
    head = "<tr><th>run</th><th>verdict</th><th>operations</th><th>findings</th></tr>"
    return f'<h2>History</h2><div class="wide"><table>{head}{"".join(rows)}</table></div>'


def page(runs: list[Run], history: list[Run], root: Path) -> str:
    """Return the page: the runs in full, and the history in short."""
    parts = []
    for run in runs:
        summary = run.info["summary"]
        python = run.info["python"]
        title = (
            f"{run.options.target} on {python['version']}{'t' if python['free_threaded'] else ''}"
        )
        parts.append(f"<h1>stress: {html.escape(title)}</h1>")
        parts.append(f'<p class="{summary["verdict"]}">{html.escape(verdict_line(run))}</p>')
        parts.append(surroundings(run))
        parts.append(scenarios(summary))
        parts += [
            f'<h2 id="{finding.fingerprint}">{html.escape(finding.fingerprint)}</h2>'
            f"<pre>{html.escape(finding_text(finding, root, lines=400))}</pre>"
            for finding in run.findings()
        ]
        parts.append(curves(run))
    parts.append(past(history))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>stress</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
