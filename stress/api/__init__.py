"""What the author of a scenario imports."""

from __future__ import annotations

from .scenario import ACCEPTABLE as ACCEPTABLE
from .scenario import FORBIDDEN as FORBIDDEN
from .scenario import INTERESTING as INTERESTING
from .scenario import MANY as MANY
from .scenario import Actor as Actor
from .scenario import Grade as Grade
from .scenario import OracleFailure as OracleFailure
from .scenario import Scenario as Scenario
from .scenario import World as World
from .scenario import actor as actor
