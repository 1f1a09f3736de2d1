"""One HTML page that opens offline: verdict, outcomes, findings, curves, history. See page.html."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.pages import render

from ..engine.journal import Run
from ..processes.drift import NAMES
from .report import finding_text, verdict_line

Values = dict[str, Any]


def curve(samples: Sequence[Sequence[float]], column: int) -> Values:
    """Return one resource over time: the points of a line, and the most there was."""
    xs = [sample[0] for sample in samples]
    ys = [sample[column] for sample in samples]
    top, wide = max(*ys, 1e-9), max(xs[-1] - xs[0], 1e-9)
    points = " ".join(
        f"{4 + 192 * (x - xs[0]) / wide:.1f},{56 - 50 * y / top:.1f}"
        for x, y in zip(xs, ys, strict=True)
    )
    return {"points": points, "top": f"{top:g}", "title": NAMES[column - 1]}


def surroundings(run: Run) -> list[str]:
    """Return the machine and interpreter, and what was not run."""
    about, summary = run.info["python"], run.info["summary"]
    words = [
        f"{about['version']} ({about['build']}), GIL {'on' if about['gil'] else 'off'}",
        f"{about['cpus']} processors, {about.get('processor', 'unknown')}",
        f"{summary['batches']} batches planned",
    ]
    if summary["dropped"]:
        words.append(f"not run: {', '.join(summary['dropped'])}")
    return words + [f"reservation: {word}" for word in summary["reservations"]]


def in_full(run: Run, root: Path) -> Values:
    """Return what the page shows of a run; the curves are of its longest batch."""
    python = run.info["python"]
    found: Values = {
        "title": f"{run.options.target} on {python['version']}{'t' * python['free_threaded']}",
        "verdict": verdict_line(run),
        "summary": run.info["summary"],
        "surroundings": surroundings(run),
        "findings": [(one.fingerprint, finding_text(one, root, 400)) for one in run.findings()],
        "curves": [],
    }
    sampled = [r for r in run.results() if len(r.drift.get("samples", ())) > 1]
    if sampled:
        longest = max(sampled, key=lambda result: result.seconds)
        samples = longest.drift["samples"]
        found["longest"] = f"{longest.batch.key()}, {longest.seconds:.1f} s"
        found["curves"] = [curve(samples, column) for column in range(1, len(NAMES) + 1)]
    return found


def in_short(run: Run) -> Values:
    """Return what the history says of a run."""
    summary = run.info.get("summary")
    return {
        "name": run.name,
        "verdict": summary["verdict"] if summary else "not finished",
        "ops": f"{summary['ops']:,}" if summary else "",
        "findings": ", ".join(finding.fingerprint for finding in run.findings()) or "-",
    }


def page(runs: list[Run], history: list[Run], root: Path) -> str:
    """Return the page: the runs in full, and the history in short, the newest first."""
    return render(
        Path(__file__).with_name("page.html"),
        runs=[in_full(run, root) for run in runs],
        history=[in_short(run) for run in reversed(history[-40:])],
    )
