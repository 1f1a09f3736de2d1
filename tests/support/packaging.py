"""Builds of the package as others make them."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What the package is built from.
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE")
FOLDERS = ("ftthreading", "ftthreading_tools", "perf", "stress", "toolkit")
DEADLINE = 140.0

# setuptools lets these replace the interpreter's own compiler and flags.
BUILD_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")
}


def copy_of_the_checkout(folder: Path) -> Path:
    """Copy what the package is built from, so that a build leaves nothing in the checkout."""
    source = folder / "source"
    source.mkdir()
    for name in FILES:
        shutil.copy2(ROOT / name, source)
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    return source


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command, which must succeed, and return all it said."""
    result = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=DEADLINE,
        cwd=cwd,
        env=BUILD_ENVIRONMENT | environment,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout
