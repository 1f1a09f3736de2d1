"""Run the test suites of other projects under `threading` and under ftthreading, and compare.

Each project is taken at one version, by its source distribution (ci/projects/projects.toml), into
an environment of its own. Its suite runs once on each side; what a test ends with on one side it
has to end with on the other. The files in which the two differ run again, three times on both
sides. A test that fails now and then under threading too is a flake: told, but not counted.

Interpreters that the tests start run on threading, on both sides. With --startup the ftthreading
side has the start-up file instead, so that every interpreter that starts there runs on it.

Exit code 0: alike. 1: a difference that is not an accepted one. 2: usage. 3: nothing differed, but
something could not be run. A project that cannot be had on a tag, by projects.toml, is named.
"""

import argparse
import dataclasses
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ci.comparing import AGAIN, EXIT, File, compare, tell, unsteady
from ci.projects import pins
from ci.projects.install import UnavailableError, Workshop
from ci.projects.pins import Project
from ci.projects.run import Suite, unpack
from ci.sides import Side, pair, python_of
from toolkit.child import INTERRUPTS, Interrupted
from toolkit.exits import Exit, call
from toolkit.machine import summary
from toolkit.progress import Progress
from toolkit.tables import table

HARMLESS = {"passed", "skipped", "xfailed", "xpassed"}
HEADS = ("project", "result", "tests", "threading", "ftthreading", "differ", "accepted", "flakes")


@dataclasses.dataclass
class ProjectResult:
    """What came out of one project; `word` is alike, DIFFERENT, NOT RUN or absent."""

    project: Project
    word: str
    reason: str = ""
    theirs: File = dataclasses.field(default_factory=File)
    ours: File = dataclasses.field(default_factory=File)
    names: Sequence[str] = ()
    seconds: tuple[float, float] = (0.0, 0.0)

    def row(self) -> tuple[str, ...]:
        """Return its line of the table."""
        tests = len({*self.theirs.outcomes, *self.ours.outcomes} - {EXIT})
        known = self.project.accepted
        others = unsteady(self.theirs, self.ours, self.names)
        numbers = [tests, passed(self.theirs), passed(self.ours), len(self.names)]
        numbers += [sum(name in known for name in others), sum(n not in known for n in others)]
        times = [f"{seconds:.0f}" for seconds in self.seconds]
        return (self.project.pinned_as, self.word, *map(str, numbers), *times, self.reason)


def passed(file: File) -> int:
    """Count the tests that passed each time."""
    return sum(ends == {"passed"} for name, ends in file.outcomes.items() if name != EXIT)


class Comparison:
    """Runs projects, one after the other."""

    def __init__(self, options: argparse.Namespace, workshop: Workshop, show: Progress) -> None:
        self._options, self._workshop, self._show = options, workshop, show

    def project(self, project: Project, done: int) -> ProjectResult:
        """Run one on both sides, and say what came out."""
        if reason := project.absent.get(self._options.tag, ""):
            print(f"{project.name}: not on {self._options.tag}: {reason}", flush=True)
            return ProjectResult(project, "absent", reason)
        try:
            result = self._run(project, done)
        except (UnavailableError, RuntimeError) as error:
            result = ProjectResult(project, "NOT RUN", str(error))
        self._show.clear()
        ends = result.ours.counts().items()
        counts = ", ".join(f"{count} {end}" for end, count in ends) or result.reason
        print(f"{project.pinned_as}: {counts}: {result.word}", flush=True)
        tell(result.theirs, result.ours, result.names, project.accepted, self._command(project))
        if result.word == "NOT RUN":
            for name, text in [*result.theirs.texts.items()][:3]:
                lines = text.splitlines()[-20:]
                print(
                    "\n".join([f"    {name}", *(f"        {line}" for line in lines)]), flush=True
                )
        return result

    def _run(self, project: Project, done: int) -> ProjectResult:
        show, match = self._show, self._options.only
        environment = self._workshop.environment(project, done)
        sdist = self._workshop.sdist(project)
        python = python_of(environment)
        seconds = {"threading": 0.0, "ftthreading": 0.0}
        with tempfile.TemporaryDirectory(prefix="suites", ignore_cleanup_errors=True) as folder:
            # Short paths: sockets are made in there.
            places = Path(folder, "t"), Path(folder, "f")
            both = pair(
                (python, python),
                places[0] / "work",
                places[1] / "work",
                startup=self._options.startup,
            )
            suites = {}
            for side, place in zip(both, places, strict=True):
                unpack(project, sdist, side.folder)
                log = environment / f"{side.name}.log"
                suites[side.name] = Suite(project, side, log, place)
                show.show(done, project.name, f"is {side.name} in force?")
                if not suites[side.name].proved(show):
                    raise RuntimeError(f"{side.name} is not in force; see {log}")

            def once(side: Side, number: int, names: Sequence[str]) -> File:
                again = f", again ({number} of {self._options.again})" if number else ""
                topic = f"{project.name} under {side.name}{again}"
                show.show(done, topic)
                begin = time.monotonic()
                file = suites[side.name].run(
                    match, names, show, lambda tests: show.show(done, topic, tests)
                )
                if not number:
                    seconds[side.name] = time.monotonic() - begin
                return file

            theirs, ours, names = compare(both, once, project.accepted, self._options.again)
        times = seconds["threading"], seconds["ftthreading"]
        word, reason = "DIFFERENT" if names else "alike", ""
        failed = [name for name, ends in theirs.outcomes.items() if not ends <= HARMLESS]
        if passed(theirs) < max(1, len({*failed} - {EXIT})):
            # Whatever the other side does: nothing is shown by tests that do not run.
            ran = len(theirs.outcomes.keys() - {EXIT})
            reason = f"only {passed(theirs)} of {ran} tests pass under threading"
            word, names = "NOT RUN", []
        return ProjectResult(project, word, reason, theirs, ours, names, times)

    def _command(self, project: Project) -> Callable[[str], str]:
        def command(test: str) -> str:
            only = [] if test == EXIT else ["--only", test]
            startup = ["--startup"] if self._options.startup else []
            return shlex.join(["ci/suites", project.name, self._options.tag, *startup, *only])

        return command


