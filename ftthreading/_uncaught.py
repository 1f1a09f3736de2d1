"""Show an exception that escaped the program as if the launcher were not there.

While an exception leaves, each frame it passes adds itself to the traceback. So the traceback can
be cut only after the last frame, when the interpreter calls `sys.excepthook`: that is replaced for
this one call by a function that cuts, puts the program's own hook back and calls it. The rest, from
`sys.last_exc` to the exit code, is left to the interpreter.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


def hide_launcher(
    exception: BaseException,
    launcher: dict[str, object],
    program: dict[str, object],
    leftovers: list[str],
) -> None:
    """Have an exception that is about to leave the interpreter shown without the launcher.

    `launcher` is the namespace of the code whose frames are dropped, with all that called it.
    `leftovers` are names that `program`, the program's namespace, loses after that.
    """
    traceback = exception.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals is launcher:
        traceback = traceback.tb_next
    missing = not hasattr(sys, "excepthook")
    hook: Callable[..., object] = getattr(sys, "excepthook", sys.__excepthook__)

    def excepthook(
        kind: type[BaseException], value: BaseException, trace: TracebackType | None
    ) -> None:
        if value is not exception:  # somebody else's call, from another thread
            hook(kind, value, trace)
            return
        if missing:
            del sys.excepthook
        elif sys.excepthook is excepthook:
            sys.excepthook = hook
        value.__traceback__ = sys.last_traceback = traceback
        if missing:
            _write_error("sys.excepthook is missing\n")
            sys.__excepthook__(kind, value, traceback)
        else:
            _call_hook(hook, kind, value, traceback)
        for name in leftovers:
            program.pop(name, None)

    sys.excepthook = excepthook


def _call_hook(
    hook: Callable[..., object],
    kind: type[BaseException],
    value: BaseException,
    traceback: TracebackType | None,
) -> None:
    """Call the program's hook, and if that fails report both as the interpreter would."""
    failure = None
    try:
        hook(kind, value, traceback)
    except SystemExit:
        raise
    except BaseException as exception:
        failure = exception
    if failure is not None:
        inner = failure.__traceback__
        inner = inner.tb_next if inner is not None else None
        _write_error("Error in sys.excepthook:\n")
        sys.__excepthook__(type(failure), failure.with_traceback(inner), inner)
        _write_error("\nOriginal exception was:\n")
        sys.__excepthook__(kind, value, traceback)


def _write_error(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)
