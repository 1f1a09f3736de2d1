"""Scenarios of one's own as tests: ``pytest -p stress.pytest_plugin my_scenarios.py``.

Every Scenario class in a collected file is a test. It is run for a budget, in child processes, as
``python -m stress run`` does it. A finding fails the test, and the message has the command that
shows it again. Where a quiet run would mean nothing (the GIL is on), or too little was seen, the
test is skipped, with the reason.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

from toolkit.exits import Exit

from .api.scenario import Scenario
from .cli import report
from .cli.commands import seconds
from .engine import journal, plan, probe
from .engine.runner import Runner
from .nemeses.catalogue import NEMESES
from .records.batch import seed_of


class ScenarioFailed(Exception):
    """What the report shows instead of a traceback through the harness."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add this plugin's options."""
    group = parser.getgroup("stress")
    group.addoption(
        "--stress-target", default="ftthreading", help="the module under test (%(default)s)"
    )
    group.addoption(
        "--stress-budget", default="5s", help="for each scenario: 90s, 15m (default %(default)s)"
    )
    group.addoption("--stress-seed", type=int, default=0, help="of all choices (%(default)s)")
    group.addoption(
        "--stress-nemesis", default=",".join(NEMESES), help="names by commas (default: all)"
    )
    group.addoption(
        "--stress-output", type=Path, default=journal.RUNS, help="where runs are kept (%(default)s)"
    )


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Item | None:
    """Make a test of each scenario that a module defines itself."""
    if (
        isinstance(collector, pytest.Module)
        and inspect.isclass(obj)
        and issubclass(obj, Scenario)
        and obj.__module__ == collector.obj.__name__
        and not inspect.isabstract(obj)
        and obj.cast(1)
    ):
        item: pytest.Item = ScenarioItem.from_parent(collector, name=obj.name())
        return item
    return None


class ScenarioItem(pytest.Item):
    """One scenario."""

    def runtest(self) -> None:
        """Run it for the budget."""
        config = self.config
        runs: Path = config.getoption("--stress-output").resolve()
        names = config.getoption("--stress-nemesis").split(",")
        options = plan.Options(
            target=config.getoption("--stress-target"),
            budget=seconds(config.getoption("--stress-budget")),
            threads=plan.default_threads(),
            seed=seed_of(config.getoption("--stress-seed"), self.name),
            nemeses=tuple(name for name in names if name in NEMESES),
            only=f"={self.name}",
            files=(str(self.path),),
            python=sys.executable,
        )
        run = journal.new_run(runs, options, probe.ask(options.python, options.target))
        verdict = Runner(run).go()
        text = report.text(run, runs)
        self.add_report_section("call", "stress", text)
        if verdict in (Exit.FOUND, Exit.BROKEN):
            raise ScenarioFailed(text)
        if verdict is Exit.TOO_LITTLE:
            pytest.skip(report.verdict_line(run))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what was found, and no traceback."""
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where it is."""
        return self.path, 0, f"scenario {self.name}"
