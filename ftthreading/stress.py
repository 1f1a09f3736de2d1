"""The harness: ``python -m ftthreading.stress``, and what a scenario imports.

``from ftthreading.stress import Scenario`` gives a name of the module `stress`, both in a checkout
and where ftthreading is installed.
"""

from __future__ import annotations

import sys

import ftthreading_tools

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Where it is installed, for type checkers; they know of no other.
    from ftthreading_tools.stress import *  # noqa: F403

if __name__ == "__main__":
    ftthreading_tools.run("stress")
else:
    sys.modules[__name__] = ftthreading_tools.load("stress")
