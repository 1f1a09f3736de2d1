"""See inside a running program: which locks are contended."""

from __future__ import annotations

from ._profile import Profile as Profile
from ._profile import profile as profile

__all__ = ["Profile", "profile"]
