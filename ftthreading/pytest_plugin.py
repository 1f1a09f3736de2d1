"""A plugin for pytest: ``pytest -p ftthreading.pytest_plugin --lock-order``.

It runs the tests on ftthreading, installed before any of them or their modules is imported, and

- with ``--lock-order`` fails the test in which locks were first taken in an order that can
  deadlock;
- prints who waits for what just before a test runs into its time limit, be it that of pytest-
  timeout or pytest's own ``faulthandler_timeout``, which print the stacks.

A test fails by its own phase: what was found while it was set up, run or torn down is its error.
What was found in no test, while modules were imported, say, fails the run at its end.
"""

from __future__ import annotations

import faulthandler
import io
import os
import sys
from _thread import allocate_lock, start_new_thread
from types import SimpleNamespace

import pytest

from ftthreading import diagnostics, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

_EARLY = 0.5  # seconds before the limit, but no more than a tenth of it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say what there is, for `pytest --help`."""
    group = parser.getgroup("ftthreading", "ftthreading: tests run on it, and are looked into")
    group.addoption(
        "--lock-order",
        action="store_true",
        help="fail the test that takes locks in an order that can deadlock, though it did not in "
        "this run",
    )
    group.addoption(
        "--lock-order-strict",
        action="store_true",
        help="the same, and also if that is only possible",
    )
    group.addoption(
        "--lock-order-suppressions",
        metavar="FILE",
        help="the same, without what a line of the file describes",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything of the tests is imported."""
    install()
    options = early_config.known_args_namespace
    strict = options.lock_order_strict
    if options.lock_order or strict or options.lock_order_suppressions is not None:
        try:
            order = diagnostics.lock_order(suppressions=options.lock_order_suppressions, quiet=True)
        except OSError as error:
            raise pytest.UsageError(
                f"--lock-order-suppressions: can't read {error.filename!r}: {error.strerror}"
            ) from None
        early_config.pluginmanager.register(
            _LockOrder(order, strict=strict), "ftthreading lock order"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Keep standard error as it is before tests' output is caught."""
    config.pluginmanager.register(_WaitTable(config), "ftthreading wait table")


class _Inverted:
    """Why a test failed: the reports whole, but one line in the summary, also where CI is set.

    What pytest asks of a `longrepr`; its summary and JUnit XML take the message of `reprcrash`.
    """

    def __init__(self, item: pytest.Item, bad: list[diagnostics.Inversion]) -> None:
        count = f"{len(bad)} lock order inversion{'s' if len(bad) > 1 else ''}"
        message = f"{item.nodeid}: {count}, which can deadlock (--lock-order)"
        self.text = f"{message}:\n" + "".join(each.text for each in bad)
        line = (item.location[1] or 0) + 1
        self.reprcrash = SimpleNamespace(path=str(item.path), lineno=line, message=message)

    def __str__(self) -> str:
        return self.text

    def toterminal(self, terminal: Any) -> None:
        terminal.write(self.text)


class _LockOrder:
    """Fails tests by what a `LockOrder` finds."""

    def __init__(self, order: diagnostics.LockOrder, strict: bool) -> None:
        self.order = order.enable()
        self.strict = strict
        self.seen: set[int] = set()  # by identity: they are kept by `order`
        self.outside: list[diagnostics.Inversion] = []

    def fresh(self) -> list[diagnostics.Inversion]:
        """What was found since the last time."""
        fresh = [each for each in self.order.inversions if id(each) not in self.seen]
        self.seen.update(map(id, fresh))
        return fresh

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Make an error of what was found in this phase of the test."""
        report = yield
        fresh = self.fresh()
        bad = [each for each in fresh if each.certain or self.strict]
        for each in fresh:
            report.sections.append(("ftthreading lock order", each.text))
        if bad and not report.failed:
            report.outcome = "failed"
            report.longrepr = _Inverted(item, bad)  # type: ignore[assignment]  # duck-typed
            report.sections = [each for each in report.sections if "lock order" not in each[0]]
        return report

    def pytest_runtest_logstart(self) -> None:
        """What was found since the last test belongs to none."""
        self.outside += self.fresh()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for what was found outside of tests."""
        self.order.disable()
        self.outside += self.fresh()
        self.outside = [each for each in self.outside if not each.withdrawn]
        bad = [each for each in self.outside if each.certain or self.strict]
        if bad and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show it."""
        for each in self.outside:
            terminalreporter.section("lock order inversion outside of tests", red=True)
            terminalreporter.write(each.text)


class _WaitTable:
    """Prints who waits for what, shortly before somebody else ends a test for its time."""

    def __init__(self, config: pytest.Config) -> None:
        self.limit = float(config.getini("faulthandler_timeout") or 0)
        self.file: int | None = None
        try:
            self.file = os.dup(sys.__stderr__.fileno()) if sys.__stderr__ is not None else None
        except (OSError, ValueError):
            pass
        self.timers: dict[str, _Timer] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """As pytest's plugin faulthandler, which has the limit."""
        timer = _Timer(self.limit, self.print, item.nodeid) if self.limit > 0 else None
        try:
            return (yield)
        finally:
            if timer is not None:
                timer.cancel()

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_timeout_set_timer(
        self, item: pytest.Item, settings: Any
    ) -> Generator[None, Any, Any]:
        """As pytest-timeout."""
        if settings.timeout and settings.timeout > 0:
            self.timers[item.nodeid] = _Timer(settings.timeout, self.print, item.nodeid)
        return (yield)

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """As pytest-timeout."""
        timer = self.timers.pop(item.nodeid, None)
        if timer is not None:
            timer.cancel()
        return (yield)

    def print(self, name: str) -> None:
        """Write the table to what was standard error at first."""
        if self.file is None:
            return
        text = io.StringIO(f"\nftthreading: {name} is about to run into its time limit\n")
        text.seek(0, os.SEEK_END)
        dump = getattr(diagnostics, "dump", None)
        if dump is not None:
            dump(text)
        os.write(self.file, text.getvalue().encode("utf-8", "backslashreplace"))
        if dump is None:
            faulthandler.dump_traceback(self.file)

    def pytest_unconfigure(self) -> None:
        """Give the file back."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


class _Timer:
    """Calls a function after most of a time, unless it is cancelled. Its locks are not ours."""

    def __init__(self, limit: float, function: Any, *arguments: Any) -> None:
        self._cancelled = allocate_lock()
        self._cancelled.acquire()
        start_new_thread(self._run, (limit - min(_EARLY, limit / 10), function, arguments))

    def _run(self, seconds: float, function: Any, arguments: tuple[Any, ...]) -> None:
        if not self._cancelled.acquire(timeout=seconds):
            function(*arguments)

    def cancel(self) -> None:
        """Not to be called twice."""
        self._cancelled.release()
