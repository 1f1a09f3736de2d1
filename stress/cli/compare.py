"""Two runs side by side: what is new, what is gone, and whether that can be chance."""

from __future__ import annotations

import math
from collections import Counter

from toolkit.exits import Exit
from toolkit.tables import table

from ..engine.journal import Run
from ..records.findings import Finding

CHANCE = 0.05
"""Below this probability, a difference is not called chance."""

Key = tuple[str, str, str]


def key(finding: Finding) -> Key:
    """Return what makes findings of different targets comparable."""
    return finding.batch.scenario, finding.kind, finding.oracle


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Return the two-sided probability of a 2x2 table, given its margins (Fisher's exact test).

    By hand, since nothing else here needs SciPy, which is a hundred times larger than stress.
    """
    row, column, total = a + b, a + c, a + b + c + d

    def chance(x: int) -> float:
        return (
            math.comb(column, x) * math.comb(total - column, row - x) / math.comb(total, row)
            if 0 <= x <= column and 0 <= row - x <= total - column
            else 0.0
        )

    here = chance(a)
    return min(1.0, sum(p for x in range(row + 1) if (p := chance(x)) <= here * (1 + 1e-9)))


def batches(run: Run) -> tuple[Counter[str], Counter[str]]:
    """Return, by scenario, how many batches ran and in how many something was found."""
    every: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for result in run.results():
        every[result.batch.scenario] += 1
        failed[result.batch.scenario] += bool(result.findings)
    return every, failed


def compare(left: Run, right: Run) -> tuple[str, Exit]:
    """Return a report, and FOUND if the right run has something that the left one has not."""
    old = {key(finding): finding for finding in left.findings()}
    new = {key(finding): finding for finding in right.findings()}
    lines = [f"left:  {title(left)}", f"right: {title(right)}", ""]
    left_all, left_failed = batches(left)
    right_all, right_failed = batches(right)
    rows = []
    for name in sorted({*left_all, *right_all}):
        if not (left_failed[name] or right_failed[name]):
            continue
        a, b = left_failed[name], left_all[name] - left_failed[name]
        c, d = right_failed[name], right_all[name] - right_failed[name]
        p = fisher(a, b, c, d)
        word = "can be chance" if p >= CHANCE else "differs"
        rows.append([name, word, f"{a}/{a + b}", f"{c}/{c + d}", f"{p:.3f}"])
    if rows:
        heads = ["scenario with findings", "", "left", "right", "p (Fisher)"]
        lines += ["batches that failed:", table(heads, rows, left=2), ""]
    for word, found in (("only left", old.keys() - new), ("only right", new.keys() - old)):
        lines += [
            f"{word}: {scenario}: {kind}, {oracle}" for scenario, kind, oracle in sorted(found)
        ]
    lines += [f"both: {s}: {kind}, {oracle}" for s, kind, oracle in sorted(old.keys() & new)]
    fresh = len(new.keys() - old)
    lines.append(
        f"VERDICT: {fresh} only right, {len(old.keys() - new)} only left,"
        f" {len(old.keys() & new.keys())} in both"
    )
    return "\n".join(lines), Exit.FOUND if fresh else Exit.NOTHING_FOUND


def title(run: Run) -> str:
    """Return a run in one line."""
    summary = run.info.get("summary")
    python = run.info["python"]
    about = f"{run.name} ({run.options.target}, {python['version']}, seed {run.options.seed})"
    if summary is None:
        return f"{about}: not finished, {len(run.findings())} findings"
    return (
        f"{about}: {summary['verdict']}, {summary['ops']:,} operations,"
        f" {len(summary['findings'])} findings"
    )


def history(runs: list[Run]) -> str:
    """Return all runs in a table, the oldest first."""
    rows = []
    for run in runs:
        summary = run.info.get("summary") or {}
        rows.append(
            [
                run.name,
                run.options.target,
                summary.get("verdict", "not finished").lower().replace("_", " "),
                ", ".join(sorted(finding.batch.scenario for finding in run.findings()))[:60],
                f"{summary.get('seconds', 0):.0f} s",
                f"{summary.get('ops', 0):,}",
            ]
        )
    heads = ["run", "target", "verdict", "found in", "time", "operations"]
    return table(heads, rows, left=4)
