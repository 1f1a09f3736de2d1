"""What every measuring process does, whatever it measures: get ready, and say where it runs."""

import gc
import threading
from typing import Any

import pyperf

from perf.instruments.implementations import Implementation, floor
from perf.native import wait_costs
from perf.results import provenance
from perf.results.case import FLOOR, NATIVE


def side_of(name: str) -> Implementation:
    """Return an implementation, or what bounds one. Raises ImportError."""
    if name == FLOOR:
        return floor()
    return Implementation(name, None) if name == NATIVE else Implementation.of(name)


def collected() -> dict[str, Any]:
    """Return what pyperf collects of this process and machine, and what we add."""
    run = pyperf.Run([1.0], collect_metadata=True)
    plain = {name: getattr(each, "value", each) for name, each in run.get_metadata().items()}
    return {**plain, **provenance.describe(), **wait_costs.metadata()}


def prepare() -> None:
    """Bring the interpreter into the state of a threaded program, and keep it there."""
    # CPython 3.13t changes how it counts references when the first thread is made.
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    gc.collect()
    gc.freeze()
    gc.disable()
