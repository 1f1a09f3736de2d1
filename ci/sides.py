"""The two sides of a comparison: how an interpreter is started on each, and a proof of which it is.

As a rule both are the interpreter that runs this, one of them launched by `python -m ftthreading`.
For children of the tests to be on ftthreading as well, each side is an environment of its own, in
one of which `--enable-at-startup` was asked for. The two hold the same files, but for that one.
"""

import dataclasses
import os
import shutil
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

from toolkit.child import Interrupts, run

STARTUP_SECONDS = 120.0
PROBE = "test_probe"

ENDS: dict[bool, list[set[str]]] = {True: [{"passed"}], False: [{"failure"}, {"failed"}]}
"""What a test of the probe ends with, in the words of regrtest and of pytest."""

PROBE_SOURCE = '''
import subprocess, sys, threading, unittest
CODE = """
import sys, threading
ours = sys.modules.get("ftthreading")
sys.exit(ours is None or threading.Lock is not ours.Lock)
"""
class Probe(unittest.TestCase):
    def test_here(self):
        with self.assertRaises(SystemExit) as caught:
            exec(CODE, {})
        self.assertFalse(caught.exception.code)
    def test_child(self):
        self.assertEqual(subprocess.run([sys.executable, "-I", "-c", CODE]).returncode, 0)
'''
"""A test file that passes on ftthreading: in the interpreter of the tests, and in a child."""


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two.

    command: starts its interpreter, as far as `-m test`. folder: its own, to work in.
    here, children: whether the tests, and interpreters that they start, run on ftthreading.
    """

    name: str
    command: list[str]
    folder: Path
    here: bool
    children: bool

    def proved(self, outcomes: Mapping[str, set[str]]) -> bool:
        """Whether the probe's tests ended as they have to, each in one way."""
        ends = {name.rpartition("Probe")[2].strip(".:"): ends for name, ends in outcomes.items()}
        expected = {"test_here": self.here, "test_child": self.children}
        return all(ends.get(test) in ENDS[passes] for test, passes in expected.items())


def environment() -> dict[str, str]:
    """What the tests see: nothing that tells an interpreter where to find or what to do."""
    names = [name for name in os.environ if not name.startswith(("PYTHON", "FTTHREADING"))]
    return {name: os.environ[name] for name in names}


def sides(folder: Path, *, startup: bool) -> tuple[Side, Side]:
    """Make both sides below `folder`; `threading`'s is the first. Raises RuntimeError."""
    for name in ("threading", "ftthreading"):
        (folder / name / "work").mkdir(parents=True)
        (folder / name / "work" / f"{PROBE}.py").write_text(PROBE_SOURCE)
    pythons = (sys.executable, sys.executable)
    if startup:
        environments = [folder / name / "environment" for name in ("threading", "ftthreading")]
        for each in environments:
            venv.create(each, symlinks=True)
            install_into(each)
        pythons = (python_of(environments[0]), python_of(environments[1]))
        at_startup(pythons[1], enable=True)
    return pair(pythons, folder / "threading/work", folder / "ftthreading/work", startup=startup)


def pair(pythons: tuple[str, str], theirs: Path, ours: Path, *, startup: bool) -> tuple[Side, Side]:
    """Describe both sides: of two interpreters, the second's start-up file is there or not."""
    launcher = [] if startup else ["-m", "ftthreading"]
    return (
        Side("threading", [pythons[0]], theirs, here=False, children=False),
        Side("ftthreading", [pythons[1], *launcher], ours, here=True, children=startup),
    )


def python_of(folder: Path) -> str:
    """Return the python of an environment."""
    return str(folder / "bin" / "python")


def site_packages(folder: Path) -> Path:
    """Return where an environment of this interpreter's version keeps its packages."""
    paths = {"base": str(folder), "platbase": str(folder)}
    return Path(sysconfig.get_path("platlib", vars=paths))


def install_into(folder: Path) -> None:
    """Give an environment ftthreading, as it is installed here. Raises RuntimeError."""
    installed = Path(sysconfig.get_path("platlib"), "ftthreading")
    if not installed.is_dir():
        raise RuntimeError(f"ftthreading is not installed in {installed.parent}")
    target = site_packages(folder) / "ftthreading"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(installed, target)


def at_startup(python: str, *, enable: bool) -> None:
    """Write an environment's start-up file, or remove it. Raises RuntimeError."""
    done = run(
        [python, "-m", "ftthreading", f"--{'enable' if enable else 'disable'}-at-startup"],
        cwd="/",
        env=environment(),
        limit=STARTUP_SECONDS,
        interrupts=Interrupts(),  # not to be cut short: it may be what cleans up
    )
    if done.fault:
        raise RuntimeError(f"the start-up file has no effect:\n{done.stdout}{done.stderr}")
