"""Run real programs under `threading` and under `ftthreading`, by turns, and compare.

The programs are run as a user would run them: `python PROGRAM` and
`python -m ftthreading PROGRAM`. Both must give the same answer; each checks its own answer too.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shlex
import sys
import tempfile
from collections.abc import Sequence

from perf.analysis.rounds import alternate
from perf.cli.options import add_json, add_rounds, print_json
from perf.programs import catalogue
from perf.runner.load import Load
from perf.runner.programs_table import Found, Result, show
from toolkit import child
from toolkit.machine import summary
from toolkit.progress import Progress

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMOKE_SCALE = 0.02
SIDES = {"threading": (), "ftthreading": ("-m", "ftthreading")}
PROBE = (
    "import sys, threading; "
    "print('ftthreading' in sys.modules and threading.Lock is sys.modules['ftthreading'].Lock)"
)


class Failed(Exception):
    """A program failed or answered wrongly; the message says how to see it again."""


def environment(folder: str) -> dict[str, str]:
    """Return our environment for a child, which is to leave temporary files in the folder only."""
    # A hung program must be able to show where it hangs.
    return {**os.environ, "TMPDIR": folder, "PYTHONFAULTHANDLER": "1"}


class Runner:
    """Runs commands with a temporary folder of their own."""

    def __init__(
        self, folder: str, limit: float, interrupts: child.Interrupts, progress: Progress
    ) -> None:
        self._env = environment(folder)
        self._limit = limit
        self._interrupts = interrupts
        self._tick = progress.tick

    def output(self, words: Sequence[str]) -> str:
        """Return the standard output of a command. Raises Failed or Interrupted."""
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
            raise Failed(f"{outcome.fault}\n{tail}\n{reproduce(words)}")
        return outcome.stdout

    def program(self, name: str, side: str, scale: float) -> Result:
        """Run one program once. Raises Failed or Interrupted."""
        words = command_of(name, side, scale)
        text = self.output(words)
        try:
            found = json.loads(text)
            return Result(str(found["answer"]), float(found["seconds"]), float(found["cpu"]))
        except (ValueError, KeyError, TypeError):
            raise Failed(f"no result in its output: {text!r}\n{reproduce(words)}") from None

    def probe(self) -> None:
        """Make sure that each side really runs on its own module."""
        for side, options in SIDES.items():
            words = [sys.executable, *options, "-c", PROBE]
            text = self.output(words).strip()
            if text != str(side == "ftthreading"):
                raise Failed(f"{side}: threading is not {side}: {text}\n{reproduce(words)}")


def command_of(name: str, side: str, scale: float) -> list[str]:
    """Return the command for a program, whose name may be followed by arguments."""
    file, *arguments = name.split()
    program = f"perf/programs/{file}.py"
    return [sys.executable, *SIDES[side], program, "--scale", f"{scale:g}", *arguments]


def reproduce(words: Sequence[str]) -> str:
    return f"to see it again: cd {shlex.quote(str(ROOT))} && {shlex.join(words)}"


def same_answers(name: str, scale: float, results: dict[str, list[Result]]) -> str:
    """Return the one answer of all runs; raise Failed where two differ."""
    seen: dict[str, str] = {}
    for side, runs in results.items():
        for result in runs:
            seen.setdefault(result.answer, side)
    if len(seen) == 1:
        return next(iter(seen))
    lines = [f"{name}: {len(seen)} different answers"]
    for answer, side in seen.items():
        lines += [f"  {side}: {answer}", f"  {reproduce(command_of(name, side, scale))}"]
    raise Failed("\n".join(lines))


def compare(
    runner: Runner, names: Sequence[str], rounds: int, scale: float, progress: Progress
) -> Found:
    """Run every program `rounds` times on each side; return results by program and side."""
    found: Found = {}
    done = 0
    for name in names:
        progress.show(done, name, "warming up")
        smoke = min(scale, SMOKE_SCALE)
        warm = {side: [runner.program(name, side, smoke)] for side in SIDES}
        same_answers(name, smoke, warm)
        results: dict[str, list[Result]] = {side: [] for side in SIDES}
        for number, side in alternate(tuple(SIDES), rounds):
            progress.show(done, name, f"round {number + 1} of {rounds}, {side}")
            results[side].append(runner.program(name, side, scale))
            done += 1
        same_answers(name, scale, results)
        found[name] = results
    progress.show(done, "done")
    progress.clear()
    return found


def present(names: Sequence[str]) -> tuple[Sequence[str], str]:
    """Return the programs that can run here, and a sentence on those that cannot, or ""."""
    needed = {name: module for name in names if (module := catalogue.missing(name))}
    lacks = ", ".join(f"{name} (needs {module})" for name, module in needed.items())
    how = f"not run: {lacks}; `pip install --group programs` installs what they need"
    return [name for name in names if name not in needed], how if needed else ""


def add_options(parser: argparse.ArgumentParser, rounds: int) -> None:
    add_rounds(parser, rounds)
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    parser.add_argument("--limit", type=float, default=300, help="seconds a run may take")
    parser.add_argument(
        "--beside-load", action="store_true", help="keep every core busy with another process"
    )
    add_json(parser)
    parser.add_argument(
        "--page", type=pathlib.Path, metavar="FILE", help="keep the result and write a page of it"
    )
    parser.add_argument(
        "--root",
        type=pathlib.Path,
        default=ROOT / ".perf" / "results",
        metavar="FOLDER",
        help="with --page: where results are kept (default: .perf/results in the checkout)",
    )


def keep(found: Found, options: argparse.Namespace) -> str:
    """Write result and page as the options say; return where they are. Raises Failed."""
    # Late: only this needs pyperf and the charting library.
    from perf.cli import programs_page
    from perf.dashboard.page import NoPlotly
    from perf.results.store import BadResult

    try:
        return programs_page.keep(
            found, options.scale, options.beside_load, options.root, options.page
        )
    except (OSError, BadResult, NoPlotly) as error:
        raise Failed(f"the programs ran, but there is no page of them: {error}") from None


def measure(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    names: Sequence[str],
) -> int:
    """Compare the programs as the options say, and report; return the exit code."""
    if options.rounds < 1 or options.scale <= 0 or options.limit <= 0:
        parser.error("--rounds, --scale and --limit must be positive")

    # A hung program is aborted for its stacks, not for a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    interrupts = child.Interrupts()
    interrupts.watch()
    names, absent = present(names)
    if not names:
        print(f"VERDICT: FAILED: {absent}", file=sys.stderr)
        return 1
    total = len(names) * len(SIDES) * options.rounds
    beside = ", beside a busy process on each core" if options.beside_load else ""
    if not options.json:
        print(summary())
        print(
            f"{len(names)} programs, {options.rounds} rounds under each module: "
            f"{total} runs{beside}\n",
            flush=True,
        )
    if absent:
        print(absent, file=sys.stderr)
    progress = Progress(total)
    try:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sidebyside-"))
            load = stack.enter_context(Load()) if options.beside_load else None
            runner = Runner(folder, options.limit, interrupts, progress)
            runner.probe()
            found = compare(runner, names, options.rounds, options.scale, progress)
            if load and not load.whole():
                raise Failed("a process of the load ended early")
        note = keep(found, options) if options.page else ""
    except Failed as failure:
        progress.clear()
        print(f"VERDICT: FAILED: {failure}", file=sys.stderr)
        return 1
    except child.Interrupted as interrupted:
        progress.clear()
        print(f"interrupted by {interrupted}; nothing is left behind", file=sys.stderr)
        return child.die_of(interrupted.signum)
    if options.json:
        print_json(found)
    else:
        show(found, options.rounds, (absent, note))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.runner.programs", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "programs",
        nargs="*",
        metavar="PROGRAM",
        help=f"of {', '.join(catalogue.ALL)} (default: {', '.join(catalogue.QUICKSTART)})",
    )
    add_options(parser, rounds=6)
    options = parser.parse_args()
    if unknown := set(options.programs) - set(catalogue.ALL):
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    return measure(parser, options, options.programs or catalogue.QUICKSTART)


if __name__ == "__main__":
    sys.exit(main())
