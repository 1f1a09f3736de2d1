"""The memory of another process of Linux, read while it runs, and what /proc says of it.

The process is neither stopped nor changed: `process_vm_readv`, or `/proc/PID/mem` where the
C library or the kernel does not have it, copies bytes as they are at that moment. What is read may
be half written; whoever reads says how it can tell.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    type Copy = Callable[[int, int, int], bytes]

USAGE, GONE, FORBIDDEN, WITHOUT, UNLIKE, CHANGING, ELSEWHERE = 2, 3, 4, 5, 6, 7, 8
"""Exit codes, for a `Refused`; docs/diagnostics.md says what each means."""

PAGE = 4096
"""No system has smaller pages: a read within so many aligned bytes succeeds or fails whole."""


class Refused(Exception):
    """A sentence that says why the process cannot be looked at, and what to do; an exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


class Astray(Exception):
    """There is no memory at the address: what led there has changed meanwhile."""


class ProcessMemory:
    """Another process, bound to the one that has the PID now."""

    def __init__(self, pid: int) -> None:
        if not sys.platform.startswith("linux"):
            raise Refused("this works on Linux only: elsewhere use a dump on a signal", ELSEWHERE)
        if not os.path.exists("/proc/self/maps"):
            raise Refused("/proc is not mounted here: it is needed to find the process", ELSEWHERE)
        self.pid = pid
        self.proc: Path = Path("/proc", str(pid))
        self._copy: Copy = _copy_by_call() or _copy_by_file
        self._born = self._stat()[19]
        self._check_word_size()

    def _stat(self) -> list[str]:
        """The fields of /proc/PID/stat from the third on."""
        try:
            return (self.proc / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            raise self.gone() from None

    def gone(self) -> Refused:
        """What to raise once the process has been found to be no more."""
        if hasattr(self, "_born"):
            return Refused(f"process {self.pid} has ended while it was read", GONE)
        return Refused(f"there is no process {self.pid}: look for it with ps or pgrep", GONE)

    def check(self) -> None:
        """Raise Refused if it has ended, or another has got its PID."""
        fields = self._stat()
        if fields[19] != self._born or fields[0] in "XZ":
            raise self.gone()

    def _check_word_size(self) -> None:
        """Addresses of 64 bits do not fit into a reader of 32, nor the layout the other way."""
        try:
            with (self.proc / "exe").open("rb") as file:
                head = file.read(5)
        except OSError:
            return  # what is not permitted is said when it is read
        bits, mine = {1: 32, 2: 64}.get(head[4] if len(head) > 4 else 0), 8 * struct.calcsize("P")
        if bits is not None and bits != mine:
            raise Refused(
                f"process {self.pid} has {bits} bits and this Python has {mine}:"
                f" run this with a Python of {bits} bits",
                UNLIKE,
            )

    def read(self, address: int, size: int) -> bytes:
        """Copy `size` bytes. Raises Astray where there are none, Refused if it may not."""
        try:
            data = self._copy(self.pid, address, size)
        except OSError as error:
            if error.errno == errno.ENOSYS and self._copy is not _copy_by_file:
                self._copy = _copy_by_file
                return self.read(address, size)
            if error.errno in (errno.ESRCH, errno.ENOENT):
                raise self.gone() from None
            if error.errno in (errno.EPERM, errno.EACCES):
                raise self.forbidden() from None
            raise Astray(f"{address:#x}") from None
        if len(data) < size:
            self.check()
            raise Astray(f"{address:#x}")
        return data

    def read_text(self, address: int, room: int = 256) -> str:
        """Copy text that a NUL ends, cut after `room` bytes."""
        data = b""
        while b"\0" not in data and len(data) < room:
            start = address + len(data)
            data += self.read(start, min(room - len(data), PAGE - start % PAGE))
        return printable(data.partition(b"\0")[0].decode("utf-8", "replace"))

    def mappings(self) -> Iterator[tuple[int, int, str, str]]:
        """Begin, end, permissions and file of each part of its memory."""
        try:
            lines = (self.proc / "maps").read_text("utf-8", "surrogateescape").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            raise self.gone() from None
        except PermissionError:
            raise self.forbidden() from None
        for line in lines:
            span, permissions, _, _, _, *file = line.split(None, 5)
            begin, _, end = span.partition("-")
            yield int(begin, 16), int(end, 16), permissions, file[0] if file else ""

    def forbidden(self) -> Refused:
        """Why the kernel may have refused, and the way around."""
        it, uid = f"process {self.pid}", os.geteuid()
        try:
            owner = self.proc.stat().st_uid
        except OSError:
            return self.gone()
        theirs = self._uid()
        if uid != 0 and theirs is not None and theirs != uid:
            sentence = (
                f"{it} belongs to user {_user(theirs)} and you are {_user(uid)}:"
                " run this as that user or as root"
            )
        elif uid != 0 and _ptrace_scope() > 0:
            sentence = (
                f"the kernel forbids to read {it}, as you are not its ancestor"
                f" (kernel.yama.ptrace_scope is {_ptrace_scope()}): run this as root, or set that"
                " to 0"
            )
        elif uid != 0 and owner != uid:
            sentence = (
                f"the kernel forbids to read {it}, which has changed its user or was given"
                " capabilities: run this as root"
            )
        else:
            sentence = (
                f"the kernel forbids to read {it}: run this as root outside of any sandbox, or"
                " give the container the capability SYS_PTRACE"
            )
        return Refused(sentence, FORBIDDEN)

    def _uid(self) -> int | None:
        uid = self.status(self.proc / "status").get("Uid", "").split()
        return int(uid[0]) if uid else None

    @staticmethod
    def status(file: Path) -> dict[str, str]:
        """The lines of a /proc/.../status; none if the process or thread has ended."""
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError:
            return {}
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def threads(self) -> list[int]:
        """The native ids of all its threads, as they are seen from here."""
        try:
            return sorted(int(name) for name in os.listdir(self.proc / "task"))
        except OSError:
            raise self.gone() from None

    def thread_name(self, native_id: int) -> str:
        """What the kernel calls a thread; empty if it has ended."""
        try:
            name = (self.proc / "task" / str(native_id) / "comm").read_text("utf-8", "replace")
        except OSError:
            return ""
        return printable(name.rstrip("\n"))

    def thread_state(self, native_id: int) -> str:
        """The letter by which ps tells what a thread does; empty if it has ended."""
        try:
            stat = (self.proc / "task" / str(native_id) / "stat").read_text("utf-8", "replace")
        except OSError:
            return ""
        return stat.rpartition(")")[2].split()[0]

    def native_ids_inside(self) -> dict[int, int] | None:
        """The native ids as we see them by those that the process sees; None if they are equal.

        In a container, each PID namespace counts anew.
        """
        if len(self.status(self.proc / "status").get("NSpid", "").split()) < 2:
            return None
        found = {}
        for native_id in self.threads():
            seen = self.status(self.proc / "task" / str(native_id) / "status").get("NSpid", "")
            if seen:
                found[int(seen.split()[-1])] = native_id
        return found

    def python(self) -> str:
        """How to call the Python that it runs on: the link in its virtual environment, if so."""
        try:
            program = os.readlink(self.proc / "exe").removesuffix(" (deleted)")
            called = os.fsdecode((self.proc / "cmdline").read_bytes().partition(b"\0")[0])
            environment = (self.proc / "environ").read_bytes().split(b"\0")
            if "/" in called:
                link = os.path.join(os.readlink(self.proc / "cwd"), called)
            else:
                paths = [os.fsdecode(name[5:]) for name in environment if name[:5] == b"PATH="]
                link = shutil.which(called, path="".join(paths[:1])) or program
            same = os.path.realpath(link) == os.path.realpath(program)
            return os.path.normpath(link) if same else program
        except OSError:
            return "python"

    def command(self) -> str:
        """Its command line, or its name."""
        try:
            line = (self.proc / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        except OSError:
            line = b""
        return printable(line.decode("utf-8", "replace")) or self.thread_name(self.pid)


def printable(text: str) -> str:
    """The same without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _user(uid: int) -> str:
    try:
        import pwd

        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except (ImportError, KeyError):
        return f"uid {uid}"


def _ptrace_scope() -> int:
    try:
        return int(Path("/proc/sys/kernel/yama/ptrace_scope").read_text())
    except (OSError, ValueError):
        return 0


def _copy_by_call() -> Copy | None:
    """`process_vm_readv`, if the C library can be called and has it."""
    try:
        import ctypes

        call = ctypes.CDLL(None, use_errno=True).process_vm_readv
    except (ImportError, OSError, AttributeError):
        return None

    class Span(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))

    word = ctypes.c_ulong
    call.argtypes = [ctypes.c_int, ctypes.c_void_p, word, ctypes.c_void_p, word, word]
    call.restype = ctypes.c_ssize_t

    def copy(pid: int, address: int, size: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        here, there = Span(ctypes.addressof(buffer), size), Span(address, size)
        count = call(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        if count < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return buffer.raw[:count]

    return copy


def _copy_by_file(pid: int, address: int, size: int) -> bytes:
    file = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        return os.pread(file, size, address)
    except OverflowError:  # an address beyond what a file has
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT)) from None
    finally:
        os.close(file)
