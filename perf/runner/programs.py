"""Run real programs under `threading` and under `ftthreading`, by turns, and compare.

The programs are run as a user would run them: `python PROGRAM` and
`python -m ftthreading PROGRAM`. Both must give the same answer; each checks its own answer too.
"""

import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Protocol

from perf.analysis.rounds import alternate
from perf.programs import catalogue
from perf.results.case import BASE, OWN
from toolkit import child
from toolkit.address import ROOT
from toolkit.progress import Progress

SMOKE_SCALE = 0.02
SIDES = {BASE: (), OWN: ("-m", "ftthreading")}
PROBE = (
    "import sys, threading; "
    "print('ftthreading' in sys.modules and threading.Lock is sys.modules['ftthreading'].Lock)"
)


@dataclasses.dataclass(frozen=True)
class ProgramRun:
    """One run of one program: its answer, and the times of its threaded part."""

    answer: str
    seconds: float
    cpu: float  # seconds of all processors


Found = dict[str, dict[str, list[ProgramRun]]]  # by program and side


class Runs(Protocol):
    """Who runs a program once on one side."""

    def program(self, name: str, side: str, scale: float) -> ProgramRun:
        """Run one program once. Raises ProgramFailed or Interrupted."""


class ProgramFailed(Exception):
    """A program failed or answered wrongly; the message says how to see it again."""


def environment(folder: str, *path: str) -> dict[str, str]:
    """Return our environment for a child, which is to leave temporary files in the folder only.

    path: where it finds modules, too.
    """
    found = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), *path]))
    own = {"PYTHONPATH": found} if found else {}
    # A hung program must be able to show where it hangs.
    return {**os.environ, **own, "TMPDIR": folder, "PYTHONFAULTHANDLER": "1"}


class ProgramRunner:
    """Runs commands with a temporary folder of their own."""

    def __init__(
        self, folder: str, limit: float, interrupts: child.Interrupts, progress: Progress
    ) -> None:
        self._env = environment(folder)
        self._limit = limit
        self._interrupts = interrupts
        self._tick = progress.tick

    def output(self, words: Sequence[str]) -> str:
        """Return the standard output of a command. Raises ProgramFailed or Interrupted."""
        outcome = child.run(
            words,
            cwd=str(ROOT),
            env=self._env,
            limit=self._limit,
            interrupts=self._interrupts,
            tick=self._tick,
        )
        if outcome.fault:
            tail = "\n".join(outcome.stderr.splitlines()[-100:])
            raise ProgramFailed(f"{outcome.fault}\n{tail}\n{reproduce(words)}")
        return outcome.stdout

    def program(self, name: str, side: str, scale: float) -> ProgramRun:
        """Run one program once. Raises ProgramFailed or Interrupted."""
        words = command_of(name, side, scale)
        text = self.output(words)
        try:
            found = json.loads(text)
            return ProgramRun(str(found["answer"]), float(found["seconds"]), float(found["cpu"]))
        except (ValueError, KeyError, TypeError):
            raise ProgramFailed(f"no result in its output: {text!r}\n{reproduce(words)}") from None

    def probe(self) -> None:
        """Make sure that each side really runs on its own module."""
        for side, options in SIDES.items():
            words = [sys.executable, *options, "-c", PROBE]
            text = self.output(words).strip()
            if text != str(side == OWN):
                raise ProgramFailed(f"{side}: threading is not {side}: {text}\n{reproduce(words)}")


def command_of(name: str, side: str, scale: float) -> list[str]:
    """Return the command for a program, whose name may be followed by arguments."""
    file, *arguments = name.split()
    return [
        sys.executable,
        *SIDES[side],
        catalogue.file_of(file),
        "--scale",
        f"{scale:g}",
        *arguments,
    ]


def reproduce(words: Sequence[str]) -> str:
    return f"to see it again: cd {shlex.quote(str(ROOT))} && {shlex.join(words)}"


def same_answers(name: str, scale: float, results: dict[str, list[ProgramRun]]) -> str:
    """Return the one answer of all runs; raise ProgramFailed where two differ."""
    seen: dict[str, str] = {}
    for side, runs in results.items():
        for result in runs:
            seen.setdefault(result.answer, side)
    if len(seen) == 1:
        return next(iter(seen))
    lines = [f"{name}: {len(seen)} different answers"]
    for answer, side in seen.items():
        lines += [f"  {side}: {answer}", f"  {reproduce(command_of(name, side, scale))}"]
    raise ProgramFailed("\n".join(lines))


def compare(
    runner: Runs,
    names: Sequence[str],
    rounds: int,
    scale: float,
    progress: Progress,
    found: Found,
) -> None:
    """Run every program `rounds` times on each side; add results by program and side to `found`.

    A program is added once all its rounds are done, so that an interrupted comparison has results.
    """
    done = 0
    for name in names:
        progress.show(done, name, "warming up")
        smoke = min(scale, SMOKE_SCALE)
        warm = {side: [runner.program(name, side, smoke)] for side in SIDES}
        same_answers(name, smoke, warm)
        results: dict[str, list[ProgramRun]] = {side: [] for side in SIDES}
        for number, side in alternate(tuple(SIDES), rounds):
            progress.show(done, name, f"round {number + 1} of {rounds}, {side}")
            results[side].append(runner.program(name, side, scale))
            done += 1
        same_answers(name, scale, results)
        found[name] = results
    progress.show(done, "done")
    progress.clear()


def present(names: Sequence[str]) -> tuple[Sequence[str], str]:
    """Return the programs that can run here, and a sentence on those that cannot, or ""."""
    needed = {name: module for name in names if (module := catalogue.missing(name))}
    lacks = ", ".join(f"{name} (needs {module})" for name, module in needed.items())
    how = f"not run: {lacks}; `pip install --group programs` installs what they need"
    return [name for name in names if name not in needed], how if needed else ""
