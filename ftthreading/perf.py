"""The measurements: ``python -m ftthreading.perf``, which is ``python -m perf`` in a checkout."""

from __future__ import annotations

import sys

import ftthreading_tools

if __name__ == "__main__":
    ftthreading_tools.run("perf")
else:
    sys.modules[__name__] = ftthreading_tools.load("perf")
