"""Short stacks: where something was done, kept small and told apart quickly."""

from __future__ import annotations

import linecache
import os
import sys

from ._places import OURS, STANDARD, is_launcher, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    type Stack = tuple[tuple[CodeType, int], ...]
    """Code and line of each frame, the innermost first."""

MOST_FRAMES = 8
MOST_STACKS = 20_000  # that are kept once for all who have the same

_PACKAGES = os.path.join(STANDARD, "site-packages") + os.sep

# The stack, and all code objects that its key has the identities of.
_known: dict[tuple[int, ...], tuple[Stack, list[CodeType]]] = {}


def forget() -> None:
    """Drop what is kept."""
    _known.clear()


def caller() -> Stack:
    """The stack of the program's code that has called us.

    Without our own frames, and without what lies below the program. A stack that is known is found
    by the identities of its code objects, which it keeps alive, and their instructions: to hash a
    code object, or to look up its line, takes longer.
    """
    frames: list[FrameType] = []
    key: list[int] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and len(frames) < MOST_FRAMES:
        code = frame.f_code
        if frames or not code.co_filename.startswith(OURS):
            frames.append(frame)
            key += id(code), frame.f_lasti
        frame = frame.f_back
    where = tuple(key)
    known = _known.get(where)
    if known is not None:
        return known[0]
    places = [(frame.f_code, frame.f_lineno or 0) for frame in frames]
    while len(places) > 1 and is_launcher(places[-1][0]):
        places.pop()
    stack = tuple(places)
    if len(_known) < MOST_STACKS:
        _known[where] = stack, [frame.f_code for frame in frames]
    return stack


def in_library(filename: str) -> bool:
    """Whether the file is one of the interpreter's own modules."""
    return filename.startswith("<frozen ") or (
        filename.startswith(STANDARD) and not filename.startswith(_PACKAGES)
    )


def site(stack: Stack) -> tuple[CodeType, int] | None:
    """The innermost place in the program, or in the interpreter's library if there is none."""
    for place in stack:
        if not in_library(place[0].co_filename):
            return place
    return stack[0] if stack else None


def key(place: tuple[CodeType, int] | None) -> tuple[str, int]:
    """What tells the place from others, and is quickly compared."""
    return ("", 0) if place is None else (place[0].co_filename, place[1])


def where(place: tuple[CodeType, int] | None) -> str:
    """The place as "file:line", with the file's path from where people look."""
    if place is None:
        return "an unknown place"
    code, line = place
    return f"{short(code.co_filename)}:{line}"


def in_words(place: tuple[CodeType, int]) -> str:
    """The place as "file:line, in function" and the source line, where it can be read."""
    code, line = place
    source = linecache.getline(code.co_filename, line).strip()
    name = "" if code.co_name.startswith("<module") else f", in {code.co_qualname}"
    return f"{where(place)}{name}" + (f":  {source}" if source else "")
