"""ftthreading while a contention profile is taken.

What that costs: `python -m perf run --only lock --impl ftthreading,perf.instruments.profiled`.
"""

from ftthreading import *  # noqa: F403
from ftthreading.diagnostics import profile

measured = profile
