"""Watches every run: nothing hangs for ever, and a free-threaded build stays free-threaded.

A C extension that does not declare ``Py_mod_gil`` turns the lock back on when it is imported, with
a mere warning, and every test of concurrency then passes for the wrong reason. So the lock is
checked before the first test, after each one and after the last.
"""

import faulthandler
import sys
import sysconfig
from collections.abc import Generator

import pytest

# Helpers that assert: a failure is to show its values, as one in a test does.
pytest.register_assert_rewrite("tests.support")

SHUTDOWN_SECONDS = 120
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def gil_came_back() -> bool:
    """Tell whether this is a free-threaded build that runs with the global interpreter lock."""
    return FREE_THREADED and sys._is_gil_enabled()


def pytest_report_header() -> str:
    """Say in the header which kind of interpreter this is."""
    if not FREE_THREADED:
        return "gil: on (ordinary build)"
    return f"gil: {'ON' if gil_came_back() else 'off'} (free-threaded build)"


def pytest_sessionstart() -> None:
    """Refuse to start on a free-threaded build that is not free-threaded."""
    if gil_came_back():
        pytest.exit("the global interpreter lock is on before the first test", returncode=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail the test during which the lock came back."""
    before = gil_came_back()
    result = yield
    if gil_came_back() and not before:
        pytest.fail("the global interpreter lock came back during this test", pytrace=False)
    return result


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run at whose end the lock is on, though all tests passed."""
    if gil_came_back():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say the same in words."""
    if gil_came_back():
        terminalreporter.section("global interpreter lock", red=True)
        terminalreporter.line("FAILED: the lock is on at the end of the run", red=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Dump all stacks and fail if the interpreter cannot shut down once the tests are over.

    pytest's own ``faulthandler_timeout`` guards each test, but no test runs any more.
    """
    faulthandler.dump_traceback_later(SHUTDOWN_SECONDS, exit=True, file=2)
