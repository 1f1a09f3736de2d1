"""A contention profile in the formats of other tools: what each shows is time waited, by stack."""

from __future__ import annotations

import itertools
import json
import os
import time

from .._places import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .._places import Place
    from .data import Data, Holds, Waits

    type Stacks = list[tuple[tuple[str | Place, ...], float]]
    """Stacks, outermost first, a string being no line; and seconds."""


def stacks_of(rows: tuple[Waits, ...] | tuple[Holds, ...]) -> Stacks:
    """The rows' stacks with what is waited for, or held, as the innermost frame."""
    found: Stacks = []
    for row in rows:
        last = f"[{row.lock or row.called}]"
        found += [((*reversed(stack), last), total) for stack, total in row.stacks]
    return found


def kinds_of(data: Data) -> Iterator[tuple[str, Stacks]]:
    """The three parts of a profile, each with its name."""
    yield "Waits for locks", stacks_of(data.contended)
    yield "Who made others wait", stacks_of(data.holders)
    yield "Waits for something to happen", stacks_of(data.awaited)


def _shown_first(kinds: list[tuple[str, Stacks]]) -> int:
    """Which of the parts: the first that is not empty."""
    return next((i for i, (_, stacks) in enumerate(kinds) if stacks), 0)


def collapsed(data: Data) -> str:
    """Lines of frames and microseconds, for flamegraph.pl. Waits for locks only."""
    lines = []
    for stack, total in stacks_of(data.contended):
        frames = ";".join(str(frame).replace(";", ":") for frame in stack)
        lines.append(f"{frames} {max(round(total * 1e6), 1)}\n")
    return "".join(sorted(lines))


def speedscope(data: Data) -> str:
    """For speedscope: one profile of each kind."""
    kinds = list(kinds_of(data))
    frames: dict[str | Place, int] = {}
    profiles = [
        {
            "type": "sampled",
            "name": name,
            "unit": "seconds",
            "startValue": 0,
            "endValue": sum(total for _, total in stacks),
            "samples": [
                [frames.setdefault(frame, len(frames)) for frame in stack] for stack, _ in stacks
            ],
            "weights": [total for _, total in stacks],
        }
        for name, stacks in kinds
    ]
    return json.dumps(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "name": "ftthreading: contention",
            "exporter": "ftthreading",
            "activeProfileIndex": _shown_first(kinds),
            "shared": {"frames": [_speedscope_frame(frame) for frame in frames]},
            "profiles": profiles,
        }
    )


def _speedscope_frame(frame: str | Place) -> dict[str, Any]:
    if isinstance(frame, str):
        return {"name": frame}
    line = {"line": frame.line} if frame.line else {}  # 0: not known
    return {"name": frame.function, "file": short(frame.file), **line}


def firefox(data: Data) -> str:
    """For the Firefox profiler, in its processed format: each kind is shown as one thread."""
    kinds = list(kinds_of(data))
    threads = [_firefox_thread(number, *kind) for number, kind in enumerate(kinds)]
    return json.dumps(
        {
            "meta": {
                "interval": 1,
                "startTime": (time.time() - data.seconds) * 1000,
                "processType": 0,
                "product": "ftthreading: contention",
                "stackwalk": 0,
                "version": 27,
                "preprocessedProfileVersion": 48,
                "symbolicated": True,
                "importedFrom": "ftthreading",
                "usesOnlyOneStackType": True,
                "sourceCodeIsNotOnSearchfox": True,
                "initialVisibleThreads": [*range(len(threads))],
                "initialSelectedThreads": [_shown_first(kinds)],
                "keepProfileThreadOrder": True,
                "categories": [{"name": "Other", "color": "grey", "subcategories": ["Other"]}],
                "markerSchema": [],
            },
            "libs": [],
            "threads": threads,
        }
    )


def _firefox_thread(number: int, name: str, stacks: Stacks) -> dict[str, Any]:
    strings: dict[str, int] = {}
    functions: dict[tuple[str, str | None], int] = {}
    frames: dict[str | Place, tuple[int, int | None]] = {}  # function, line
    frame_numbers: dict[str | Place, int] = {}
    nodes: dict[tuple[int | None, int], int] = {}  # prefix, frame

    def string(text: str) -> int:
        return strings.setdefault(text, len(strings))

    ends = []
    for stack, _ in stacks:
        node: int | None = None
        for frame in stack:
            if frame not in frames:
                named = (frame, None) if isinstance(frame, str) else (frame.function, frame.file)
                line = None if isinstance(frame, str) else frame.line
                frames[frame] = (functions.setdefault(named, len(functions)), line)
                frame_numbers[frame] = len(frame_numbers)
            node = nodes.setdefault((node, frame_numbers[frame]), len(nodes))
        ends.append(node)
    weights = [total * 1000 for _, total in stacks]
    # The last sample ends what came before it: a sample has no length in the timeline.
    times = [0.0, *itertools.accumulate(weights)]
    nothing, zeros = [None] * len(frames), [0] * len(frames)
    return {
        "name": name,
        "processType": "default",
        "processName": "ftthreading",
        "processStartupTime": 0,
        "processShutdownTime": None,
        "registerTime": 0,
        "unregisterTime": None,
        "pausedRanges": [],
        "isMainThread": number == 0,
        "pid": str(os.getpid()),
        "tid": number,
        "samples": {
            "length": len(times),
            "stack": [*ends, None],
            "time": times,
            "weight": [*weights, 0],
            "weightType": "tracing-ms",
        },
        "markers": {
            **{column: [] for column in ("data", "name", "startTime", "endTime", "phase")},
            "category": [],
            "length": 0,
        },
        "stackTable": {
            "length": len(nodes),
            "frame": [frame for _, frame in nodes],
            "prefix": [prefix for prefix, _ in nodes],
            "category": [0] * len(nodes),
            "subcategory": [0] * len(nodes),
        },
        "frameTable": {
            "length": len(frames),
            "address": [-1] * len(frames),
            "inlineDepth": zeros,
            "category": zeros,
            "subcategory": zeros,
            "func": [function for function, _ in frames.values()],
            "nativeSymbol": nothing,
            "innerWindowID": zeros,
            "implementation": nothing,
            "line": [line for _, line in frames.values()],
            "column": nothing,
        },
        "funcTable": {
            "length": len(functions),
            "name": [string(function) for function, _ in functions],
            "isJS": [False] * len(functions),
            "relevantForJS": [False] * len(functions),
            "resource": [-1] * len(functions),
            "fileName": [None if file is None else string(file) for _, file in functions],
            "lineNumber": [None] * len(functions),
            "columnNumber": [None] * len(functions),
        },
        "resourceTable": {"length": 0, "lib": [], "name": [], "host": [], "type": []},
        "nativeSymbols": {
            "length": 0,
            "libIndex": [],
            "address": [],
            "name": [],
            "functionSize": [],
        },
        "stringArray": list(strings),
    }
