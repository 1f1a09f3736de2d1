"""Places in a program: which are its own, and how people are told of them.

Some code waits on a program's behalf (threading, queue, concurrent.futures and ours): people are
told what the program called of it. Other code lies below every program, and says nothing of it.
"""

from __future__ import annotations

import linecache
import os
import sysconfig
import threading
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
STANDARD = os.path.dirname(os.path.abspath(threading.__file__)) + os.sep
_PACKAGES = os.path.join(sysconfig.get_path("purelib"), "")

_LIBRARY = {os.path.join(STANDARD, name) for name in ("threading.py", "queue.py")}
_LIBRARIES = (OURS, os.path.join(STANDARD, "concurrent", "futures") + os.sep)

LAUNCHERS = {
    "<frozen runpy>",
    "<frozen importlib._bootstrap>",
    os.path.join(OURS, "_run.py"),
    os.path.join(OURS, "__main__.py"),
}
_TEST_RUNNERS = tuple(f"{os.sep}{name}{os.sep}" for name in ("_pytest", "pluggy"))


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a program.

    Attributes:
        file: as the code names it.
        line: its number, from 1; 0 if it is not known.
        function: the qualified name of the function, ``<module>`` outside of one.
    """

    file: str
    line: int
    function: str

    @property
    def text(self) -> str:
        """The source line, stripped; empty where there is none."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        called = self.function if self.function.startswith("<") else f"{self.function}()"
        return f"{short(self.file)}:{self.line} in {called}"


NOWHERE = Place("<unknown>", 0, "<unknown>")


def place(code: CodeType, line: int | None) -> Place:
    """The place of a frame."""
    return Place(code.co_filename, max(line or 0, 0), code.co_qualname)


def short(file: str) -> str:
    """A file's name without the current directory, the library's or site-packages."""
    try:
        here = os.path.join(os.getcwd(), "")
    except OSError:  # a directory that is gone
        here = "\0"
    for prefix in (here, _PACKAGES, STANDARD):
        if file.startswith(prefix):
            return file[len(prefix) :]
    return file


def is_library(code: CodeType) -> bool:
    """Whether it is code that a program calls to wait, and that calls us."""
    file = code.co_filename
    return file in _LIBRARY or file.startswith(_LIBRARIES)


def is_launcher(code: CodeType) -> bool:
    """Whether it is code that runs programs, threads or tests, and is below every stack."""
    file = code.co_filename
    if file == threading.__file__:
        return code.co_name in ("run", "_bootstrap", "_bootstrap_inner")
    return file in LAUNCHERS or any(part in file for part in _TEST_RUNNERS)
