"""How a call ends, so that ours and threading's can be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def outcome(function: Callable[..., Any], *args: object, **kwargs: object) -> Any:
    """What a call came to: its result, or the type and the text of its exception."""
    try:
        return function(*args, **kwargs)
    except Exception as exception:
        # Functions of C and of Python word a wrong number of arguments differently, and what
        # is too much for a clock is said in several ways.
        told = not isinstance(exception, (TypeError, OverflowError))
        text = str(exception) if told else ""
        return type(exception), text
