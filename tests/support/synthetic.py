"""Results that nobody measured, of a shape that a small matrix has: for the tests of the page."""

import math
import pathlib
import random
from collections.abc import Iterator

from perf.results import store
from perf.results.case import BYTE, INTEGER, SECOND, Case, Plain
from perf.results.measurement import Measurement, Round

COMMITS = ("0123456789ab", "123456789abc", "23456789abcd", "3456789abcde")
SPEED = {"threading": 1.0, "ftthreading": 0.6, "native": 0.3, "floor": 0.2}
SECTIONS = (0, 1_000, 100_000)
HOSTILE = "</script><script>alert(1)</script><!-- & \"quoted\" 'name'"


def cases() -> Iterator[Case]:
    for primitive in ("lock", "rlock", "condition", "semaphore", "event", "barrier"):
        for threads in (1, 2, 4, 8):
            for section in SECTIONS:
                yield Case(primitive, "with", "contended", threads, section, "attribute")
    for threads in (1, 2, 4):
        yield Case("lock", "with", "contended", threads, 0, "private")
        yield Case("thread", "start_join", "thread", threads)
    for primitive in ("lock", "condition"):
        yield Case(primitive, "wake", "latency", 2)
    yield Case("lock", "bytes", "memory")
    yield Case("lock", "with", "instructions")
    for name in ("pipeline", "executor", "logs", "pool"):
        yield Case("program", name, "program", threads=0)


def typical(case: Case, impl: str) -> float:
    """Return what the case takes under the implementation, before noise."""
    if case.kind == "memory":
        return 40 if impl == "ftthreading" else 32
    if case.kind == "instructions":
        return round(400 * SPEED[impl])
    if case.kind == "program":
        return 2.0 * (0.9 if impl == "ftthreading" else 1.0)
    slowdown = 1 + 0.6 * math.log2(case.threads)
    factor = SPEED[impl]
    if impl == "ftthreading" and case.primitive == "barrier" and case.threads == 4:
        factor = 1.3  # a losing cell
    return 100e-9 * slowdown * factor + (case.section_ns or 0) * 1e-9


def rounds(case: Case, impl: str, count: int, chance: random.Random, drift: float) -> list[Round]:
    found = []
    for number in range(count):
        exact = case.kind in ("memory", "instructions")
        value = typical(case, impl) * (1 if exact else drift * chance.gauss(1, 0.03))
        windows = tuple(value * (1 if exact else chance.gauss(1, 0.01)) for _ in range(3))
        metrics = {"ftt_canary": 0.01 * chance.gauss(1, 0.05)}
        if case.kind in ("contended", "latency", "thread"):
            metrics |= {
                "ftt_cpu": value * min(case.threads, 2) * 0.9,
                "ftt_switches": 0.01 * case.threads,
                "ftt_jain": 1.0 if impl == "ftthreading" else max(0.3, 1 / math.sqrt(case.threads)),
                "ftt_overlap": 0.99,
                "ftt_rejected": 0.0,
            }
        if case.kind == "latency":
            metrics |= {"ftt_p50": value, "ftt_p99": value * 4}
            metrics |= {"ftt_p999": value * 20, "ftt_max": value * 90}
        metadata: dict[str, Plain] = {
            "cpu_model_name": f"Example CPU {HOSTILE}",
            "ftt_cpus": 2,
            "ftt_virtualised": "Example",
            "ftt_gil_before": 0,
            "ftt_gil_after": 0,
            "ftt_tier": "gate",
            "load_avg_1min": 0.5 + number,
            "hostname": "private",
        }
        if case.kind == "latency":
            metadata["ftt_loop"] = "closed"
        if case.kind == "program":
            metadata["ftt_command"] = f"-m perf programs {case.operation} --rounds {count}"
        found.append(Round(number, windows, metrics, metadata))
    return found


def measurements(impls: tuple[str, ...], count: int, seed: int, drift: float) -> list[Measurement]:
    chance = random.Random(seed)
    found = []
    for case in cases():
        for impl in impls:
            bound = impl in ("native", "floor")
            if bound and (case.primitive != "lock" or case.kind != "contended"):
                continue
            unit = {"memory": BYTE, "instructions": INTEGER}.get(case.kind, SECOND)
            found.append(
                Measurement(case, impl, tuple(rounds(case, impl, count, chance, drift)), unit)
            )
    return found


def populate(root: pathlib.Path) -> list[pathlib.Path]:
    """Write six results of two machines and two interpreters below `root`; return their folders."""
    found = []
    for place, (machine, tag) in enumerate(
        [("m" * 12, "3.13t")] * 4 + [("m" * 12, "3.14t"), ("n" * 12, "3.13t")]
    ):
        commit = COMMITS[place % len(COMMITS)]
        end = "-dirty" if place == 3 else ""
        path = root / machine / tag / f"2026010{place + 1}T030405-{commit}{end}"
        impls = ("threading", "ftthreading", "native", "floor")[: 4 if place == 3 else 2]
        store.write(path, measurements(impls, 6, place, 0.8 if place > 1 else 1.0))
        found.append(path)
    return found
