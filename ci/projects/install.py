"""Get projects by their pins, and make an environment for each.

A source distribution comes through pip, which checks its sum, into the user's cache folder, and is
checked again before each use. A wheel is built from it once for each tag, with pinned tools and
without looking for others. Each project has an environment of its own below the checkout's .venv,
for what they need clashes; a stamp in it, written last, holds all that it was made of.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ci.comparing import launch
from ci.projects.pins import CONSTRAINTS, FOLDER, Pins, Project
from ci.sides import at_startup, install_into, python_of, site_packages
from toolkit.child import INTERRUPTS
from toolkit.progress import Progress

ROOT = FOLDER.parent.parent
PLUGIN = "ftthreading_outcomes"
BUILDING = 1200.0  # seconds for the longest step, a project's compiler on a loaded machine


class UnavailableError(Exception):
    """A project that cannot be had, with the reason."""


class Workshop:
    """Where one tag's environments and wheels are.

    folder: of the environments. cache: of what was downloaded and built, the user's.
    """

    def __init__(self, tag: str, pins: Pins, show: Progress) -> None:
        self._pins, self._show, self._done = pins, show, 0
        self.folder = ROOT / ".venv" / "suites" / tag
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.cache = Path(home, "ftthreading", "suites")
        self._wheels = self.cache / "wheels" / tag
        self.folder.mkdir(parents=True, exist_ok=True)

    def environment(self, project: Project, done: int) -> Path:
        """Return the folder of a project's environment, made if need be, with ftthreading in it.

        done: how many projects are behind, to be shown. Raises UnavailableError.
        """
        self._done = done
        folder = self.folder / project.name
        with self._locked(folder):
            wants = [*project.requires, *self._pins.test]
            stamp = self._stamp(project.pinned, project.sha256, *wants)
            if not _holds(folder, stamp):
                wheel = self._wheel(project)
                self._make(folder, project.name, [str(wheel), *wants])
                (folder / "stamp").write_text(stamp)
            at_startup_off(folder)
            install_into(folder)
            plugin = site_packages(folder) / f"{PLUGIN}.py"
            shutil.copyfile(FOLDER / "outcomes.py", plugin)
        return folder

    def sdist(self, project: Project) -> Path:
        """Return a project's source distribution, downloaded if need be.

        Raises UnavailableError.
        """
        folder = self.cache / "sdists" / project.sha256
        for path in folder.glob("*"):
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == project.sha256:
                    return path
            path.unlink()
        with self._new(folder) as new:
            (new / "wanted").write_text(f"{project.pinned} --hash=sha256:{project.sha256}\n")
            options = ["--no-deps", "--no-build-isolation", "--no-binary", ":all:"]
            command = ["download", *options, "--require-hashes", "-r", "wanted", "-d", "."]
            self._pip(command, new, f"downloading {project.pinned}")
            (new / "wanted").unlink()
        return next(folder.glob("*"))

    def _wheel(self, project: Project) -> Path:
        folder = self._wheels / project.sha256
        if not any(folder.glob("*.whl")):
            sdist = self.sdist(project)
            with self._new(folder) as new:
                command = ["wheel", "--no-deps", "--no-build-isolation", "-w", ".", str(sdist)]
                self._pip(command, new, f"building {project.pinned}")
        return next(folder.glob("*.whl"))

    def _tools(self) -> str:
        """Return the python of the environment that builds."""
        folder = self.folder / ".tools"
        with self._locked(folder):
            stamp = self._stamp(*self._pins.build)
            if not _holds(folder, stamp):
                venv.create(folder, clear=True, symlinks=True)
                self._run([python_of(folder), "-Im", "ensurepip"], folder, "pip")
                command = ["install", "-c", str(CONSTRAINTS), *self._pins.build]
                self._run([python_of(folder), "-m", "pip", *command], folder, "build tools")
                (folder / "stamp").write_text(stamp)
        return python_of(folder)

    def _make(self, folder: Path, name: str, wants: Sequence[str]) -> None:
        venv.create(folder, clear=True, symlinks=True)
        command = ["--python", python_of(folder), "install", "--prefer-binary"]
        command += ["-c", str(CONSTRAINTS), *wants]
        self._pip(command, folder, f"making the environment of {name}")

    def _stamp(self, *contents: str) -> str:
        base = os.path.realpath(sys.executable)
        constraints = CONSTRAINTS.read_text() if CONSTRAINTS.exists() else ""
        return json.dumps([base, os.stat(base).st_mtime, constraints, *contents])

    def _pip(self, command: Sequence[str], folder: Path, what: str) -> None:
        tools = self._tools()
        path = f"{Path(tools).parent}{os.pathsep}{os.environ['PATH']}"
        self._run([tools, "-m", "pip", *command], folder, what, PATH=path)

    def _run(self, command: Sequence[str], folder: Path, what: str, **variables: str) -> None:
        # Nothing of the caller's flags goes into what is compiled.
        dropped = ("PYTHONPATH", "PYTHONHOME", "CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")
        environment = {name: os.environ[name] for name in os.environ if name not in dropped}
        environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", **variables}
        log = self.folder / "install.log"
        self._show.show(self._done, what)
        code = launch(command, folder, log, BUILDING, self._show, environment=environment)
        if code != 0:
            said = log.read_text(errors="replace").splitlines()
            errors = [line.strip() for line in said if line.lower().lstrip().startswith("error")]
            self._show.clear()
            print("\n".join(f"    {line}" for line in said[-15:]), flush=True)
            reason = (errors or [f"exit code {code}"])[0][:100]
            raise UnavailableError(f"{what}: {reason}")

    @contextlib.contextmanager
    def _new(self, folder: Path) -> Iterator[Path]:
        """Give a folder to fill, which takes its place whole or not at all."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new") as new:
            inside = Path(new, "inside")
            inside.mkdir()
            yield inside
            with contextlib.suppress(OSError):  # another call was faster
                inside.rename(folder)

    @contextlib.contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        """Keep other calls away from a folder meanwhile."""
        with folder.with_name(f"{folder.name}.lock").open("a") as file:
            while True:
                INTERRUPTS.check()
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    self._show.show(self._done, f"another call is busy with {folder.name}")
                    time.sleep(0.2)
            yield


def _holds(folder: Path, stamp: str) -> bool:
    path = folder / "stamp"
    return path.exists() and path.read_text() == stamp


def at_startup_off(folder: Path) -> None:
    """Remove what an interrupted run may have left of the start-up file."""
    if any(site_packages(folder).glob("*ftthreading_at_startup*")):
        install_into(folder)
        at_startup(python_of(folder), enable=False)
