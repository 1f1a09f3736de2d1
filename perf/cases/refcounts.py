"""References that a call takes on a lock made by another thread: none means no fight over them.

However fast a lock is, threads that call it fight over its reference count where each call takes
a reference. So each way to name a lock is walked once by a thread that did not make the object,
and the others' count is read in the middle of the call: in a probe by its own method, in a real
lock by the thread that holds it while the caller sleeps (Linux). The code is warm: 400 calls
before, by the same thread.
"""

import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from perf import native
from perf.instruments.implementations import Implementation
from toolkit.progress import Progress

native.load("_probe")

from perf.native._probe import DEFERS, Probe, Watch  # noqa: E402

WARM_CALLS = 400
LIMIT_SECONDS = 30.0

# A namespace of its own for each object, so that nothing the interpreter learns is shared.
SOURCE = """
class Holder: pass
c = Holder()
items = [None]

def bind(lock):
    global G
    G = c.lock = items[0] = lock

def global_call(): G.acquire(); G.release()
def global_with():
    with G: pass
def attribute_call(): c.lock.acquire(); c.lock.release()
def attribute_with():
    with c.lock: pass
def closure(lock):
    def call(): lock.acquire(); lock.release()
    return call
def item_call(): items[0].acquire(); items[0].release()
"""
PATHS = {
    "global_call": "G.m()",
    "global_with": "with G",
    "attribute_call": "c.lock.m()",
    "attribute_with": "with c.lock",
    "closure": "closure: l.m()",
    "item_call": "items[0].m()",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """References taken by one walk of each path, in the order of PATHS."""

    name: str
    taken: dict[str, int]


class Walker:
    """The other thread: does one thing after the other, and shows whether it sleeps."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._begun = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._begun = True
            try:
                job()
                self._done.put(None)
            except BaseException as error:
                self._done.put(error)

    def start(self, job: Callable[[], Any]) -> None:
        """Have the job done; `finish` must follow."""
        self._begun = False
        self._jobs.put(job)

    def finish(self) -> None:
        """Wait for the job; raise what it raised, or queue.Empty after too long a time."""
        if error := self._done.get(timeout=LIMIT_SECONDS):
            raise error

    def run(self, job: Callable[[], Any]) -> None:
        """Have the job done and wait for it."""
        self.start(job)
        self.finish()

    def wait_asleep(self) -> None:
        """Return once the job sleeps in the kernel, three looks in a row. Raises TimeoutError."""
        deadline = time.monotonic() + LIMIT_SECONDS
        seen = 0
        while seen < 3:
            if time.monotonic() > deadline:
                raise TimeoutError("the caller of a held lock does not go to sleep")
            seen = seen + 1 if self._begun and self._state() == "S" else 0
            time.sleep(0.003)

    def _state(self) -> str:
        # psutil knows the states of processes, not of their threads.
        with open(f"/proc/self/task/{self._thread.native_id}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]

    def close(self) -> None:
        """Let the thread end."""
        self._jobs.put(None)


def repeat(call: Callable[[], Any]) -> None:
    for _ in range(WARM_CALLS):
        call()


class WalkedPath:
    """One namespace with the paths in it, and the one path that is walked."""

    def __init__(self, path: str) -> None:
        self._names: dict[str, Any] = {}
        self._path = path
        exec(SOURCE, self._names)

    def bind(self, lock: Any) -> Callable[[], Any]:
        """Put the lock where all paths find it; return the function that walks this path."""
        self._names["bind"](lock)
        found: Callable[..., Any] = self._names[self._path]
        return found(lock) if self._path == "closure" else found


def of_probe(walker: Walker, path: str, kind: str) -> int:
    """Return the references that a call of a probe takes."""
    probe = Probe(kind)
    watch = Watch(probe)
    call = WalkedPath(path).bind(probe)
    walker.run(lambda: repeat(call))
    before = watch.counts()[1]
    walker.run(call)
    return int(probe.shared - before)


def of_lock(walker: Walker, path: str, lock: Any, spare: Any) -> int:
    """Return the references that a blocked acquire takes; warm the code up on `spare`.

    One that a sleeper holds to what it sleeps on is among them, with ftthreading: it is taken where
    a sleep follows, so it is not what threads fight over.
    """
    place = WalkedPath(path)
    warm = place.bind(spare)
    walker.run(lambda: repeat(warm))
    watch = Watch(lock)
    call = place.bind(lock)
    lock.acquire()
    before = watch.counts()[1]
    walker.start(call)
    try:
        walker.wait_asleep()
        return int(watch.counts()[1] - before)
    finally:
        lock.release()
        walker.finish()


def rows(walker: Walker, implementations: list[Implementation]) -> Iterator[tuple[str, Any]]:
    """Yield a row's name and the function that measures one path for it."""
    for kind in ("plain", "immortal", *(("deferred",) if DEFERS else ())):
        yield f"probe, {kind}", lambda path, kind=kind: of_probe(walker, path, kind)
    for side in implementations:
        make = side.module.Lock  # the type itself: a function of ours would stand in between
        yield (
            f"{side.name}.Lock, new",
            lambda path, make=make: of_lock(walker, path, make(), make()),
        )

        def used(path: str, make: Callable[[], Any] = make) -> int:
            lock = make()
            return of_lock(walker, path, lock, lock)

        yield f"{side.name}.Lock, used {WARM_CALLS} times by another thread", used


def measure(implementations: list[Implementation]) -> list[Row]:
    """Measure all rows. Raises TimeoutError or queue.Empty where a call does not end."""
    progress = Progress(2 + DEFERS + 2 * len(implementations))
    walker = Walker()
    found: list[Row] = []
    try:
        for name, taken in rows(walker, implementations):
            progress.show(len(found), name)
            found.append(Row(name, {path: taken(key) for key, path in PATHS.items()}))
    finally:
        walker.close()
        progress.clear()
    return found