def report(results: Sequence[ProjectResult], tag: str) -> int:
    """Print the table and the verdict; return the exit code."""
    rows = [result.row() for result in results]
    heads = (*HEADS, "s", "s", "reason")
    print(f"\n{table(heads, rows, left=2)}")
    by_word = {
        word: [result.project.name for result in results if result.word == word]
        for word in ("alike", "DIFFERENT", "NOT RUN", "absent")
    }
    tests = sum(len(result.ours.outcomes.keys() - {EXIT}) for result in results)
    notes = [f"could not be run: {', '.join(by_word['NOT RUN'])}"] if by_word["NOT RUN"] else []
    notes += [f"not on {tag}: {', '.join(by_word['absent'])}"] if by_word["absent"] else []
    if by_word["DIFFERENT"]:
        names = by_word["DIFFERENT"]
        notes.insert(0, f"different in {len(names)} of {len(results)}: {', '.join(names)}")
        print(f"VERDICT: FAILED: {'; '.join(notes)}.")
        return Exit.FOUND
    if by_word["NOT RUN"] or not by_word["alike"]:
        print(f"VERDICT: FAILED: {'; '.join(notes) or 'nothing was run'}.")
        return Exit.TOO_LITTLE
    alike = f"{tests} tests of {len(by_word['alike'])} projects, alike on both sides"
    print(f"VERDICT: {'; '.join([alike, *notes])}.")
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a name that is no project ends it."""
    parser = argparse.ArgumentParser(
        prog="ci/suites",
        usage="ci/suites [NAME ...] [TAG] [--quick] [--startup] [--only TEST] [--list]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tag", metavar="TAG", help="such as 3.14t (default 3.13t)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as trio (default all)")
    parser.add_argument("--quick", action="store_true", help="those that are for every change")
    parser.add_argument("--startup", action="store_true", help="on ftthreading in children too")
    parser.add_argument("--only", action="append", default=[], metavar="TEST", help="only these")
    parser.add_argument("--again", type=int, default=AGAIN, help="times to repeat a difference")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    options = parser.parse_intermixed_args(arguments)
    options.pins = pins.load()
    projects = options.pins.projects
    if unknown := [name for name in options.names if name not in projects]:
        parser.error(f"no such project: {', '.join(unknown)}; there are {', '.join(projects)}")
    options.projects = [
        project
        for project in projects.values()
        if (project.name in options.names or not options.names)
        and (project.quick or not options.quick)
    ]
    return options


def listing(projects: Sequence[Project]) -> str:
    """Return what there is, and what is left out of it, with the reasons."""
    rows = [
        (each.name, each.version, "quick" if each.quick else "", f"{each.seconds}")
        for each in projects
    ]
    lines = [table(("project", "version", "", "seconds at most"), rows, left=3)]
    for each in projects:
        left_out = [f"left out: {test}: {reason}" for test, reason in each.deselect.items()]
        left_out += [f"may differ: {test}: {reason}" for test, reason in each.accepted.items()]
        left_out += [f"not on {tag}: {reason}" for tag, reason in each.absent.items()]
        lines += [f"{each.name}: {line}" for line in left_out]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run what the command line names; return the exit code."""
    options = parse(arguments)
    if options.list:
        print(listing(options.projects))
        return 0
    total = len(options.projects)
    print(f"{total} projects on both sides; {summary()}", flush=True)
    show = Progress(total)
    comparison = Comparison(options, Workshop(options.tag, options.pins, show), show)
    results = []
    try:
        with INTERRUPTS.watched():
            for done, project in enumerate(options.projects):
                results.append(comparison.project(project, done))
    except Interrupted as stop:
        show.clear()
        report(results, options.tag)
        rest = [project.name for project in options.projects[len(results) :]]
        print(f"interrupted; to run the rest: ci/suites {shlex.join([*rest, options.tag])}")
        return 128 + stop.signum
    return report(results, options.tag)


if __name__ == "__main__":
    sys.exit(call(lambda: main(sys.argv[1:])))
