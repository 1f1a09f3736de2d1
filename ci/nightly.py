"""Run, one after the other, the checks that are too long for every change.

Each step is a shell command with a limit of time and a log of its own. The others run on when one
fails. At the end stand a table of all steps and, for each that failed, the command that shows it
again. A step whose interpreter cannot be had on this machine is named as not run.

Exit code 0: every step passed or could not be run here. 1: one failed. 2: usage. 3: none could be
run.
"""

import argparse
import dataclasses
import fnmatch
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from toolkit.child import INTERRUPTS, Interrupted, Process
from toolkit.exits import Exit, call
from toolkit.machine import summary
from toolkit.progress import Progress
from toolkit.tables import table

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".venv" / "nightly"
TAIL = 30  # lines of a log that are shown when its step failed
ENDING = 20.0  # seconds that a step gets to clean up when its time is over
GETTING = 30  # minutes for an interpreter that has to be built


@dataclasses.dataclass(frozen=True)
class NightlyStep:
    """One check.

    tag: the interpreter it needs, for ci/get-python. minutes: its limit. command: for bash, from
    the root of the checkout.
    """

    name: str
    tag: str
    minutes: float
    command: str


# A thousand rounds of a promise, a thousand exits with daemon threads, a hundred thousand threads;
# they take longer than a test may as a rule.
OFTEN = "FTT_ROUNDS=1000 FTT_STORMS=50 FTT_THREADS=100000"
ROUNDS = "-- -o faulthandler_timeout=1500"

STEPS = [
    NightlyStep("lint", "3.13", 10, "ci/lint"),
    NightlyStep("perf-gate", "3.13t", 90, '"$(ci/env 3.13t)" -m perf selftest'),
    NightlyStep("tests-3.13t", "3.13t", 90, f"{OFTEN} ci/test 3.13t {ROUNDS}"),
    NightlyStep("tests-3.14t", "3.14t", 90, f"{OFTEN} ci/test 3.14t {ROUNDS}"),
    NightlyStep("tests-3.15t", "3.15t", 90, f"{OFTEN} ci/test 3.15t {ROUNDS}"),
    NightlyStep("tests-3.13", "3.13", 90, f"{OFTEN} ci/test 3.13 {ROUNDS}"),
    NightlyStep("tests-3.13t-posix", "3.13t", 90, f"{OFTEN} ci/test 3.13t-posix {ROUNDS}"),
    NightlyStep("tests-3.13td", "3.13td", 120, f"{OFTEN} ci/test 3.13td {ROUNDS}"),
    NightlyStep("tests-3.13tsan", "3.13tsan", 180, f"FTT_ROUNDS=100 ci/test 3.13tsan {ROUNDS}"),
    NightlyStep("cpython-3.13t", "3.13t", 120, "ci/cpython-tests 3.13t"),
    NightlyStep("cpython-3.14t", "3.14t", 120, "ci/cpython-tests 3.14t"),
    NightlyStep("cpython-3.15t", "3.15t", 120, "ci/cpython-tests 3.15t"),
    NightlyStep("cpython-startup-3.13t", "3.13t", 120, "ci/cpython-tests 3.13t --startup"),
    NightlyStep("cpython-startup-3.14t", "3.14t", 120, "ci/cpython-tests 3.14t --startup"),
    NightlyStep("cpython-startup-3.15t", "3.15t", 120, "ci/cpython-tests 3.15t --startup"),
]
# ci/lint does so on the ordinary 3.13; other versions have other signatures.
STEPS += [
    NightlyStep(f"stubs-{tag}", tag, 10, f"ci/stubs {tag}") for tag in ("3.13t", "3.14t", "3.15t")
]
# Not named as the others are, so that a job of their own can take them.
STEPS += [
    NightlyStep(f"{tag}-suites", tag, 150, f"ci/suites {tag}")
    for tag in ("3.13t", "3.14t", "3.15t")
]
STEPS += [
    NightlyStep(f"{tag}-suites-startup", tag, 150, f"ci/suites {tag} --startup")
    for tag in ("3.13t", "3.14t", "3.15t")
]
PAGE = "FTT_BROWSER=1 ci/test 3.13t -- tests/perf/test_dashboard*"
STEPS += [NightlyStep("page-3.13t", "3.13t", 30, PAGE)]
STEPS += [
    NightlyStep(
        f"stress-{tag}", tag, 40, f'"$(ci/env {tag})" -m stress run --html .stress/{tag}.html'
    )
    for tag in ("3.13t", "3.14t", "3.15t", "3.13td")
]
# An hour of the full matrix; it goes on the next night where the commit is still the same.
STEPS += [
    NightlyStep(
        f"perf-{tag}",
        tag,
        75,
        f'"$(ci/env {tag})" -m perf run --tier full --resume unfinished --budget 3600',
    )
    for tag in ("3.13t", "3.14t", "3.15t")
]
POWER = '"$(ci/env 3.13t)" -m stress selftest --seeds 10 --golden 1'
STEPS += [NightlyStep("stress-selftest", "3.13t", 240, POWER)]
HELD_OUT = '"$(ci/env 3.13t)" -m stress selftest --held-out --known cpython --golden 1'
STEPS += [NightlyStep("stress-held-out", "3.13t", 90, HELD_OUT)]


