"""The two sides of a comparison: how an interpreter is started on each, and a proof of which it is.

As a rule both are the interpreter that runs this, one of them launched by `python -m ftthreading`.
For children of the tests to be on ftthreading as well, each side is an environment of its own, in
one of which `--enable-at-startup` was asked for. The two hold the same files, but for that one.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

PROBE = "test_probe"

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

    def expected(self) -> dict[str, set[str]]:
        """What the probe has to end with."""
        outcome = {True: {"passed"}, False: {"failure"}}
        return {
            f"{PROBE}.Probe.test_child": outcome[self.children],
            f"{PROBE}.Probe.test_here": outcome[self.here],
        }


def environment() -> dict[str, str]:
    """What the tests see: nothing that tells an interpreter where to find or what to do."""
    names = [name for name in os.environ if not name.startswith(("PYTHON", "FTTHREADING"))]
    return {name: os.environ[name] for name in names}


def sides(folder: Path, *, startup: bool) -> tuple[Side, Side]:
    """Make both sides below `folder`; `threading`'s is the first. Raises RuntimeError."""
    for name in ("threading", "ftthreading"):
        (folder / name / "work").mkdir(parents=True)
        (folder / name / "work" / f"{PROBE}.py").write_text(PROBE_SOURCE)
    theirs, ours = folder / "threading", folder / "ftthreading"
    python = sys.executable
    if not startup:
        return (
            Side("threading", [python], theirs / "work", here=False, children=False),
            Side(
                "ftthreading",
                [python, "-m", "ftthreading"],
                ours / "work",
                here=True,
                children=False,
            ),
        )
    plain, enabled = (_environment(each / "environment") for each in (theirs, ours))
    done = subprocess.run(
        [enabled, "-m", "ftthreading", "--enable-at-startup"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the start-up file has no effect:\n{done.stdout}{done.stderr}")
    return (
        Side("threading", [plain], theirs / "work", here=False, children=False),
        Side("ftthreading", [enabled], ours / "work", here=True, children=True),
    )


def _environment(folder: Path) -> str:
    """Make an environment with ftthreading, as it is installed here, and return its python."""
    installed = Path(sysconfig.get_path("platlib"), "ftthreading")
    if not installed.is_dir():
        raise RuntimeError(f"ftthreading is not installed in {installed.parent}")
    venv.create(folder, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    shutil.copytree(installed, Path(sysconfig.get_path("platlib", vars=paths), "ftthreading"))
    return str(folder / "bin" / "python")
