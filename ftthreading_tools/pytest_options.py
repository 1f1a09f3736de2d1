"""What pytest loads wherever ftthreading is installed: two options, and no more until one is given.

It is not in the package `ftthreading`, whose import mends the interpreter's Thread. The
plugins have further options, which ``pytest --ftthreading --help`` shows.
"""

from __future__ import annotations

import copy
import sys

import pytest

import ftthreading_tools

# By option: the plugin and what it does.
PLUGINS = {
    "--ftthreading": (
        "ftthreading.pytest_plugin",
        "run the tests on ftthreading; further options look into them, such as --lock-order",
    ),
    "--ftthreading-stress": (
        "stress.pytest_plugin",
        "run each Scenario of ftthreading.stress in a file as a test, by the options --stress-...",
    ),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add one option for each plugin."""
    group = parser.getgroup("ftthreading", "ftthreading")
    for option, (_, help) in PLUGINS.items():
        group.addoption(option, action="store_true", help=help)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Load the plugins that are asked for, before anything of the tests is imported."""
    known = early_config.known_args_namespace
    manager = early_config.pluginmanager
    if known.ftthreading_stress:
        ftthreading_tools.load("stress")
    for option, (plugin, _) in PLUGINS.items():
        if getattr(known, option[2:].replace("-", "_")) and not manager.has_plugin(plugin):
            manager.import_plugin(plugin)
            # With the options that this plugin has added.
            known = parser.parse_known_args(args, namespace=copy.copy(known))
            early_config.known_args_namespace = known
            late = getattr(sys.modules[plugin], "pytest_load_initial_conftests", None)
            if late is not None:  # this call goes to those who were there before
                late(early_config)
