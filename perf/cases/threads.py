"""What it costs to start a thread, to ask which thread one is, and what else goes by threads.

Wall time: between start() and the first line of run() lie the kernel and the scheduler, which are
the same for all sides and much of the whole. How much shows the floor: a thread that is made by
the interpreter's `_thread` and known to nobody, and a C method that does nothing.
"""

import _thread
import itertools
import time
import types
from collections.abc import Callable
from typing import Any

from perf import native
from perf.instruments.bench import Axes, Bench, Family, Sample
from perf.instruments.implementations import Implementation
from perf.results.case import FLOOR, Case

WINDOWS = 3


class Bare:
    """A thread as `_thread` makes it: no registry, no name, no hooks, no handshake."""

    def __init__(self, target: Callable[[], object] = int) -> None:
        self.target = target

    def start(self) -> None:
        """Make a thread that runs the target."""
        self.handle = _thread.start_joinable_thread(self.target)

    def join(self) -> None:
        """Wait for its end."""
        self.handle.join()


def bare() -> Implementation:
    """Return the floor."""
    nothing = native.Floor().is_set
    names = dict.fromkeys(("current_thread", "get_native_id", "get_ident"), nothing)
    return Implementation(FLOOR, types.SimpleNamespace(Thread=Bare, **names))


Measure = Callable[[Implementation, int], float]  # how often -> seconds for one


def start_alone(side: Implementation, times: int) -> float:
    """Until start() returns."""
    took = 0.0
    for _ in itertools.repeat(None, times):
        thread = side.module.Thread()
        begin = time.perf_counter()
        thread.start()
        took += time.perf_counter() - begin
        thread.join()
    return took / times


def until_it_runs(side: Implementation, times: int) -> float:
    took = 0.0
    ran: list[float] = []
    for _ in itertools.repeat(None, times):
        thread = side.module.Thread(target=lambda: ran.append(time.perf_counter()))
        begin = time.perf_counter()
        thread.start()
        thread.join()
        took += ran.pop() - begin
    return took / times


def start_and_join(side: Implementation, times: int) -> float:
    begin = time.perf_counter()
    for _ in itertools.repeat(None, times):
        thread = side.module.Thread()
        thread.start()
        thread.join()
    return (time.perf_counter() - begin) / times


def hundred(side: Implementation, times: int) -> float:
    """One is to make, start and join 100 threads."""
    begin = time.perf_counter()
    for _ in itertools.repeat(None, times):
        threads = [side.module.Thread() for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return (time.perf_counter() - begin) / times


def local(access: Callable[[Any], None]) -> Measure:
    """Use an attribute of a `local` in a thread of the side's own."""

    def measure(side: Implementation, times: int) -> float:
        here = side.module.local()
        took: list[float] = []

        def run() -> None:
            here.x = 1
            begin = time.perf_counter()
            for _ in itertools.repeat(None, times):
                access(here)
            took.append((time.perf_counter() - begin) / times / 4)

        thread = side.module.Thread(target=run)
        thread.start()
        thread.join()
        return took[0]

    return measure


def read_four(here: Any) -> None:
    _ = here.x
    _ = here.x
    _ = here.x
    _ = here.x


def write_four(here: Any) -> None:
    here.x = here.x = here.x = here.x = 1


def timer_cancelled(side: Implementation, times: int) -> float:
    """One is to make, start, cancel and join a timer that would wait for a long time."""
    begin = time.perf_counter()
    for _ in itertools.repeat(None, times):
        timer = side.module.Timer(1000, int)
        timer.start()
        timer.cancel()
        timer.join()
    return (time.perf_counter() - begin) / times


def timer_fired(side: Implementation, times: int) -> float:
    """One is to make and start a timer of no delay, and to join it."""
    begin = time.perf_counter()
    for _ in itertools.repeat(None, times):
        timer = side.module.Timer(0, int)
        timer.start()
        timer.join()
    return (time.perf_counter() - begin) / times


def calls(name: str) -> Measure:
    """Ask in a thread of the side's own."""

    def measure(side: Implementation, times: int) -> float:
        function = getattr(side.module, name)
        took: list[float] = []

        def run() -> None:
            ask = function
            begin = time.perf_counter()
            for _ in itertools.repeat(None, times):
                ask()
                ask()
                ask()
                ask()
            took.append((time.perf_counter() - begin) / times / 4)

        thread = side.module.Thread(target=run)
        thread.start()
        thread.join()
        return took[0]

    return measure


# How often one window does it, where a short window lasts as long as in the tier `gate`.
MEASURES: dict[str, tuple[Measure, int]] = {
    "thread.start": (start_alone, 300),
    "thread.until_it_runs": (until_it_runs, 300),
    "thread.start_join": (start_and_join, 300),
    "thread.start_join_100": (hundred, 3),
    "thread.current_thread": (calls("current_thread"), 50_000),
    "thread.get_native_id": (calls("get_native_id"), 50_000),
    "thread.get_ident": (calls("get_ident"), 50_000),
    "local.read": (local(read_four), 50_000),
    "local.write": (local(write_four), 50_000),
    "timer.cancelled": (timer_cancelled, 100),
    "timer.fired": (timer_fired, 100),
}
WINDOW_SECONDS = 0.02
FLOORED = {name for name in MEASURES if name.startswith("thread.")}


def name_of(case: Case) -> str:
    return f"{case.primitive}.{case.operation}"


def measure(bench: Bench, case: Case, side: Implementation) -> Sample:
    """Measure one of MEASURES in some windows."""
    one, times = MEASURES[name_of(case)]
    if side.name == FLOOR:
        side = bare()
    times = max(1, round(times * min(1.0, bench.short / WINDOW_SECONDS)))
    one(side, max(1, times // 10))
    return Sample([one(side, times) for _ in range(WINDOWS)])


def cases(_axes: Axes) -> list[Case]:
    pairs = (name.split(".") for name in MEASURES)
    return [Case(primitive, operation, "thread") for primitive, operation in pairs]


def references(case: Case) -> tuple[str, ...]:
    return (FLOOR,) if name_of(case) in FLOORED else ()


FAMILY = Family("thread", cases, measure, references)
