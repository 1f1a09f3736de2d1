"""A harness that hammers any `threading`-shaped module and shows what it finds.

Run from a checkout as ``python -m stress``; not part of the wheel. The names here are what a
scenario file of one's own needs (``run --scenarios FILE``).

The referee never uses what it tests: it starts threads by `_thread`, waits on `_thread.lock`
and on files, and watches from another process.
"""

from __future__ import annotations

from .scenario import ACCEPTABLE as ACCEPTABLE
from .scenario import FORBIDDEN as FORBIDDEN
from .scenario import INTERESTING as INTERESTING
from .scenario import MANY as MANY
from .scenario import Actor as Actor
from .scenario import Breach as Breach
from .scenario import Grade as Grade
from .scenario import Scenario as Scenario
from .scenario import World as World
from .scenario import actor as actor
