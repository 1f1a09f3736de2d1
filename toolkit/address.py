"""Where the tools lie, in a checkout or installed, and by which command they are called there."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
"""The folder in which stress, perf and toolkit are found as top-level packages."""
IN_CHECKOUT = (ROOT / "pyproject.toml").is_file()
"""Else ROOT is a folder of the installed package, where nothing may be written."""
KEPT = ROOT if IN_CHECKOUT else pathlib.Path()
"""Below it are the folders of results: in the checkout, or wherever the command is run."""


def command(tool: str) -> str:
    """Return how `stress` or `perf` is called here, such as "python -m stress"."""
    return f"python {' '.join(words(tool))}"


def words(tool: str) -> list[str]:
    """Return the same for an interpreter's command line."""
    return ["-m", tool if IN_CHECKOUT else f"ftthreading.{tool}"]


def lacks(tool: str, error: ModuleNotFoundError) -> str:
    """Return the sentence on a library that a tool needs. Raises the error if it is one of ours."""
    library = (error.name or "").partition(".")[0]
    if library in ("", "ftthreading", "ftthreading_tools", "perf", "stress", "toolkit"):
        raise error
    return f"{command(tool)} needs {library}: pip install 'ftthreading[{tool}]'"
