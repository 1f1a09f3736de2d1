"""Builds these pages into a site: `ci/docs`.

Sphinx, for its search works in pages that are opened from a disk. Its source is a folder
like the repository (README.md, docs/, perf/), so that a link which works between files of the
repository works in the site as well.

What the reference says of the primitives is the contract in ftthreading/_core.pyi. At run time
their methods have the docstrings of the interpreter's own functions, of which they are copies.
"""

import __future__

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import ftthreading

ROOT = Path(__file__).resolve().parents[1]

project = "ftthreading"
author = copyright = "The ftthreading developers"
release = version = ftthreading.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = "ftthreading"
html_copy_source = False
html_show_search_summary = False  # it would be fetched, which pages from a disk may not
html_show_sphinx = False

nitpicky = True
# Names of the interpreter's, and of what is no page of ours, are written but not linked.
nitpick_ignore_regex = [("py:.*", r"(?!ftthreading\.(Lock|RLock|Event|Barrier)$).*")]
default_role = "code"  # docstrings mark code by single backticks, as these pages do
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

PAGES = {
    "Using it": ["is-it-for-me", "switching-on", "differences", "contracts", "performance"],
    "A program that hangs, or is slow": ["diagnostics"],
    "Reference": ["api", "diagnostics-api"],
    "Breaking and measuring": ["stress", "scenarios", "scenario-reference", "reports", "perf"],
    "Inside": ["how-it-works", "decisions", "found_in_cpython"],
}
OTHERS = ["perf/results", "CONTRIBUTING", "CHANGELOG", "SECURITY"]


def contents() -> str:
    """Return the site's table of contents, which follows the front page."""
    groups = {title: [f"docs/{name}" for name in names] for title, names in PAGES.items()}
    groups["The project"] = OTHERS
    return "".join(
        f"\n\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(names) + "\n```"
        for title, names in groups.items()
    )


def add_contents(app: Any, name: str, source: list[str]) -> None:
    """Give README.md the table of contents, which nobody wants to see in the repository."""
    if name == root_doc:
        source[0] += contents()


def take_contract() -> None:
    """Put the classes of the stub into the place of the compiled ones, for autodoc to find."""
    ftthreading: Any = importlib.import_module("ftthreading")
    path = ROOT / "ftthreading" / "_core.pyi"
    stub = ModuleType("contract")  # its annotations name what comes later in it
    flags = __future__.annotations.compiler_flag
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec", flags), vars(stub))
    for name, value in vars(stub).items():
        if not name.startswith("_") and getattr(value, "__module__", "") == "contract":
            value.__module__ = "ftthreading"
            setattr(ftthreading, name, value)


ARGUMENT = re.compile(r"([a-z_]+): ")


def list_arguments(
    app: Any, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Make list items of lines that begin with an argument's name, as docstrings here have them."""
    found: list[str] = []
    inside = False
    for line in lines:
        if match := ARGUMENT.match(line):
            if not inside:
                found.append("")
            inside = True
            found.append(f"- *{match[1]}*: {line[match.end() :]}")
        elif inside and line:
            found.append(f"  {line.strip()}")
        else:
            inside = False
            found.append(line)
    lines[:] = found


def setup(app: Any) -> None:
    """Called by Sphinx."""
    take_contract()
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", list_arguments)
