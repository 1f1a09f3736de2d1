"""Builds of the package for A/B: the same interpreter and dependencies, only the package differs.

A build lies in .perf/builds under a hash of its sources and the interpreter, so that a commit is
built once. What measures both sides is this checkout's harness, whatever the commits have.
"""

import dataclasses
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable

from toolkit import child
from toolkit.address import IN_CHECKOUT, ROOT

WORKTREE = "worktree"
PARTS = ("ftthreading", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
# setuptools would take a stray one instead of the interpreter's own flags, its -O3 among them.
STRAY = ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "PYTHONPATH", "PYTHONHOME")
LIMIT_SECONDS = 300.0


class CannotBuild(Exception):
    """There is no such commit, or it does not build; the message shows why."""


@dataclasses.dataclass(frozen=True)
class Build:
    """One side: its name for people, its commit, and the folder that its package is in."""

    name: str
    commit: str
    dirty: bool
    folder: pathlib.Path

    def environment(self, harness: pathlib.Path) -> dict[str, str]:
        """Return the environment in which this package is imported, and our perf."""
        kept = {name: value for name, value in os.environ.items() if name not in STRAY}
        return {**kept, "PYTHONPATH": f"{self.folder}{os.pathsep}{harness}"}


def harness(folder: pathlib.Path) -> pathlib.Path:
    """Make a folder in which perf is and what it needs, but not this checkout's package."""
    found = folder / "harness"
    found.mkdir()
    for name in ("perf", "toolkit"):
        (found / name).symlink_to(ROOT / name)
    return found


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(ROOT), *words], check=False, capture_output=True)
    if done.returncode:
        raise CannotBuild(done.stderr.decode(errors="replace").strip())
    return done.stdout


def _export(ref: str, folder: pathlib.Path) -> None:
    """Write the package's sources there."""
    if ref != WORKTREE:
        present = _git("ls-tree", "--name-only", ref, *PARTS).decode().split()
        with tarfile.open(fileobj=io.BytesIO(_git("archive", ref, *present))) as archive:
            archive.extractall(folder, filter="data")
        return
    listed = _git("ls-files", "-co", "--exclude-standard", "-z", "--", *PARTS).decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # not deleted since the last commit
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def _digest(folder: pathlib.Path) -> str:
    found = hashlib.sha256(f"{sys.version}\0{sys.prefix}\0".encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        found.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode() + data)
    return found.hexdigest()[:20]


def prepare(
    ref: str,
    interrupts: child.Interrupts,
    change: Callable[[pathlib.Path], None] = lambda _sources: None,
) -> Build:
    """Return the build of a commit or of the work tree; make it if there is none.

    `change` may edit the sources before. Raises CannotBuild or child.Interrupted.
    """
    if not IN_CHECKOUT:
        raise CannotBuild("this builds commits, so it runs in a checkout of ftthreading only")
    commit = _git("rev-parse", "--short=12", "HEAD" if ref == WORKTREE else f"{ref}^{{commit}}")
    dirty = ref == WORKTREE and bool(_git("status", "--porcelain", "--", *PARTS))
    with tempfile.TemporaryDirectory(prefix="perf-build-") as name:
        sources = pathlib.Path(name, "sources")
        sources.mkdir()
        _export(ref if ref == WORKTREE else commit.decode().strip(), sources)
        change(sources)
        target = ROOT / ".perf" / "builds" / _digest(sources)
        if not target.exists():
            _install(sources, target, interrupts)
    return Build(ref, commit.decode().strip(), dirty, target)


def _install(sources: pathlib.Path, target: pathlib.Path, interrupts: child.Interrupts) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=target.parent) as name:
        part = pathlib.Path(name, "package")
        words = "-m pip install --disable-pip-version-check --no-deps --no-build-isolation"
        done = child.run(
            [sys.executable, *words.split(), "--target", str(part), str(sources)],
            cwd=name,
            env={key: value for key, value in os.environ.items() if key not in STRAY},
            limit=LIMIT_SECONDS,
            interrupts=interrupts,
        )
        if done.fault:
            raise CannotBuild(f"{done.fault}\n{(done.stdout + done.stderr)[-3000:]}")
        try:
            part.rename(target)
        except OSError:
            if not target.exists():  # else somebody else has built the same meanwhile
                raise
