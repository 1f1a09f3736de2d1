"""Thread: started once, ended once."""

from __future__ import annotations

import _thread
import atexit
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .counters import Event


class Thread:
    """A thread that others can wait for; those that are no daemons are waited for at exit."""

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        self.name = name or f"golden {id(self):#x}"
        self.daemon = bool(daemon)
        self._call = (target, tuple(args), dict(kwargs or {}))
        self._guard = _thread.allocate_lock()
        self._started = False
        self._ended = Event()
        self._ident: int | None = None

    @property
    def ident(self) -> int | None:
        return self._ident

    def start(self) -> None:
        with self._guard:
            if self._started:
                raise RuntimeError("threads can only be started once")
            self._started = True
        if not self.daemon:
            _waited_for.add(self)
        _thread.start_new_thread(self._live, ())

    def run(self) -> None:
        target, args, kwargs = self._call
        if target is not None:
            target(*args, **kwargs)

    def _live(self) -> None:
        self._ident = _thread.get_ident()
        try:
            self.run()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            _waited_for.discard(self)
            self._ended.set()

    def join(self, timeout: float | None = None) -> None:
        if not self._started:
            raise RuntimeError("cannot join thread before it is started")
        if self._ident == _thread.get_ident():
            raise RuntimeError("cannot join current thread")
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        return self._started and not self._ended.is_set()


_waited_for: set[Thread] = set()


def _wait_for_all() -> None:
    while _waited_for:
        for thread in list(_waited_for):
            thread.join()


atexit.register(_wait_for_all)
