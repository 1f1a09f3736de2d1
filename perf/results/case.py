"""What is measured: a case, its kind and unit, and the names of the sides in all results."""

import dataclasses
from collections.abc import Mapping
from typing import Any

BASE, OWN = "threading", "ftthreading"
NATIVE, FLOOR = "native", "floor"  # what bounds the others, and is no rival
SECOND, BYTE, INTEGER = "second", "byte", "integer"
KINDS = (
    "uncontended",
    "contended",
    "handoff",
    "latency",
    "thread",
    "queue",
    "program",
    "memory",
    "instructions",
)
# Where the primitives are kept; perf/instruments/shapes.py says more.
ATTRIBUTE, LOCAL, PRIVATE, CONTAINER = "attribute", "local", "private", "container"
GLOBAL, CLOSURE, DICT = "global", "closure", "dict"
SHARED = (ATTRIBUTE, LOCAL, GLOBAL, CLOSURE, DICT)  # all threads use one
APART = (PRIVATE, CONTAINER)  # each has its own

Plain = str | int | float


def section_name(ns: int) -> str:
    """Write a critical section's length as case names have it: 0, 50ns, 10us, 2ms."""
    for unit, size in (("ms", 1_000_000), ("us", 1_000)):
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{ns}ns" if ns else "0"


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured. Without a section the statement is all that is done.

    threads: 0 where the number is not the case's to choose.
    """

    primitive: str
    operation: str
    kind: str
    threads: int = 1
    section_ns: int | None = None
    shape: str = ""  # one of the above, or "" where there is no such choice

    @property
    def id(self) -> str:
        """The name in pyperf's files, such as "lock.with T4 S1us shared"."""
        parts = [f"{self.primitive}.{self.operation}"]
        if self.threads:
            parts.append(f"T{self.threads}")
        if self.section_ns is not None:
            parts.append(f"S{section_name(self.section_ns)}")
        return " ".join([*parts, self.shape] if self.shape else parts)

    @property
    def title(self) -> str:
        """The name in tables, which says what nobody should take for the usual."""
        return f"{self.id} (best case)" if self.shape == LOCAL else self.id

    def metadata(self) -> dict[str, Plain]:
        """Return the parts under the names that they have in pyperf's files."""
        found: dict[str, Plain] = {
            "ftt_case": self.id,
            "ftt_primitive": self.primitive,
            "ftt_operation": self.operation,
            "ftt_kind": self.kind,
            "ftt_threads": self.threads,
        }
        if self.section_ns is not None:
            found["ftt_section_ns"] = self.section_ns
        if self.shape:
            found["ftt_shape"] = self.shape
        return found

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "Case":
        """Make a case of its metadata. Raises KeyError."""
        section = metadata.get("ftt_section_ns")
        return cls(
            metadata["ftt_primitive"],
            metadata["ftt_operation"],
            metadata["ftt_kind"],
            int(metadata["ftt_threads"]),
            None if section is None else int(section),
            metadata.get("ftt_shape", ""),
        )
