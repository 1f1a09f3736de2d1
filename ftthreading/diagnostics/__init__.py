"""See inside a running program: who waits for what, which waits never end, or may never end.

::

    from ftthreading import diagnostics

    diagnostics.waits()        # one record for each thread that waits in a primitive
    diagnostics.owner_of(lock) # who holds it
    diagnostics.deadlocks()    # the waits that cannot end
    diagnostics.dump()         # all of it as text, beside each thread's stack

    diagnostics.enable(signal=signal.SIGUSR1)   # the signal prints the dump
    diagnostics.enable(deadlocks="report")      # a deadlock is told within two seconds

    with diagnostics.lock_order() as order:     # locks in orders that can deadlock
        ...
    order.inversions

    with diagnostics.profile() as p:            # which lines wait for locks, and for whom
        ...

or, without a change to the program::

    python -m ftthreading --dump-on=USR1 --deadlocks app.py
    python -m ftthreading --lock-order app.py

Seen are the waits in primitives of ftthreading, those made by its drop-in included, and in
`Thread.join`. Not seen are waits in the interpreter's own locks (``_thread.allocate_lock()``, what
`queue.SimpleQueue` is made of), for input, and for other processes.

All functions may be called from any thread and from signal handlers, while others run. They take no
lock that a program could hold, and read what they need without stopping anybody, but for stacks:
these are read as `sys._current_frames` and `faulthandler` do.
"""

from ._deadlocks import Deadlock as Deadlock
from ._deadlocks import deadlocks as deadlocks
from ._dump import dump as dump
from ._enable import DEADLOCK_EXIT_CODE as DEADLOCK_EXIT_CODE
from ._enable import DeadlockError as DeadlockError
from ._enable import disable as disable
from ._enable import enable as enable
from ._lock_order import LOCK_ORDER_EXIT_CODE as LOCK_ORDER_EXIT_CODE
from ._lock_order import LockOrder as LockOrder
from ._lock_order import lock_order as lock_order
from ._lock_order_report import Inversion as Inversion
from ._places import Place as Place
from ._waits import Owner as Owner
from ._waits import Wait as Wait
from ._waits import owner_of as owner_of
from ._waits import waits as waits
from .contention.profile import Profile as Profile
from .contention.profile import profile as profile

__all__ = [
    "DEADLOCK_EXIT_CODE",
    "LOCK_ORDER_EXIT_CODE",
    "Deadlock",
    "DeadlockError",
    "Inversion",
    "LockOrder",
    "Owner",
    "Place",
    "Profile",
    "Wait",
    "deadlocks",
    "disable",
    "dump",
    "enable",
    "lock_order",
    "owner_of",
    "profile",
    "waits",
]

# Where they are to be found, and pickled from.
for _each in (Deadlock, DeadlockError, Inversion, LockOrder, Owner, Place, Profile, Wait):
    _each.__module__ = __name__
del _each
