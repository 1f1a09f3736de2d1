"""Instructions that an operation takes where nobody else wants the primitive, by callgrind.

One thread, one process for all cases. Each loop is counted twice at two lengths, and the
difference of the shorter counts is divided by the operations between them, so that start-up, the
loop's own begin and chance events cancel. Repeated counts differ by less than 0.1 %.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence

from perf.cases.uncontended import BY_ID
from perf.results.case import INTEGER, Case, Plain
from perf.results.measurement import Measurement, Round
from perf.worker.callgrind import OPERATIONS, PARTS
from toolkit import child
from toolkit.address import ROOT

KIND = "instructions"
THRESHOLD = 1.01
LIMIT_SECONDS = 300.0
TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)
HOW_TO_GET = "valgrind is not installed; Debian and Ubuntu have it: apt-get install valgrind"


class CannotCount(Exception):
    """There is no valgrind, or the interpreter did not get through under it."""


@dataclasses.dataclass(frozen=True)
class Count:
    """Instructions of one operation; `blocks` of memory that many of them left behind."""

    instructions: float
    blocks: int


Counts = dict[tuple[str, str], Count]  # by implementation and uncontended case


def count(
    impls: Sequence[str],
    cases: Sequence[str],
    interrupts: child.Interrupts,
    environment: Mapping[str, str] | None = None,
) -> Counts:
    """Count all cases under all implementations, with this interpreter.

    environment: PYTHONPATH and the like; without it that of this process, with this checkout.
    Raises CannotCount or child.Interrupted.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise CannotCount(HOW_TO_GET)
    own = {**os.environ, "PYTHONPATH": str(ROOT)} if environment is None else environment
    with tempfile.TemporaryDirectory(prefix="perf-count-") as name:
        folder = pathlib.Path(name)
        found = child.run(
            [
                *(valgrind, "--tool=callgrind", "--dump-before=native_spin"),
                *(f"--callgrind-out-file={folder / 'profile'}", f"--log-file={folder / 'log'}"),
                # P: nothing but PYTHONPATH decides what is imported.
                *(sys.executable, "-P", "-m", "perf.worker.callgrind"),
                *(str(folder / "blocks"), ",".join(impls), *cases),
            ],
            cwd=name,
            env={**own, "PYTHONHASHSEED": "0"},
            limit=LIMIT_SECONDS,
            interrupts=interrupts,
        )
        if found.fault:
            raise CannotCount(f"under valgrind: {found.fault}\n{found.stderr[-2000:]}")
        return _counts(folder, [(impl, case) for impl in impls for case in cases])


def _counts(folder: pathlib.Path, jobs: Sequence[tuple[str, str]]) -> Counts:
    blocks = json.loads((folder / "blocks").read_text())
    counts: Counts = {}
    for index, (job, kept) in enumerate(zip(jobs, blocks, strict=True)):
        # Files are numbered from 1; the first ends where all jobs begin.
        first = 2 + index * PARTS
        parts = [_total(folder / f"profile.{first + part}") for part in range(1, PARTS)]
        few, many = min(parts[1::3]), min(parts[2::3])
        counts[job] = Count((many - few) / OPERATIONS, kept)
    return counts


def _total(path: pathlib.Path) -> int:
    try:
        match = TOTALS.search(path.read_text())
    except OSError as error:
        raise CannotCount(f"callgrind wrote too few parts: {error}") from error
    if match is None:
        raise CannotCount(f"callgrind wrote no total into {path.name}")
    return int(match[1])


def case_of(name: str) -> Case:
    """Return the case that an uncontended case's instructions are kept as."""
    case = BY_ID[name].case
    return Case(case.primitive, f"{case.operation}_instructions", KIND, threads=0)


def measurements(counts: Counts, metadata: Mapping[str, Plain]) -> list[Measurement]:
    """Return the counts as a result keeps them."""
    return [
        Measurement(
            case_of(name),
            impl,
            (
                Round(
                    0,
                    (max(1, round(each.instructions)),),
                    metadata={**metadata, "ftt_blocks": each.blocks},
                ),
            ),
            INTEGER,
        )
        for (impl, name), each in counts.items()
    ]
