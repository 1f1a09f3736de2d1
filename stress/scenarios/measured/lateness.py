"""Waits that end late after their time is over, whether or not signals interrupt them.

How late is late, a control says that goes through the same at the same time: only if each of many
waits was later than the latest control, something other than the machine has delayed them.
"""

from __future__ import annotations

import _thread
import functools
import queue
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from ...api.scenario import Actor, OracleFailure, Scenario, actor
from ...targets.inspection import queues_of

MARGIN = 0.004
"""Seconds that any wait may be late."""
AMONG_NEMESES = 0.05
"""Where nemeses break into the target, or take the processors from who does not sleep."""
TRIES = 9
"""Waits in a row that have to be late, each beside a control."""
TIMES = (0.001, 0.002, 0.007, 0.011, 0.017, 0.021, 0.033, 0.04)
"""Seconds, few of them just below what somebody may round up to, or poll at."""
DISTURBANCES = 40
"""How often a wait is disturbed, at most: one that began anew each time ends much later."""

Wait = Callable[[float], Any]


def judge(
    me: Actor,
    stage: Scenario,
    what: str,
    wait: Callable[[], float],
    control: Callable[[], float],
) -> None:
    """Call both, which return how late they were, until a wait was not much later than it all."""
    margin = AMONG_NEMESES if stage.has_nemeses else MARGIN
    late: list[float] = []
    usual: list[float] = []
    while len(late) < TRIES:
        late.append(wait())
        me.did("wait")
        if late[-1] < margin:
            return
        me.saw("late")
        usual.append(control())
        if min(late) < margin + 2 * max(usual):
            return
    raise OracleFailure(
        "lateness",
        f"{what} ended at least {min(late):.4f} s late, {TRIES} times; "
        f"controls at most {max(usual):.4f} s",
    )


def nap(seconds: float) -> float:
    """Sleep; return how much too long."""
    begin = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - begin - seconds


def unfulfilled(target: Any, kind: str, gate: _thread.LockType) -> Wait:
    """Return a wait of this kind that nobody fulfils until `gate` opens."""
    if kind in ("Lock", "RLock"):
        lock = getattr(target, kind)()
        taken = _thread.allocate_lock()
        taken.acquire()

        def hold() -> None:
            with lock:
                taken.release()
                with gate:
                    pass

        _thread.start_new_thread(hold, ())
        taken.acquire()
        return lambda t: lock.acquire(True, t)
    if kind == "Semaphore":
        semaphore = target.Semaphore(0)
        return lambda t: semaphore.acquire(timeout=t)
    if kind == "Event":
        return target.Event().wait  # type: ignore[no-any-return]
    if kind in ("Condition.wait", "Condition.wait_for"):
        condition = target.Condition()

        def wait(t: float) -> Any:
            with condition:
                if kind == "Condition.wait":
                    return condition.wait(t)
                return condition.wait_for(lambda: False, t)

        return wait
    if kind == "Barrier":
        return functools.partial(cross, target)
    if kind == "Thread.join":
        thread = target.Thread(target=gate.acquire, daemon=True)
        thread.start()
        return thread.join  # type: ignore[no-any-return]
    if kind == "Timer":
        return functools.partial(expire, target)
    full = queues_of(target).Queue(1)
    full.put(0)
    empty = queues_of(target).Queue()
    return functools.partial(full_or_empty, full.put if kind == "Queue.put" else empty.get)


KINDS = (
    "Lock",
    "RLock",
    "Semaphore",
    "Event",
    "Condition.wait",
    "Condition.wait_for",
    "Barrier",
    "Thread.join",
    "Timer",
    "Queue.put",
    "Queue.get",
)


def kinds_of(target: Any) -> list[str]:
    """Return the waits that the target has."""
    return [kind for kind in KINDS if kind != "Timer" or hasattr(target, "Timer")]


def cross(target: Any, timeout: float) -> bool:
    """Wait in vain for a second party; return whether it came."""
    try:
        target.Barrier(2).wait(timeout)
    except target.BrokenBarrierError:
        return False
    return True


def expire(target: Any, timeout: float) -> None:
    """Wait until a Timer has fired."""
    timer = target.Timer(timeout, lambda: None)
    timer.start()
    timer.join()


def full_or_empty(call: Callable[..., object], timeout: float) -> bool:
    """Put or get; return whether it could be done."""
    try:
        if call.__name__ == "put":
            call(1, timeout=timeout)
        else:
            call(timeout=timeout)
    except (queue.Full, queue.Empty):
        return False
    return True


class Late(Scenario):
    """Shared: one kind of wait a round."""

    core = False
    measures = True

    def setup(self) -> None:
        self.kind = self.rng.choice(kinds_of(self.target))
        self.timeout = self.rng.choice(TIMES)
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.wait = unfulfilled(self.target, self.kind, self.gate)

    def once(self, me: Actor) -> float:
        """Wait in vain; return how late the end of it was."""
        begin = time.monotonic()
        if me.timed(self.wait, self.timeout):
            raise OracleFailure("result", f"{self.kind} got what nobody has given")
        return time.monotonic() - begin - self.timeout


class LateTimeout(Late):
    """A wait that nobody fulfils ends when its time is over, and not much later."""

    subjects = "Lock RLock Semaphore Condition Event Barrier Thread Queue"
    must_see = frozenset({"timed out"})

    @actor()
    def waiter(self, me: Actor) -> None:
        what = f"{self.kind} of {self.timeout} s"
        judge(me, self, what, lambda: self.once(me), lambda: nap(self.timeout))
        self.gate.release()


class LateAfterSignals(Late):
    """A wait that signals interrupt goes on until its time is over, and does not begin anew."""

    subjects = "Lock RLock Semaphore Condition Event Barrier Thread Queue"
    signals = True
    must_see = frozenset({"timed out", "handled"})

    def setup(self) -> None:
        super().setup()
        self.timeout = max(self.timeout, 0.011)
        self.left = 0
        self.handled = 0
        signal.signal(signal.SIGALRM, self.handler)

    def handler(self, number: int, frame: FrameType | None) -> None:
        self.handled += 1
        self.left -= 1
        if self.left > 0:
            signal.setitimer(signal.ITIMER_REAL, 0.003)

    def disturbed(self, wait: Callable[[], float]) -> float:
        self.left = DISTURBANCES
        signal.setitimer(signal.ITIMER_REAL, 0.003)
        try:
            return wait()
        finally:
            self.left = 0

    @actor(main=True)
    def waiter(self, me: Actor) -> None:
        what = f"{self.kind} of {self.timeout} s, interrupted by signals,"
        judge(
            me,
            self,
            what,
            lambda: self.disturbed(lambda: self.once(me)),
            lambda: self.disturbed(lambda: nap(self.timeout)),
        )
        signal.setitimer(signal.ITIMER_REAL, 0)
        for _ in range(self.handled):
            me.saw("handled")
        self.gate.release()
