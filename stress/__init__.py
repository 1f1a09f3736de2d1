"""A harness that hammers any `threading`-shaped module and shows what it finds.

``python -m stress`` in a checkout, ``python -m ftthreading.stress`` where ftthreading is installed.
The names here are those of `stress.api`: what a scenario file of one's own needs (``run --scenarios
FILE``); and `check`, the short form. It imports them from `ftthreading.stress`, in both.

The rooms, from the ground up; imports run down only (a test has the floors):

- api: what a scenario is; records: what is kept; processes: what the kernel says of a child;
  targets: what can be tested, the golden reference and its mutants among it
- nemeses: what disturbs; linearizability: histories, models, the checker
- scenarios: the shipped ones
- engine: runs a plan, batch after batch, each in a child that is watched
- mutation: which mutants are killed, by whom
- cli: the commands and what they write

The referee never uses what it tests: it starts threads by `_thread`, waits on `_thread.lock`
and on files, and watches from another process.
"""

from __future__ import annotations

import sys

from .api import ACCEPTABLE as ACCEPTABLE
from .api import FORBIDDEN as FORBIDDEN
from .api import INTERESTING as INTERESTING
from .api import MANY as MANY
from .api import Actor as Actor
from .api import Grade as Grade
from .api import OracleFailure as OracleFailure
from .api import Scenario as Scenario
from .api import World as World
from .api import actor as actor
from .engine.checking import Found as Found
from .engine.checking import check as check

# So that a scenario's `from ftthreading.stress import ...` means this very module, and does not
# import the package `ftthreading`, after which `threading` would be tested with a mended Thread.
if __name__ == "stress":
    sys.modules["ftthreading.stress"] = sys.modules[__name__]
