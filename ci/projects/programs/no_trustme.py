"""A plugin for suites that make certificates with trustme, where there is no `cryptography`.

Wheels of that are missing for 3.13t, and it takes a Rust compiler to build one. What needs a
certificate is skipped then, on both sides, and the rest runs.
"""

import sys
from types import ModuleType
from unittest import mock

import pytest

REASON = "no cryptography for this interpreter"


class CA:
    def __init__(self, *arguments, **options):
        pytest.skip(REASON)

    @classmethod
    def from_pem(cls, *arguments, **options):
        pytest.skip(REASON)


class LeafCert:
    pass


class Blob:
    pass


try:
    import trustme  # noqa: F401
except ImportError:
    stub = ModuleType("trustme")
    stub.CA, stub.LeafCert, stub.Blob = CA, LeafCert, Blob
    sys.modules["trustme"] = stub
    for name in ("backends", "primitives"):
        sys.modules[f"cryptography.hazmat.{name}"] = mock.MagicMock()
    sys.modules["cryptography.hazmat"] = mock.MagicMock()
    sys.modules["cryptography"] = ModuleType("cryptography")
