"""What differs from one version of `threading` to the next, in one place."""

import sys

# Condition offers its lock's locked() from 3.14 on.
CONDITION_HAS_LOCKED = sys.version_info >= (3, 14)
