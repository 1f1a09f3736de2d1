"""Run the suite of one project on one side.

A run that crashes or hangs in a test goes on behind that test, in a new interpreter: what came out
of the others is worth knowing.
"""

import contextlib
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ci.comparing import EXIT, File, launch
from ci.projects.install import PLUGIN
from ci.projects.pins import PROGRAMS, Project
from ci.sides import PROBE, PROBE_SOURCE, Side, at_startup, environment
from toolkit.progress import Progress

RESUMED = 8  # times that a run goes on behind a test that ended its interpreter
GRACE = 30.0  # seconds for an interpreter to show its stacks, and to end, when its time is over

# Nothing is kept from run to run, no test is drawn by chance, none runs in another process.
OPTIONS = ["-q", "--color=no", "--tb=short", "-rN", "-o", "addopts="]
OPTIONS += ["-o", "faulthandler_timeout=0", "--rootdir=.", "--continue-on-collection-errors"]
for plugin in ("cacheprovider", "randomly", "rerunfailures", "flaky", "timeout"):
    OPTIONS += ["-p", f"no:{plugin}"]


def unpack(project: Project, sdist: Path, folder: Path) -> None:
    """Lay what is to be run into `folder`: the project's source, or programs of ours."""
    folder.mkdir(parents=True)
    if project.programs:
        (folder / "pytest.ini").write_text("[pytest]\n")
        for path in PROGRAMS.glob("*.py"):
            if path.name in project.programs or not path.name.startswith("test_"):
                shutil.copy(path, folder)
        return
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    moved = top.rename(folder.with_name(f"{folder.name}.moved"))
    folder.rmdir()
    moved.rename(folder)
    for name in project.remove:
        shutil.rmtree(folder / name)
    for name in project.plugins:
        shutil.copy(PROGRAMS / name, folder)


@contextlib.contextmanager
def startup(side: Side) -> Iterator[None]:
    """Have the start-up file there where the side wants it, and only meanwhile."""
    if not side.children:
        yield
        return
    at_startup(side.command[0], enable=True)
    try:
        yield
    finally:
        at_startup(side.command[0], enable=False)


class Suite:
    """A project's suite on one side.

    side: its folder holds the source. log: where what pytest says goes. scratch: an empty folder.
    """

    def __init__(self, project: Project, side: Side, log: Path, scratch: Path) -> None:
        self.project, self.side, self._log, self._scratch = project, side, log, scratch
        self._number = 0
        (scratch / "tmp").mkdir(parents=True)
        (scratch / "probe").mkdir()
        (scratch / "probe" / f"{PROBE}.py").write_text(PROBE_SOURCE)
        (scratch / "probe" / "pytest.ini").write_text("[pytest]\n")

    def proved(self, show: Progress) -> bool:
        """Whether the side is what it says."""
        file = self._run(self._scratch / "probe", [f"{PROBE}.py"], (), (), 60, show, lambda _: None)
        return self.side.proved(file.outcomes)

    def run(
        self,
        match: Sequence[str],
        names: Sequence[str],
        show: Progress,
        tell: Callable[[str], None],
    ) -> File:
        """Run the suite, or the tests that fit `match`; of these the files that hold `names`.

        tell: called now and then with how far it is.
        """
        files = sorted({name.partition("::")[0] for name in names if name != EXIT})
        arguments = [*self.project.tests, *self.project.programs]
        for plugin in self.project.plugins:
            arguments += ["-p", plugin.removesuffix(".py")]
        limit = self.project.seconds
        return self._run(self.side.folder, arguments, match, files, limit, show, tell)

    def _run(
        self,
        folder: Path,
        arguments: Sequence[str],
        match: Sequence[str],
        files: Sequence[str],
        limit: float,
        show: Progress,
        tell: Callable[[str], None],
    ) -> File:
        orders = {
            "limit": min(limit, self.project.test_seconds),
            "end": time.monotonic() + limit,
            "match": match,
            "files": files,
            "deselect": [*self.project.deselect],
        }
        file = File()
        with startup(self.side):
            for _ in range(RESUMED):
                orders["skip"] = [*file.outcomes]
                if not self._go_on(folder, arguments, orders, file, show, tell):
                    break
            else:
                file.add(EXIT, f"given up after {RESUMED} such tests")
        return file

    def _go_on(
        self,
        folder: Path,
        arguments: Sequence[str],
        orders: dict[str, object],
        file: File,
        show: Progress,
        tell: Callable[[str], None],
    ) -> bool:
        """Run what has not run yet; return whether the interpreter ended within a test."""
        self._number += 1
        control = self._scratch / f"control{self._number}"
        control.mkdir()
        (control / "orders.json").write_text(json.dumps(orders))
        command = [*self.side.command, "-m", "pytest", "-p", PLUGIN, f"--outcomes={control}"]
        end = orders["end"]
        assert isinstance(end, float)
        next_look = time.monotonic()

        def look() -> None:
            nonlocal next_look
            if time.monotonic() > next_look and (control / "outcomes").exists():
                next_look = time.monotonic() + 1
                ended = (control / "outcomes").read_bytes().count(b'\n["end"')
                tell(f"{ended + len(file.outcomes)} tests")

        code = launch(
            [*command, *OPTIONS, *arguments],
            folder,
            self._log,
            max(0.0, end - time.monotonic()) + GRACE,
            show,
            environment=self._environment(),
            look=look,
        )
        running, over = read(control / "outcomes", file)
        said = self._log.read_text(errors="replace")
        stacks = control / "stacks"
        hung = stacks.exists() and stacks.read_text(errors="replace")
        if running:
            word = "hung" if hung or code == -9 else f"crashed ({code})"
            file.add(running, word, hung or said)
            if time.monotonic() < end:
                return True
            file.add(EXIT, "its time was over", hung or said)
        elif over and hung:
            file.add(EXIT, "hung after the tests", hung)
        else:
            # That tests failed is told by the tests.
            file.add(EXIT, "0" if over and code in (0, 1, 5) else str(code), said)
        return False

    def _environment(self) -> dict[str, str]:
        scripts = Path(self.side.command[0]).parent
        return environment() | {
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(self._scratch / "tmp"),
            "PYTHONHASHSEED": "1",
            **self.project.variables,
        }


def read(outcomes: Path, into: File) -> tuple[str | None, bool]:
    """Note what the plugin wrote; return the test that did not end, and whether all was over."""
    running, over = None, False
    for line in outcomes.read_text().splitlines() if outcomes.exists() else ():
        kind, *words = json.loads(line)
        if kind == "begin":
            (running,) = words
        elif kind == "end":
            into.add(*words)
            running = None
        else:
            over = True
    return running, over
