"""What a run has found, for programs to read: JSON, JUnit's XML, SARIF."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..engine.catalogue import NoScenario, find
from ..engine.journal import Run
from ..records.findings import Finding
from .report import finding_text, repro_command

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def write_json(runs: list[Run], path: Path, root: Path) -> None:
    """Write all that is known of the runs, findings with their stacks and how to see them again."""
    data = {
        "runs": [
            {
                "run": run.name,
                **run.info,
                "findings": [
                    {
                        **dataclasses.asdict(finding),
                        "fingerprint": finding.fingerprint,
                        "known": run.knows(finding),
                        "repro": repro_command(finding.fingerprint, root),
                    }
                    for finding in run.findings()
                ],
            }
            for run in runs
        ]
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def write_sarif(runs: list[Run], path: Path, root: Path) -> None:
    """Write what was found as hosts of code read it: SARIF 2.1.0."""
    data = {"$schema": SARIF, "version": "2.1.0", "runs": [_sarif(run, root) for run in runs]}
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _sarif(run: Run, root: Path) -> dict[str, Any]:
    found = run.findings()
    rules = sorted({finding.oracle for finding in found})
    return {
        "tool": {
            "driver": {
                "name": "ftthreading stress",
                "rules": [{"id": rule, "name": rule} for rule in rules],
            }
        },
        "results": [
            {
                "ruleId": finding.oracle,
                "level": "note" if run.knows(finding) else "error",
                "message": {"text": finding_text(finding, root, lines=60)},
                "partialFingerprints": {"stress/v1": finding.fingerprint},
                "locations": [_location(finding)],
            }
            for finding in found
        ],
    }


def _location(finding: Finding) -> dict[str, Any]:
    """Return where the scenario stands, from here if it is below."""
    try:
        scenario = find(finding.batch.scenario, finding.batch.files)
        file, line = inspect.getsourcefile(scenario) or "", inspect.getsourcelines(scenario)[1]
    except (NoScenario, OSError):
        file, line = "", 1
    near = os.path.relpath(file) if file else finding.batch.scenario
    uri = Path(file).as_uri() if near.startswith("..") else Path(near).as_posix()
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": max(1, line)},
        }
    }


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