@dataclasses.dataclass(frozen=True)
class StepResult:
    """How a step ended: `word` is passed, FAILED or not run, `reason` says more."""

    step: NightlyStep
    word: str
    seconds: float
    reason: str


def last_line(log: Path) -> str:
    """Return what a command wrote last, cut to a part of a line."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").replace("\r", "\n").split("\n")
    return next((line.strip()[:60] for line in reversed(lines) if line.strip()), "")


def run(command: str, log: Path, minutes: float, show: Progress, done: int, what: str) -> int | str:
    """Run a shell command; return its exit code, or in words why it had to be ended.

    What it says goes to the end of `log`. Raises Interrupted.
    """
    begin = time.monotonic()

    def tick() -> None:
        passed = time.monotonic() - begin
        show.show(done, f"{what}, {passed // 60:.0f} of {minutes:g} min", last_line(log))

    with log.open("ab") as output:
        output.write(f"$ {command}\n".encode())
        output.flush()
        process = Process(["bash", "-c", command], cwd=ROOT, output=output)
        try:
            tick()
            fault = process.watch(minutes * 60, tick=tick)
        finally:
            process.end(ENDING)
    code = process.exit_code()
    assert code is not None
    return fault or code


def run_step(step: NightlyStep, show: Progress, done: int) -> StepResult:
    """Get the interpreter, run the command, and show the end of its log if it failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{step.name}.log"
    log.write_text("")
    begin = time.monotonic()
    get = f"ci/get-python {step.tag}"
    if run(get, log, GETTING, show, done, f"{step.name}: {get}") != 0:
        seconds = time.monotonic() - begin
        return StepResult(step, "not run", seconds, f"no interpreter; to see why: {get}")
    code = run(step.command, log, step.minutes, show, done, f"{step.name}: {step.command}")
    seconds = time.monotonic() - begin
    show.clear()
    if code == 0:
        print(f"{step.name}: passed in {seconds:.0f} s", flush=True)
        return StepResult(step, "passed", seconds, "")
    reason = code if isinstance(code, str) else f"exit code {code}"
    print(f"{step.name}: FAILED after {seconds:.0f} s: {reason}; the end of {log}:")
    for line in log.read_text(errors="replace").splitlines()[-TAIL:]:
        print(f"    {line}")
    sys.stdout.flush()
    return StepResult(step, "FAILED", seconds, reason)


def report(results: Sequence[StepResult]) -> int:
    """Print the table and the verdict; return the exit code."""
    rows = [(each.step.name, each.word, f"{each.seconds:.0f}", each.reason) for each in results]
    print(f"\n{table(('step', 'result', 'seconds', 'reason'), rows, left=4)}")
    words = [each.word for each in results]
    failed = [each for each in results if each.word == "FAILED"]
    not_run = [each.step.name for each in results if each.word == "not run"]
    for each in failed:
        print(f"to see {each.step.name} again: {each.step.command}")
    passed = f"{words.count('passed')} of {len(words)} steps passed"
    if failed or "passed" not in words:
        print(f"VERDICT: FAILED: {passed}; {len(failed)} failed, {len(not_run)} could not be run.")
        return Exit.FOUND if failed else Exit.TOO_LITTLE
    missing = f"; could not be run here: {', '.join(not_run)}" if not_run else ""
    print(f"VERDICT: {passed}{missing}.")
    return 0


def chosen(patterns: Sequence[str]) -> list[NightlyStep]:
    """Return the steps that a pattern names, in their order. Raises LookupError."""
    for pattern in patterns:
        if not fnmatch.filter([step.name for step in STEPS], pattern):
            raise LookupError(pattern)
    wanted = patterns or ["*"]
    return [s for s in STEPS if any(fnmatch.fnmatchcase(s.name, p) for p in wanted)]


def main(arguments: Sequence[str]) -> int:
    """Run the steps that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="ci/nightly",
        usage="ci/nightly [--list] [--only STEP ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--list", action="store_true", help="say what the steps are, and end")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="STEP", help="run only these; '*-3.13t' is many"
    )
    options = parser.parse_args(arguments)
    try:
        steps = chosen(options.only)
    except LookupError as error:
        names = ", ".join(step.name for step in STEPS)
        parser.error(f"no such step: {error}; there are {names}")
    if options.list:
        rows = [(step.name, f"{step.minutes:g}", step.command) for step in steps]
        print(table(("step", "minutes at most", "command"), rows, left=3))
        return 0
    minutes = sum(step.minutes for step in steps)
    print(f"{len(steps)} steps, {minutes / 60:.1f} hours at most; {summary()}", flush=True)
    show = Progress(len(steps))
    results = []
    try:
        with INTERRUPTS.watched():
            for done, step in enumerate(steps):
                results.append(run_step(step, show, done))
    except Interrupted as stop:
        show.clear()
        report(results)
        rest = [step.name for step in steps[len(results) :]]
        print(f"interrupted; to run the rest: ci/nightly --only {shlex.join(rest)}")
        return 128 + stop.signum
    return report(results)


if __name__ == "__main__":
    sys.exit(call(lambda: main(sys.argv[1:])))
