"""A plugin for pytest: write down what each test ends with, as it ends.

It is copied into the environment of each project and loaded by `-p`, for the outermost pytest
alone. A line is written before a test and one after it, so that a run that crashes or hangs leaves
what has ended, and the test that it was in. A test that takes longer than its limit ends the
interpreter with the stacks of all threads; so does one that does not end after its tests.
"""

import contextlib
import faulthandler
import fnmatch
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

WORST = ["error", "failed", "xpassed", "xfailed", "skipped", "passed"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the folder that tells what to do, and where the outcomes go."""
    parser.addoption("--outcomes", help="a folder with a file orders.json")
    # The plugins that know these are turned off: limits and repetitions are ours to choose.
    for option in ("timeout", "timeout_method", "reruns"):
        parser.addini(option, "left to ci/suites")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to write."""
    for mark in ("timeout", "flaky"):
        config.addinivalue_line("markers", f"{mark}: left to ci/suites")
    if folder := config.getoption("--outcomes"):
        config.pluginmanager.register(Outcomes(Path(folder), config.rootpath), "outcomes")


def outcome_of(report: pytest.TestReport) -> str:
    """Return how one of a test's phases ended."""
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.failed and report.when != "call":
        return "error"
    return report.outcome


class Outcomes:
    """Writes outcomes, and leaves out what is not to run, by the file orders.json.

    limit: seconds that a test may take. end: when all has to have ended, by time.monotonic().
    files: if any, only tests of these files run. match: if any, only tests that fit one of these
    patterns. skip: tests that do not run, having run before. deselect: patterns of those that
    never do.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._root = f"{root}/"
        self._orders = json.loads((folder / "orders.json").read_text())
        # Files are opened now: a test may change the folder, or take the descriptors 1 and 2.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._lines = os.open(folder / "outcomes", flags)
        self._stacks = os.open(folder / "stacks", flags)
        self._pid = os.getpid()
        self._ends: list[tuple[str, str]] = []

    def _name(self, item: pytest.Item) -> str:
        """Return a test's name, the same in whatever folder it lies."""
        return item.nodeid.replace(self._root, "")

    def _write(self, *words: str) -> None:
        if os.getpid() == self._pid:  # not in a child that a test has forked
            os.write(self._lines, json.dumps(words).encode() + b"\n")

    def _watch(self) -> None:
        left = min(self._orders["limit"], self._orders["end"] - time.monotonic())
        faulthandler.dump_traceback_later(max(left, 0.1), exit=True, file=self._stacks)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        """Leave out what is not to run."""
        orders, files, skip = self._orders, {*self._orders["files"]}, {*self._orders["skip"]}

        def wanted(name: str) -> bool:
            if name in skip or (files and name.partition("::")[0] not in files):
                return False
            if orders["match"] and not any(fits(name, each) for each in orders["match"]):
                return False
            return not any(fits(name, each) for each in orders["deselect"])

        chosen = [item for item in items if wanted(self._name(item))]
        config.hook.pytest_deselected(items=[item for item in items if item not in {*chosen}])
        items[:] = chosen

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be loaded."""
        name = report.nodeid.partition("::")[0]
        wanted = not self._orders["files"] or name in self._orders["files"]
        if report.failed and wanted and report.nodeid not in self._orders["skip"]:
            self._write("end", report.nodeid, "error", str(report.longrepr))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Surround a test, with what is done before and after it."""
        self._ends = []
        self._write("begin", self._name(item))
        self._watch()
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()
            ends = [end for end, _ in self._ends]
            end = next((each for each in WORST if each in ends), "error")
            text = next((text for each, text in self._ends if each == end and text), "")
            self._write("end", self._name(item), end, text)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what one phase of the test ended with."""
        text = str(report.longrepr) if report.failed else ""
        self._ends.append((outcome_of(report), text))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """From here on the interpreter has to end."""
        self._write("over")
        with contextlib.suppress(ValueError):
            self._watch()


def fits(name: str, pattern: str) -> bool:
    """Whether a test's name is the pattern, lies in it, or matches it; `[` stands for itself."""
    return (
        name == pattern
        or name.startswith((f"{pattern}::", f"{pattern}["))
        or fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
    )
