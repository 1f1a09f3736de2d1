"""The stack of a thread that waits, and what is to be read from it.

It is copied while the thread is held in its call (`_stack` in core/inspection/calls.c), so no frame
of it goes on or ends meanwhile, and read from the copy, which takes longer; what is said of a
thread that runs comes from `faulthandler`, which stops all threads for it.
"""

from __future__ import annotations

import ast
import faulthandler
import functools
import linecache
import re
import sys
from dataclasses import dataclass, field
from types import CodeType, FrameType

from ._places import Place, is_launcher, is_library, place

MOST_FRAMES = 200

type Frame = tuple[CodeType, int, dict[str, object], dict[str, object]]
"""What is copied of one frame: its code, line, locals and globals."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What was read of a waiting thread's stack.

    Attributes:
        lines: innermost first, from the program's call on.
        called: the function that the program called, as ``"Queue.get"``; None if the program
            called the primitive itself.
        callee: the object whose method that is; None if it is not known.
        taken: where it took the lock that was asked for; None if that cannot be told.
    """

    lines: tuple[Place, ...] = ()
    called: str | None = None
    callee: object = None
    taken: Place | None = field(default=None)


def read(frames: list[Frame], held: object = None) -> Stack:
    """Read a copied stack, innermost first; `held`: a lock of which to tell where it was taken."""
    lines: list[Place] = []
    above = 0  # frames of the library's, above the program's
    below = 0  # how many there are without those of the library's below all of the program's
    called: str | None = None
    callee: object = None
    taken: Place | None = None
    outside = False
    for frame in frames:
        code, line, names, _ = frame
        if is_launcher(code):
            continue
        lines.append(place(code, line))
        if not is_library(code):
            outside, below = True, len(lines)
        if not outside:
            above += 1
            called = code.co_qualname
            callee = names.get("self")
        elif taken is None and held is not None:
            taken = _where_taken(frame, held)
    # Of a thread of the library's own, all are the library's.
    last = below or len(lines)
    return Stack(tuple(lines[min(above, len(lines) - 1) : last]), called, callee, taken)


# Where a lock was taken is not recorded. But a frame that holds one by `with` stands inside that
# statement, or below a call of acquire(), and what is named there can be looked up.


@functools.lru_cache(maxsize=256)
def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError):
        return None


@functools.lru_cache(maxsize=1024)
def _candidates(code: CodeType, line: int) -> tuple[tuple[ast.expr, int], ...]:
    """The expressions that may have given a lock to a frame that stands at `line`, with theirs."""
    tree = _tree(code.co_filename)
    found: list[tuple[ast.expr, int]] = []
    first = code.co_firstlineno
    for node in ast.walk(tree) if tree is not None else ():
        at = getattr(node, "lineno", 0)
        if not first <= at <= line:
            continue
        if isinstance(node, ast.With) and line <= (node.end_lineno or 0):
            found += [(item.context_expr, item.context_expr.lineno) for item in node.items]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("acquire", "__enter__", "acquire_lock")
        ):
            found.append((node.func.value, at))
    return tuple(sorted(found, key=lambda each: -each[1]))


def _attribute(value: object, name: str) -> object:
    """An attribute of the instance itself, without running any code of the program."""
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return attributes.get(name) if type(attributes) is dict else None


def _value(expression: ast.expr, frame: Frame) -> object:
    """What a name, an attribute or an item stands for, without running any code of the program."""
    match expression:
        case ast.Name(id=name):
            for names in frame[2:]:
                if name in names:
                    return names[name]
        case ast.Attribute(value=inner, attr=name):
            return _attribute(_value(inner, frame), name)
        case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
            items = _value(inner, frame)
            if type(items) in (list, tuple, dict):
                try:
                    return items[key]  # type: ignore[index]
                except (LookupError, TypeError):
                    return None
    return None


def _where_taken(frame: Frame, held: object) -> Place | None:
    code, at, _, _ = frame
    for expression, line in _candidates(code, max(at, 0)):
        value = _value(expression, frame)
        if value is held or _attribute(value, "_lock") is held:
            return place(code, line)
    return None


def running() -> dict[int, list[str]]:
    """The stacks of all threads by ident, as faulthandler tells them: 100 threads at most."""
    import tempfile  # what is loaded before a program cannot be shadowed by it

    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        text = file.read()
    found: dict[int, list[str]] = {}
    for block in text.split("\n\n"):
        head, _, rest = block.partition("\n")
        match = re.match(r"(?:Current thread|Thread) 0x([0-9a-f]+)", head)
        if match is not None:
            found[int(match[1], 16)] = rest.splitlines()
    return found


def frames() -> dict[int, FrameType]:
    return sys._current_frames()
