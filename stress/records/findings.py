"""What was found: kept as one file each from the moment it is seen, known by a fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from .batch import Batch, batch_from_json, read_kept, write_atomically


@dataclasses.dataclass(frozen=True)
class Finding:
    """One failure, and all that is needed to see it again."""

    batch: Batch
    kind: str
    """breach (an oracle failed), outcome, exception, hang or crash; part of the fingerprint."""
    oracle: str
    """Who saw it: an oracle's name, or the forbidden outcome."""
    message: str
    round: int
    ops: int = 0
    """Operations that the batch had done."""
    seconds: float = 0.0
    details: str = ""
    """Stacks, a traceback, a drawing: as text."""
    blame: str = "target"
    """target, interpreter, kernel or harness: whose failure it is, as far as can be told."""
    python: str = ""

    @property
    def fingerprint(self) -> str:
        """Return a name that is equal for equal failures, whatever seed showed them."""
        text = f"{self.batch.target}\0{self.batch.scenario}\0{self.kind}\0{self.oracle}"
        return f"{self.batch.scenario}-{hashlib.blake2b(text.encode(), digest_size=3).hexdigest()}"

    def is_in(self, known: Collection[str]) -> bool:
        """Return whether it is among these: fingerprints, and "scenario: oracle", * for any."""
        oracles = (f"{self.batch.scenario}: {oracle}" for oracle in (self.oracle, "*"))
        return self.fingerprint in known or any(each in known for each in oracles)

    def write(self, folder: Path) -> Path:
        """Keep it, unless an equal one is kept already; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.fingerprint}.json"
        if not path.exists():
            write_atomically(path, dataclasses.asdict(self))
        return path


def read(path: Path) -> Finding:
    """Read a finding's file. Raises OSError or ValueError."""
    data: dict[str, Any] = read_kept(path.read_text(encoding="utf-8"))
    try:
        data["batch"] = batch_from_json(data["batch"])
        return Finding(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a finding: {error}") from None


def read_all(folder: Path) -> list[Finding]:
    """Return all findings in a folder, by fingerprint."""
    return [read(path) for path in sorted(folder.glob("*.json"))]
