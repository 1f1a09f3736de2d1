"""One round in a process of its own: `python -m perf.worker.round ORDER`, a file of JSON.

It writes a line of JSON to the file that the order names for each job it begins and for each that
it ended, so that whoever started it knows at any moment how far it is. It stops at the first
primitive that does what it must never do: threads may be stuck in it. A job that hangs ends the
process, with all stacks on standard error.
"""

import dataclasses
import faulthandler
import json
import os
import sys
import time
from typing import Any, TextIO

from perf.cases.catalogue import BY_KIND
from perf.instruments.bench import Bench, Broken, Rejected, canary
from perf.results.case import Case
from perf.worker.process import collected, prepare, side_of
from toolkit.machine import gil_enabled

HANG_SECONDS = 180.0
GIL_CAME_ON = "the GIL was switched on while a case was measured"


@dataclasses.dataclass(frozen=True)
class Order:
    """What a worker is to do.

    out: the file to write to. jobs: a case's metadata and an implementation each. window, short,
    pin: as for Bench. seconds: no job is begun when so many have passed.
    """

    out: str
    jobs: list[tuple[dict[str, Any], str]]
    window: float
    short: float
    pin: bool
    seconds: float


def tell(out: TextIO, **what: Any) -> None:
    out.write(f"{json.dumps(what)}\n")
    out.flush()


def work(order: Order, out: TextIO) -> int:
    """Do all jobs, or as many as there is time for; return the exit code."""
    end = time.monotonic() + order.seconds
    sides = {name: side_of(name) for name in dict.fromkeys(name for _, name in order.jobs)}
    before = gil_enabled()
    tell(out, metadata=collected())
    prepare()
    bench = Bench(order.window, order.short, order.pin)
    for index, (parts, name) in enumerate(order.jobs):
        if time.monotonic() > end:
            tell(out, stopped=index)
            break
        case = Case.of(parts)
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        tell(out, begin=index)
        try:
            noise = canary()
            with sides[name].measured():
                sample = BY_KIND[case.kind].measure(bench, case, sides[name])
        except Rejected as why:
            tell(out, index=index, rejected=str(why))
        except (Broken, TimeoutError) as error:
            tell(out, index=index, broken=str(error))
            return 1
        else:
            if gil_enabled() != before:
                tell(out, index=index, broken=f"{name}, {case.id}: {GIL_CAME_ON}")
                return 1
            tell(
                out,
                index=index,
                values=list(sample.values),
                unit=sample.unit,
                metrics={**sample.metrics, "ftt_canary": noise},
                notes={**sample.notes, "ftt_gil_after": int(gil_enabled())},
            )
    faulthandler.cancel_dump_traceback_later()
    bench.close()
    return 0


def main() -> int:
    """Read the order and carry it out."""
    with open(sys.argv[1], encoding="utf-8") as file:
        order = Order(**json.load(file))
    with open(order.out, "a", encoding="utf-8") as out:
        code = work(order, out)
    if code:
        # Threads may be stuck in a primitive; the interpreter would wait for them.
        sys.stderr.flush()
        os._exit(code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
