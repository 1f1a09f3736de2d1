"""The contention profile: which lines wait for locks, and which make others wait.

How waits are timed and sampled, and whom a wait is blamed on: see core/profiling/profiling.c.
"""

from __future__ import annotations

import atexit
import os
import sys
import time

from ... import _core
from . import data, formats, html, text
from .data import Data, Holds, Waits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

_FORMATS: dict[str, Callable[[Data], str]] = {
    ".txt": text.table,
    ".collapsed": formats.collapsed,
    ".speedscope.json": formats.speedscope,
    ".firefox.json": formats.firefox,
    ".html": html.page,
}


class Profile:
    """The waits of all threads from ``with`` on, to its end, or till now.

    Only waits that begin and end within it are in it; a lock's place of making is known only for
    locks made within it. Of many waits a sample is recorded, some thousand stacks a second at most:
    totals and counts are estimates then, right on average; what lasted long is recorded for
    certain. Several profiles may be taken at once, from any threads; they share what is recorded,
    and a `longest` may then be from before the later one began. The child of a fork is not
    profiled.
    """

    def __init__(self) -> None:
        self._base: data.Base = []
        self._began = self._threads_began = 0
        self._running = False
        self._data = Data()

    def __enter__(self) -> Self:
        """Begin. Raises RuntimeError if it has begun, or another interpreter is profiled."""
        if self._running:
            raise RuntimeError("this profile has begun already")
        first = _core._profile_start()
        self._running = True
        self._base = [] if first else data.base_now()
        self._began, self._threads_began = time.monotonic_ns(), _core._threads_time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End; what was recorded can be looked at from now on, too."""
        try:
            self._data = self.data
        finally:
            if self._running:
                self._running = False
                _core._profile_stop()

    @property
    def data(self) -> Data:
        """All of it at this moment."""
        if self._running:
            seconds = (time.monotonic_ns() - self._began) * 1e-9
            threads = (_core._threads_time() - self._threads_began) * 1e-9
            self._data = data.read(self._base, seconds, threads) or self._data
        return self._data

    @property
    def seconds(self) -> float:
        """For how long it has been on."""
        return self.data.seconds

    @property
    def thread_seconds(self) -> float:
        """For how long all threads have existed meanwhile, together."""
        return self.data.thread_seconds

    @property
    def contended(self) -> tuple[Waits, ...]:
        """Waits for what other threads had: Lock, RLock, Semaphore, a Condition's lock."""
        return self.data.contended

    @property
    def holders(self) -> tuple[Holds, ...]:
        """The releases for which others had waited asleep."""
        return self.data.holders

    @property
    def awaited(self) -> tuple[Waits, ...]:
        """Waits for something to happen, which are no contention: Event, Condition, Thread.join."""
        return self.data.awaited

    def text(self) -> str:
        """A table for people."""
        return text.table(self.data)

    def write(self, file: str | os.PathLike[str]) -> None:
        """Write it to a file, in the format that its name ends in.

        .txt             the table of `text`
        .html            a page that opens without a network
        .collapsed       stacks and microseconds, for flamegraph.pl and its kin
        .speedscope.json for https://www.speedscope.app
        .firefox.json    for https://profiler.firefox.com

        Raises ValueError for another name, and OSError.
        """
        text = _format_of(file)(self.data)
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)


def profile() -> Profile:
    """Return a contention profile of what runs in a ``with`` statement.

    ::

        with ftthreading.diagnostics.profile() as p:
            ...
        print(p.text())
        p.write("contention.html")
    """
    return Profile()


def _format_of(file: str | os.PathLike[str]) -> Callable[[Data], str]:
    name = os.fspath(file)
    for ending, format in _FORMATS.items():
        if name.endswith(ending):
            return format
    raise ValueError(f"a profile's file ends in one of {', '.join(_FORMATS)}: {name!r} does not")


def from_command_line(option: str) -> Callable[[], None]:
    """What begins the profile that ``--profile[=FILE]`` asks for; it is written at exit.

    Raises ValueError for a FILE of no known format.
    """
    _, equals, file = option.partition("=")
    if equals:
        _format_of(file)
        file = os.path.abspath(file)  # the program may go elsewhere
    whole, process = Profile(), os.getpid()

    def write() -> None:
        if os.getpid() != process:
            return  # a child of a fork that ends as programs do
        whole.__exit__(None, None, None)
        said = whole.text()
        if file:
            try:
                whole.write(file)
                said = f"{text.first_line(whole.data)}\nProfile: {file}\n"
            except OSError as error:
                said = f"ftthreading: the profile cannot be written: {error}\n"
        if sys.stderr is not None:
            sys.stderr.write(said)

    def begin() -> None:
        whole.__enter__()
        # Called last of all exit functions, as it comes first; threads have been waited for then.
        atexit.register(write)

    return begin
