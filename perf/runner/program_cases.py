"""Programs and queues that know nothing of an implementation, run under the drop-in.

Each run is a process, as in perf/runner/programs.py, whose two sides these are. A queue's value is
seconds for one item through it, a program's is seconds for its whole work, both of the threaded
part alone.
"""

import tempfile
from types import TracebackType
from typing import Self

from perf.cases.programs import QUEUES
from perf.instruments.bench import Sample
from perf.programs.queue_pair import ITEMS
from perf.results.case import Case
from perf.runner import programs
from perf.runner.programs import ProgramRun
from toolkit import child
from toolkit.progress import Progress

LIMIT_SECONDS = 300.0
SMALL = 0.01  # the least scale at which all programs still have work for their threads
SIDES = tuple(programs.SIDES)


class Programs:
    """Runs cases of this kind; all runs of a case must give one answer."""

    def __init__(self, scale: float, interrupts: child.Interrupts, progress: Progress) -> None:
        """Prepare to run programs of so much work, shown by `progress` while they run."""
        self._scale = max(scale, SMALL)
        self._folder = tempfile.TemporaryDirectory(prefix="perf-")
        self._runner = programs.ProgramRunner(
            self._folder.name, LIMIT_SECONDS, interrupts, progress
        )
        self._answers: dict[str, dict[str, list[ProgramRun]]] = {}
        self._probed = False

    def measure(self, case: Case, side: str) -> Sample:
        """Run a case's program once. Raises programs.ProgramFailed or child.Interrupted."""
        if not self._probed:
            self._runner.probe()
            self._probed = True
        name = QUEUES[case.operation] if case.kind == "queue" else case.operation
        found = self._runner.program(name, side, self._scale)
        answers = self._answers.setdefault(case.id, {})
        answers.setdefault(side, []).append(found)
        programs.same_answers(name, self._scale, answers)
        work = ITEMS * self._scale if case.kind == "queue" else self._scale
        return Sample([found.seconds / work])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._folder.cleanup()
