"""A run's folder: what was asked for, every batch that has ended, every finding.

::

    RUN/run.json          options and interpreter; at the end the summary, too
    RUN/batches.jsonl     a line for each batch, written and synced when it has ended
    RUN/findings/*.json   a file for each finding
    RUN/work/NUMBER/      the batch that runs now; its findings are there from the first moment
    RUN/children/         what child processes share with the harness, until the end

Killed at any time, a run loses at most the counts of the batch that was running: `open_run` takes
over findings that were left in ``work``.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from toolkit.address import command

from ..processes.kernel import identity
from ..records import findings
from ..records.batch import BatchResult, read_kept, write_atomically
from ..records.findings import Finding
from .catalogue import all_scenarios
from .plan import Options

RUNS = Path(".stress")
"""Where runs are kept, in the current folder, unless --output says otherwise."""


class NoRun(Exception):
    """There is no such run, or no such finding."""


def is_alive(harness: list[int] | None) -> bool:
    """Return whether the process that began a run is still there."""
    return harness is not None and identity(harness[0]) == harness


class Run:
    """A folder with what was done in one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info: dict[str, Any] = read_kept((folder / "run.json").read_text(encoding="utf-8"))
        self.options = Options.from_json(self.info["options"])
        if not is_alive(self.info.get("harness")):
            self.take_over()

    @property
    def name(self) -> str:
        return self.folder.name

    def results(self) -> list[BatchResult]:
        """Return all batches that have ended; a torn last line is left out."""
        try:
            lines = (self.folder / "batches.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                found.append(BatchResult.from_json(json.loads(line)))
            except ValueError:
                continue
        return found

    def findings(self) -> list[Finding]:
        """Return all findings."""
        return findings.read_all(self.folder / "findings")

    def knows(self, finding: Finding) -> bool:
        """Return whether it is no news: declared to be known, or a fault of the interpreter's."""
        scenario = all_scenarios(self.options.files).get(finding.batch.scenario)
        name = scenario.known_without if scenario is not None else ""
        names = self.info["python"].get("names", ())
        return finding.is_in(self.options.known) or bool(name and name not in names)

    def work(self, number: int) -> Path:
        """Return the folder in which a batch can run."""
        return self.folder / "work" / str(number)

    @property
    def children(self) -> Path:
        """Return the folder of what children share with their supervisor."""
        return self.folder / "children"

    def ended(self, result: BatchResult) -> None:
        """Keep a batch that has ended, its findings first."""
        work = self.work(result.number)
        for finding in findings.read_all(work / "found"):
            finding.write(self.folder / "findings")
        line = json.dumps(result.to_json()) + "\n"
        file = os.open(self.folder / "batches.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, line.encode())
            os.fsync(file)
        finally:
            os.close(file)
        shutil.rmtree(work, ignore_errors=True)

    def take_over(self) -> None:
        """Keep the findings of a batch in whose midst the harness was stopped or killed."""
        for work in sorted((self.folder / "work").glob("*")):
            for finding in findings.read_all(work / "found"):
                finding.write(self.folder / "findings")
            shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(self.children, ignore_errors=True)

    def begin(self) -> None:
        """Say that this process runs it now."""
        self.info["harness"] = identity(os.getpid())
        write_atomically(self.folder / "run.json", self.info)

    def finish(self, summary: dict[str, Any]) -> None:
        """Keep the summary."""
        self.info["summary"] = summary
        self.info["harness"] = None
        write_atomically(self.folder / "run.json", self.info)


def new_run(root: Path, options: Options, python: dict[str, Any]) -> Run:
    """Make the folder of a new run."""
    tag = f"{python['version']}{'t' if python['free_threaded'] else ''}"
    base = f"{time.strftime('%Y%m%d-%H%M%S')}-{options.target.replace(':', '-')}-{tag}"
    name, n = base, 1
    while True:
        folder = root / name
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            n += 1
            name = f"{base}-{n}"
    info = {"options": options.to_json(), "python": python, "started": time.time()}
    write_atomically(folder / "run.json", info)
    return Run(folder)


def all_runs(root: Path) -> list[Run]:
    """Return all runs, the oldest first."""
    return [Run(path.parent) for path in sorted(root.glob("*/run.json"))]


def open_run(root: Path, name: str) -> Run:
    """Return a run by its name, its folder, or ``last``. Raises NoRun."""
    if name == "last":
        paths = sorted(root.glob("*/run.json"))
        if not paths:
            raise NoRun(f"no run is kept in {root}")
        return Run(paths[-1].parent)
    for folder in (root / name, Path(name)):
        if (folder / "run.json").exists():
            return Run(folder)
    raise NoRun(f"no run {name} in {root}; `{command('stress')} history` names them")


def find_finding(root: Path, name: str) -> Finding:
    """Return the newest finding with this fingerprint, or in this file. Raises NoRun."""
    if Path(name).is_file():
        return findings.read(Path(name))
    for run in reversed(all_runs(root)):
        for finding in run.findings():
            if finding.fingerprint == name:
                return finding
    raise NoRun(f"no finding {name} in {root}")
