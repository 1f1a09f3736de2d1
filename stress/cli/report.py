"""What a run says in the end: a table, the findings, the bound, the verdict; JSON and JUnit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from toolkit.address import command
from toolkit.exits import Exit
from toolkit.tables import table

from ..engine.journal import RUNS, Run
from ..engine.totals import bound
from ..processes.crashes import SEMAPHORE
from ..records.findings import Finding


def repro_command(fingerprint: str, root: Path) -> str:
    """Return the command that shows a finding again."""
    where = "" if root == RUNS else f" --output {shlex.quote(str(root))}"
    return f"{command('stress')} repro {fingerprint}{where}"


def outcomes_text(entry: dict[str, Any]) -> str:
    """Return an entry's outcomes in a few words."""
    words = [
        f"{outcome} {one['count']}" + (" (!)" if one["grade"] == "interesting" else "")
        for outcome, one in entry["outcomes"].items()
    ]
    return ", ".join(words)[:70]


def scenario_table(summary: dict[str, Any]) -> str:
    """Lay out one line for each scenario that has run."""
    rows = []
    for name, entry in summary["scenarios"].items():
        if not entry["batches"]:
            continue
        if entry["findings"]:
            word = "FOUND"
        elif entry["errors"]:
            word = "harness"
        else:
            word = "too little" if entry["missing"] else "quiet"
        rows.append(
            [
                name,
                word,
                outcomes_text(entry),
                str(entry["rounds"]),
                f"{entry['ops']:,}",
                str(len(entry["pairs"])),
                "-" if entry["findings"] else bound(entry["rounds"]).removesuffix(" each (95 %)"),
            ]
        )
    heads = [
        "scenario",
        "result",
        "outcomes",
        "rounds",
        "operations",
        "hand-overs",
        "a round fails",
    ]
    return table(heads, rows, left=3)


def finding_text(finding: Finding, root: Path, lines: int = 12, *, known: bool = False) -> str:
    """Describe one finding, with the command that shows it again."""
    batch = finding.batch
    where = (
        f"  after {finding.seconds:.1f} s and {finding.ops:,} operations of {batch.target};"
        f" {batch.threads} threads, nemeses {', '.join(batch.nemeses) or 'none'};"
        f" blamed on: {finding.blame}"
    )
    word = "KNOWN" if known else "FINDING"
    head = [
        f"{word} {finding.fingerprint}: {finding.kind}, {finding.oracle}: {finding.message}",
        where,
    ]
    details = [f"  | {line}" for line in finding.details.strip().splitlines()]
    if not lines:
        details = []
    elif len(details) > lines:
        details = [*details[:lines], f"  | ... {len(details) - lines} lines more in its file"]
    return "\n".join(
        [*head, *details, f"  see it again: {repro_command(finding.fingerprint, root)}"]
    )


def text(run: Run, root: Path) -> str:
    """Return the closing report of a run."""
    summary = run.info["summary"]
    parts = [scenario_table(summary), ""]
    for finding in run.findings():
        known = run.knows(finding)
        parts.append(finding_text(finding, root, 0 if known else 12, known=known) + "\n")
    for name, entry in summary["scenarios"].items():
        parts += [f"note: {name}: the child's {one} all the time" for one in entry["rising"]]
        parts += [f"the harness failed in {name}:\n{error}" for error in entry["errors"][:1]]
        if entry["unknown"]:
            parts.append(f"note: {name}: {entry['unknown']} histories could not be judged")
    if summary["dropped"]:
        parts.append(f"not run, for want of time or of a nemesis: {', '.join(summary['dropped'])}")
    parts.append(verdict_line(run))
    return "\n".join(parts)


def counts(entry: dict[str, Any]) -> bool:
    """Return whether a finding in a summary counts; see SEMAPHORE."""
    return not entry.get("known") and entry["blame"] != SEMAPHORE


def verdict_line(run: Run) -> str:
    """Return the last line: what was found or what quiet means, never that all is well."""
    summary = run.info["summary"]
    target = run.options.target
    kind = Exit(summary["exit"])
    done = (
        f"{summary['ops']:,} operations in {summary['rounds']:,} rounds of"
        f" {sum(1 for e in summary['scenarios'].values() if e['batches'])} scenarios,"
        f" {summary['seconds']:.0f} s, seed {run.options.seed}"
    )
    if kind is Exit.FOUND:
        count = sum(counts(entry) for entry in summary["findings"])
        return f"VERDICT: FOUND {count} in {target}: {done}"
    if kind is Exit.BROKEN:
        return f"VERDICT: THE HARNESS FAILED, nothing is said of {target}: {done}"
    if kind is Exit.TOO_LITTLE:
        why = list(summary["reservations"])
        why += [f"{name} lacks {', '.join(x)}" for name, x in summary["missing"].items()]
        return f"VERDICT: TOO LITTLE EXERCISED of {target} ({'; '.join(why)}): {done}"
    known = sum(not counts(entry) for entry in summary["findings"])
    also = f" but {known} that are known" if known else ""
    seen = {n: e["rounds"] for n, e in summary["scenarios"].items() if e["batches"]}
    least = min(seen, key=seen.__getitem__)
    return (
        f"VERDICT: nothing found{also} in {target} on what was exercised: {done}. If rounds are"
        f" independent, failures of one are as rare as the table says, in {least}"
        f" {bound(seen[least])}"
    )
