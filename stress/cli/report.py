"""What a run says in the end: a table, the findings, the bound, the verdict; JSON and JUnit."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from perf.report import table

from ..engine.journal import RUNS, Run
from ..engine.totals import Exit, bound
from ..records.findings import Finding


def repro_command(fingerprint: str, root: Path) -> str:
    """Return the command that shows a finding again."""
    where = "" if root == RUNS else f" --runs {shlex.quote(str(root))}"
    return f"python -m stress repro {fingerprint}{where}"


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
            ]
        )
    heads = ["scenario", "result", "outcomes", "rounds", "operations", "hand-overs"]
    return table(heads, rows, left=3)


def finding_text(finding: Finding, root: Path, lines: int = 12) -> str:
    """Describe one finding, with the command that shows it again."""
    batch = finding.batch
    where = (
        f"  after {finding.seconds:.1f} s and {finding.ops:,} operations of {batch.target};"
        f" {batch.threads} threads, nemeses {', '.join(batch.nemeses) or 'none'};"
        f" blamed on: {finding.blame}"
    )
    head = [
        f"FINDING {finding.fingerprint}: {finding.kind}, {finding.oracle}: {finding.message}",
        where,
    ]
    details = [f"  | {line}" for line in finding.details.strip().splitlines()]
    if len(details) > lines:
        details = [*details[:lines], f"  | ... {len(details) - lines} lines more in its file"]
    return "\n".join(
        [*head, *details, f"  see it again: {repro_command(finding.fingerprint, root)}"]
    )


def text(run: Run, root: Path) -> str:
    """Return the closing report of a run."""
    summary = run.info["summary"]
    parts = [scenario_table(summary), ""]
    parts += [finding_text(finding, root) + "\n" for finding in run.findings()]
    for name, entry in summary["scenarios"].items():
        for rising in entry["rising"]:
            parts.append(f"note: {name}: the child's {rising} all the time")
        for error in entry["errors"][:1]:
            parts.append(f"the harness failed in {name}:\n{error}")
        if entry["unknown"]:
            parts.append(f"note: {name}: {entry['unknown']} histories could not be judged")
    if summary["dropped"]:
        parts.append(f"not run, for want of time or of a nemesis: {', '.join(summary['dropped'])}")
    parts.append(verdict_line(run))
    return "\n".join(parts)


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
        return f"VERDICT: FOUND {len(summary['findings'])} in {target}: {done}"
    if kind is Exit.HARNESS:
        return f"VERDICT: THE HARNESS FAILED, nothing is said of {target}: {done}"
    if kind is Exit.TOO_LITTLE:
        why = list(summary["reservations"])
        why += [f"{name} lacks {', '.join(x)}" for name, x in summary["missing"].items()]
        return f"VERDICT: TOO LITTLE EXERCISED of {target} ({'; '.join(why)}): {done}"
    return (
        f"VERDICT: nothing found in {target} on what was exercised: {done}. If operations are"
        f" independent, failures are {bound(summary['ops'])}; by rounds, {bound(summary['rounds'])}"
    )


def write_json(runs: list[Run], path: Path) -> None:
    """Write all that is known of the runs."""
    data = {"runs": [{"run": run.name, **run.info} for run in runs]}
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def write_junit(runs: list[Run], path: Path, root: Path) -> None:
    """Write a test case for each scenario of each run, as CI systems read them."""
    top = ElementTree.Element("testsuites")
    for run in runs:
        summary = run.info["summary"]
        suite = ElementTree.SubElement(top, "testsuite", name=f"stress {run.options.target}")
        found = {finding.fingerprint: finding for finding in run.findings()}
        counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        for name, entry in summary["scenarios"].items():
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=f"stress.{run.options.target}",
                name=name,
                time=str(entry["seconds"]),
            )
            counts["tests"] += 1
            if entry["findings"]:
                counts["failures"] += 1
                for fingerprint in entry["findings"]:
                    finding = found[fingerprint]
                    failure = ElementTree.SubElement(case, "failure", message=finding.message)
                    failure.text = finding_text(finding, root, lines=200)
            elif entry["errors"]:
                counts["errors"] += 1
                ElementTree.SubElement(case, "error").text = entry["errors"][0]
            elif entry["missing"]:
                counts["skipped"] += 1
                why = f"too little exercised: {', '.join(entry['missing'])}"
                ElementTree.SubElement(case, "skipped", message=why)
        for key, value in counts.items():
            suite.set(key, str(value))
    ElementTree.indent(top)
    ElementTree.ElementTree(top).write(path, encoding="utf-8", xml_declaration=True)
