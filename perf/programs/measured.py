"""What each program does around its work: take the scale, time the work, print one line.

A program is run as a file, so that it imports this one as the module `measured`.
"""

import argparse
import contextlib
import json
import pathlib
import resource
import sys
import time
from collections.abc import Iterator, Sequence


class Program:
    """One run of a program: its options, its times, and its last words."""

    def __init__(self, description: str | None) -> None:
        """Read the command line. description: the program's docstring."""
        self.name = pathlib.Path(sys.argv[0]).stem
        self.seconds = 0.0
        self.cpu = 0.0
        self.parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
        self.parser.add_argument(
            "--scale", type=float, default=1.0, help="amount of work (default 1)"
        )
        self.options = argparse.Namespace()

    def parse(self) -> float:
        """Return the scale; the other options are in `options`."""
        self.options = self.parser.parse_args()
        scale: float = self.options.scale
        if scale <= 0:
            self.parser.error("--scale must be positive")
        return scale

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Measure what runs inside: seconds, and the processor time of all its threads."""
        cpu = time.process_time()
        begin = time.perf_counter()
        yield
        self.seconds = time.perf_counter() - begin
        self.cpu = time.process_time() - cpu

    def add_children(self) -> None:
        """Add the processor time of all child processes that have ended."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu += used.ru_utime + used.ru_stime

    def finish(self, answer: str, faults: Sequence[str] = ()) -> None:
        """Print the answer and the times; where there are faults, name some and exit with 1."""
        if faults:
            sys.exit(f"{self.name}: {len(faults)} faults: {'; '.join(faults[:5])}")
        found = {"program": self.name, "answer": answer, "seconds": self.seconds, "cpu": self.cpu}
        print(json.dumps(found))
