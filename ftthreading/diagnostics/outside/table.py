"""The table by which another process's waiters and threads are found: core/inspection/offsets.c."""

from __future__ import annotations

import re
import struct
import sys

from .memory import UNLIKE, WITHOUT, Astray, ProcessMemory, Refused

MAGIC = b"ftthreading tabl"
VERSION = 2
"""Of what follows the header; as in offsets.c."""

_HEADER = struct.Struct("=16s6I")
_ADDRESSES = ("self", "waiters", "threads", "forks", "lock_dealloc", "rlock_dealloc")
_OFFSETS = (
    *("waiter_size", "waiter_next", "waiter_owner", "waiter_key", "waiter_call"),
    *("call_state", "call_live", "call_reacquires", "call_object", "call_ident", "call_began"),
    "call_until",
    *("thread_size", "thread_next", "thread_id", "thread_ident", "thread_native_id"),
    *("thread_object", "thread_name", "thread_name_room"),
    *("object_type", "type_name", "type_base", "type_dealloc"),
    *("lock_in_object", "lock_word", "lock_locked", "lock_holder"),
    *("rlock_in_object", "rlock_lock", "rlock_owner", "rlock_count"),
    *("condition_lock", "condition_rlock"),
)
_POINTER = struct.calcsize("P")
_BODY = struct.Struct(f"={len(_ADDRESSES)}{'Q' if _POINTER == 8 else 'I'}{len(_OFFSETS)}I")
_SIZE = -(-(_HEADER.size + _BODY.size) // _POINTER) * _POINTER
_MOST_BYTES = 4096
"""No size or offset in our structures comes near; what exceeds it is no table."""

_LIBRARY = re.compile(r"/ftthreading/_core[^/]*\.so( \(deleted\))?$")


class Table:
    """Addresses and offsets in one process, as attributes named as in offsets.c."""

    def __init__(self, process: ProcessMemory, address: int, data: bytes) -> None:
        self.at = address
        self.data = data
        self.python: int
        self.free_threaded: int
        self.python, self.free_threaded = _HEADER.unpack_from(data)[5:]
        self._numbers: dict[str, int] = dict(
            zip((*_ADDRESSES, *_OFFSETS), _BODY.unpack_from(data, _HEADER.size), strict=True)
        )
        if any(self._numbers[name] > _MOST_BYTES for name in _OFFSETS):
            raise _unlike(process, "a table that makes no sense")

    def __getattr__(self, name: str) -> int:
        try:
            return self._numbers[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def python_version(self) -> str:
        """Of the Python for which that ftthreading was built, as people write it."""
        return f"{self.python >> 24}.{self.python >> 16 & 0xFF}"


def _unlike(process: ProcessMemory, what: str) -> Refused:
    python = process.python()
    return Refused(
        f"process {process.pid} has {what}, and this is ftthreading's table version {VERSION}:"
        f" use the ftthreading that it runs on, by `{python} -m ftthreading dump {process.pid}`",
        UNLIKE,
    )


def _check(process: ProcessMemory, data: bytes) -> None:
    _, order, version, size, pointer_size, _, _ = _HEADER.unpack_from(data)
    if order != 0x01020304 or pointer_size != _POINTER:
        raise Refused(
            f"process {process.pid} runs an ftthreading for another kind of processor than this"
            " Python: run this with a Python of that kind",
            UNLIKE,
        )
    if version != VERSION:
        raise _unlike(process, f"an ftthreading of table version {version}")
    if size != _SIZE:
        raise _unlike(process, f"a table of {size} bytes")


def find_table(process: ProcessMemory) -> Table:
    """Find the table of the ftthreading that the process has loaded. Raises Refused."""
    found = False
    for begin, end, permissions, file in process.mappings():
        if not _LIBRARY.search(file):
            continue
        found = True
        if not permissions.startswith("r") or "x" in permissions:
            continue
        try:
            data = process.read(begin, end - begin)
        except Astray:
            continue
        at = data.find(MAGIC)
        while at >= 0:
            header = data[at : at + _HEADER.size]
            body = data[at + _HEADER.size : at + _HEADER.size + _POINTER]
            # The table knows where it is; a copy of the magic words, or of the file, does not.
            if len(header) == _HEADER.size and body == (begin + at).to_bytes(
                len(body), sys.byteorder
            ):
                _check(process, header)
                return Table(process, begin + at, data[at : at + _SIZE])
            at = data.find(MAGIC, at + 1)
    process.check()
    if found:
        raise _unlike(process, "an ftthreading without a table that could be found")
    raise Refused(
        f"process {process.pid} ({process.thread_name(process.pid)}) does not run ftthreading:"
        " no ftthreading/_core*.so is loaded there; start it by `python -m ftthreading`",
        WITHOUT,
    )
