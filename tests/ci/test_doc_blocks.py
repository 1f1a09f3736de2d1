"""Each block of code in README.md and docs/ is run, or looked at as far as can be.

What is done with a block stands behind its language, where readers see it, too:

    python                  run by this interpreter
    python file=NAME        the same, and kept under this name for the page's other blocks
    python ftthreading      run by `python -m ftthreading`
    python compiled: WHY    only compiled
    sh                      its commands are looked for, and whether their --help has the options
    sh run                  run
    text, {eval-rst}        no program

All of it takes some 40 seconds.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt

from ci.nightly import STEPS
from tests.ci.test_docs import PAGES, ROOT
from toolkit.machine import gil_enabled, usable_cpus

pytestmark = [pytest.mark.once, pytest.mark.thread_unsafe(reason="starts many programs")]

KINDS = re.compile(
    r"python( file=(?P<file>\w+\.py)| ftthreading| compiled: .+)?|sh( run)?|text|\{eval-rst\}"
)
PYTHON = re.compile(r"(\.venv/[\w.-]+/bin/)?python")
SECONDS = 120.0


class Absent(Exception):
    """There is no such command, or it cannot be asked."""


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, text: str) -> Iterator[Block]:
    """Return all blocks of code; those that are only indented have no info."""
    for token in MarkdownIt().parse(text):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            yield Block(page, token.map[0] + 1, token.info, token.content)


BLOCKS = [block for page in PAGES for block in blocks(page, page.read_text(encoding="utf-8"))]


def of(*infos: str) -> pytest.MarkDecorator:
    found = [block for block in BLOCKS if block.info.startswith(infos)]
    assert found
    return pytest.mark.parametrize("block", found, ids=lambda block: block.name)


def commands(text: str) -> Iterator[list[str]]:
    """Split a shell block into commands, without comments and settings of the environment."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"\w+=", words[0]):
            del words[0]
        if words:
            yield words


@functools.cache
def help_of(*command: str) -> str:
    done = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0:
        raise Absent(f"{shlex.join(command)} --help: {done.stderr}")
    return done.stdout + done.stderr


def asked(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the command that is asked for its options, and the words among which they stand.

    Raises Absent.
    """
    first, *rest = words
    if not PYTHON.fullmatch(first):
        if not (shutil.which(first) or os.access(ROOT / first, os.X_OK)):
            raise Absent(f"no command {first}")
        return [first], rest[: rest.index("--")] if "--" in rest else rest
    if rest[0] != "-m":
        raise Absent(f"{shlex.join(words)}: code is for python blocks")
    module = rest[1]
    if importlib.util.find_spec(module) is None:
        raise Absent(f"no module {module}")
    base = [sys.executable, "-m", module]
    if module == "ftthreading":  # what follows the program is the program's own
        own = next((k for k, word in enumerate(rest[2:], 2) if word[:2] != "--"), len(rest))
        return base, rest[2:own]
    if module in ("stress", "perf", "pip"):
        return [*base, rest[2]], rest[3:]
    if (plugin := "--ftthreading-stress") in rest:
        return [*base, plugin], rest[2:]
    if "-p" in rest:
        return [*base, *rest[rest.index("-p") :][:2]], rest[2:]
    return base, rest[2:]


def missing(text: str) -> list[str]:
    """Return what a shell block names that is not there."""
    found = []
    for words in commands(text):
        try:
            command, rest = asked(words)
            options = [word.partition("=")[0] for word in rest if re.match("--?[a-z]", word)]
            told = help_of(*command) if options else ""
        except Absent as error:
            found.append(str(error))
            continue
        found += [
            f"{shlex.join(words)}: no option {option}"
            for option in options
            if not re.search(rf"(?<![\w-]){option}(?![\w-])", told)
        ]
    return found


def run(folder: Path, *command: str) -> None:
    """Run a program as a reader would: it has to end with exit code 0."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_block_says_what_it_is(page: Path) -> None:
    unknown = [block for block in BLOCKS if block.page == page and not KINDS.fullmatch(block.info)]
    assert [f"{block.name}: {block.info or 'indented'}" for block in unknown] == []


@of("python")
def test_python(block: Block, tmp_path: Path) -> None:
    match = KINDS.fullmatch(block.info)
    program = tmp_path / ((match and match["file"]) or "program.py")
    program.write_text(block.text, encoding="utf-8")
    compile(block.text, block.name, "exec")
    if "compiled" not in block.info:
        launcher = ("-m", "ftthreading") if block.info == "python ftthreading" else ()
        run(tmp_path, sys.executable, *launcher, program.name)


@of("sh")
def test_commands_are_there_and_have_these_options(block: Block) -> None:
    assert missing(block.text) == []


@of("sh run")
def test_quick_commands(block: Block, tmp_path: Path) -> None:
    for other in BLOCKS:
        match = KINDS.fullmatch(other.info)
        if other.page == block.page and match and match["file"]:
            (tmp_path / match["file"]).write_text(other.text, encoding="utf-8")
    if "stress" in block.text and (gil_enabled() or usable_cpus() < 2):
        pytest.skip("stress says nothing where threads do not run at once")
    run(tmp_path, "bash", "-e", "-c", block.text)


def test_what_is_wrong_is_seen(tmp_path: Path) -> None:
    (block,) = blocks(ROOT, "a list\n\n    python -m stress run\n")
    assert not KINDS.fullmatch(block.info)
    assert missing("python -m stress run --nothing  # --neither\n") == [
        "python -m stress run --nothing: no option --nothing"
    ]
    assert missing("ci/nothing") == ["no command ci/nothing"]
    assert missing("python -m nothing") == ["no module nothing"]
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run(tmp_path, sys.executable, "-c", "1 / 0")


@pytest.mark.once
def test_nightly_and_the_workflows_call_what_there_is() -> None:
    lines = [re.sub(r'"\$\(ci/env \S+\)"', "python", step.command) for step in STEPS]
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        called = re.findall(r"python -m (?:perf|stress) .*", path.read_text(encoding="utf-8"))
        lines += [line for line in called if "$" not in line]
    assert any("perf dash" in line for line in lines)
    assert missing("\n".join(lines)) == []
