"""Python's `threading`, built anew for free-threaded CPython: the public namespace.

Locks, conditions, semaphores, events and barriers are ftthreading's own. Threads are the
interpreter's, with a start() that is mended in their class when this module is imported.

PYTEST_DONT_REWRITE: pytest rewrites what brings a plugin, and warns where it was imported before.
"""

from __future__ import annotations

import sys
import threading
from threading import TIMEOUT_MAX as TIMEOUT_MAX
from threading import BrokenBarrierError as BrokenBarrierError
from threading import ExceptHookArgs as ExceptHookArgs
from threading import Thread as Thread
from threading import ThreadError as ThreadError
from threading import Timer as Timer
from threading import active_count as active_count
from threading import activeCount as activeCount
from threading import currentThread as currentThread
from threading import enumerate as enumerate
from threading import get_ident as get_ident
from threading import getprofile as getprofile
from threading import gettrace as gettrace
from threading import local as local
from threading import main_thread as main_thread
from threading import setprofile as setprofile
from threading import setprofile_all_threads as setprofile_all_threads
from threading import settrace as settrace
from threading import settrace_all_threads as settrace_all_threads
from threading import stack_size as stack_size

try:
    from ._core import Lock as Lock
except ModuleNotFoundError:
    # Run from a checkout: the compiled half is in the installed package of the same name.
    # (pkgutil.extend_path does this too, but imports much.)
    import os

    __path__ = [*__path__, *(os.path.join(entry, __name__) for entry in sys.path)]
    from ._core import Lock as Lock

from . import _inside as _inside
from . import _methods as _methods  # before anybody makes one of them
from ._core import Barrier as Barrier
from ._core import BoundedSemaphore as BoundedSemaphore
from ._core import Condition as Condition
from ._core import Event as Event
from ._core import RLock as RLock
from ._core import Semaphore as Semaphore
from ._cpython import KNOWN
from ._install import install as install
from ._install import uninstall as uninstall
from ._live import LiveModule, live
from ._status import Status as Status
from ._status import status as status

TYPE_CHECKING = False
if KNOWN or TYPE_CHECKING:
    from ._thread import current_thread as current_thread
else:
    from threading import current_thread as current_thread

try:
    from ._core import get_native_id as get_native_id

    get_native_id.__module__ = __name__
except ImportError:  # this system does not tell
    pass

if TYPE_CHECKING:
    from threading import excepthook as excepthook
    from typing import Any

    if sys.version_info >= (3, 15):
        from threading import concurrent_tee as concurrent_tee
        from threading import serialize_iterator as serialize_iterator
        from threading import synchronized_iterator as synchronized_iterator

__version__ = "0.1.0"

# Names that only some versions have, and `excepthook`, which programs set, come through
# __getattr__.
if TYPE_CHECKING:
    __all__ = [
        "TIMEOUT_MAX",
        "Barrier",
        "BoundedSemaphore",
        "BrokenBarrierError",
        "Condition",
        "Event",
        "ExceptHookArgs",
        "Lock",
        "RLock",
        "Semaphore",
        "Thread",
        "ThreadError",
        "Timer",
        "active_count",
        "current_thread",
        "enumerate",
        "excepthook",
        "get_ident",
        "get_native_id",
        "getprofile",
        "gettrace",
        "local",
        "main_thread",
        "setprofile",
        "setprofile_all_threads",
        "settrace",
        "settrace_all_threads",
        "stack_size",
    ]
    if sys.version_info >= (3, 15):
        __all__ += ["concurrent_tee", "serialize_iterator", "synchronized_iterator"]
else:
    __all__ = list(threading.__all__)


def __getattr__(name: str) -> Any:
    return live(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = LiveModule
