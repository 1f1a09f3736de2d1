"""The unit of work: one scenario, on one target, with one seed, in one child process."""

from __future__ import annotations

import _thread
import dataclasses
import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

OLD_NAMES = {"lacks": "missing", "lacking": "missing", "says": "message"}
"""What keys in files of earlier versions are called now."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """All that decides what a child does; two children with equal batches do the same."""

    scenario: str
    target: str
    seed: int
    threads: int
    nemeses: tuple[str, ...] = ()
    seconds: float = 1.0
    first: int = 0
    """The number of the first round; a finding's own, to see it again."""
    files: tuple[str, ...] = ()
    """Files with scenarios of the user's own."""

    def key(self) -> str:
        """Return what tells batches of one run apart."""
        return f"{self.scenario}/{self.threads}/{'+'.join(self.nemeses) or 'none'}/{self.seed}"


@dataclasses.dataclass
class BatchResult:
    """What a batch has done; the child writes it every second, and at its end."""

    batch: Batch
    rounds: int = 0
    ops: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = dataclasses.field(default_factory=Counter)
    seen: Counter[str] = dataclasses.field(default_factory=Counter)
    unknown: int = 0
    """Histories that the checker could not judge within its limits."""
    pairs: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    latest: float = 0.0
    """Seconds by which the latest timeout was late."""
    gil: bool = False
    finished: bool = False
    findings: list[str] = dataclasses.field(default_factory=list)
    error: str = ""
    """Why the harness, not the target, failed; empty if it did not."""
    drift: dict[str, Any] = dataclasses.field(default_factory=dict)
    number: int = 0
    """Its place in the plan."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**plain, "batch": dataclasses.asdict(self.batch)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> BatchResult:
        """Read what `to_json` has made."""
        data = dict(data)
        data["batch"] = batch_from_json(data["batch"])
        data["outcomes"] = Counter(data["outcomes"])
        data["seen"] = Counter(data["seen"])
        data["pairs"] = [(a, b) for a, b in data["pairs"]]
        return cls(**data)


def batch_from_json(data: dict[str, Any]) -> Batch:
    """Read a batch from plain data."""
    lists = {name: tuple(data[name]) for name in ("nemeses", "files")}
    return Batch(**{**data, **lists})


def seed_of(*parts: object) -> int:
    """Return a seed that is the same for the same parts, in every process and version."""
    text = "\0".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest())


def read_kept(text: str) -> Any:
    """Read JSON that was kept, maybe before some of its keys had the names that they have now."""
    return json.loads(text, object_hook=lambda data: {OLD_NAMES.get(k, k): data[k] for k in data})


def write_atomically(path: Path, data: object) -> None:
    """Write JSON so that whoever reads, whenever we are killed, finds all of it or none."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{_thread.get_ident()}")
    with open(scratch, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
