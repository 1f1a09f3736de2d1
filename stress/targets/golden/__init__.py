"""The golden reference: a small `threading` in Python that is right rather than fast.

Each primitive has one lock for its own state and a queue of waiters, first in, first out; each
waiter sleeps on a `_thread.lock` of its own. Whoever grants says so in the waiter, under the
primitive's lock; so a waiter that gives up knows whether it was granted in the last moment. It is
what a harness must find nothing in, and what `stress.targets.mutants` plants bugs into.
"""

from __future__ import annotations

from _thread import TIMEOUT_MAX as TIMEOUT_MAX
from _thread import get_ident as get_ident
from _thread import get_native_id as get_native_id
from threading import BrokenBarrierError as BrokenBarrierError
from threading import local as local

from .barriers import Barrier as Barrier
from .conditions import Condition as Condition
from .counters import BoundedSemaphore as BoundedSemaphore
from .counters import Event as Event
from .counters import Semaphore as Semaphore
from .locks import Lock as Lock
from .locks import RLock as RLock
from .queues import Queue as Queue
from .threads import Thread as Thread
from .waiting import interruptible as interruptible

PARTS = tuple(
    f"{__name__}.{part}"
    for part in ("waiting", "locks", "conditions", "counters", "barriers", "queues", "threads")
)
"""The modules that it consists of, each of which needs only earlier ones."""
