"""Who waits for what in another process, from its memory (core/inspection/offsets.c says how).

Nothing there stands still, so nothing is taken on trust: every walk is bounded, a call counts if
nothing in it has changed while its object was read, and the whole is read again where a pointer
has led astray. What cannot be had that way is said to have changed, never guessed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from .memory import CHANGING, Astray, ProcessMemory, Refused, printable
from .table import Table, find_table

FOREVER = (1 << 63) - 1
MOST = 1 << 17
"""No list of waiters or threads is believed to be longer; so much of each is held at most."""
_TRIES = 5
_ACQUIRED = ("Lock", "RLock", "Semaphore", "BoundedSemaphore")
_PRIMITIVES = (*_ACQUIRED, "Condition", "Event", "Barrier")
_POINTER = "Q" if struct.calcsize("P") == 8 else "I"


@dataclass(frozen=True, slots=True)
class SeenThread:
    """A thread that has used a primitive, and has not ended."""

    number: int
    ident: int
    native_id: int  # as seen from here; 0 if it is not known
    name: str  # when it began; else the kernel's name of it
    object: int  # the address of its threading.Thread; 0 if it is not known


@dataclass(frozen=True, slots=True)
class SeenObject:
    """What a call waits on."""

    address: int
    type_name: str  # of its class
    kind: str  # which primitive its class is or inherits from; empty if none is known

    @property
    def shown(self) -> str:
        """The name of its class: of our locks, whatever they say while installed."""
        installed = self.kind in ("Lock", "RLock") and self.type_name.startswith("_thread.")
        return f"ftthreading.{self.kind}" if installed else self.type_name


@dataclass(frozen=True, slots=True)
class SeenHolder:
    """Who is in the way of a call that waits for a lock, or for a thread's end."""

    thread: int  # number; of a Lock its lower 31 bits
    how: str  # "owns" an RLock, "with": by a with statement, "took"; "is" the thread


@dataclass(frozen=True, slots=True)
class SeenWait:
    """A blocking call that goes on."""

    waiter: int  # its address
    thread: int  # number
    ident: int
    object: SeenObject | None
    purpose: str  # "acquire", "wait", "reacquire", "join"
    began: int  # ns, CLOCK_MONOTONIC
    until: int | None
    holder: SeenHolder | None

    @property
    def key(self) -> tuple[int, int, int]:
        """What no other call has."""
        return self.waiter, self.thread, self.began


@dataclass(slots=True)
class Snapshot:
    """What was read at one time."""

    process: ProcessMemory
    table: Table
    waits: list[SeenWait] = field(default_factory=list)
    threads: dict[int, SeenThread] = field(default_factory=dict)  # by number
    threads_changed: bool = False  # the list never stood still: who is not in it may be alive
    changed: int = 0  # calls that could not be read, as they changed all the time
    forks: int = 0
    tasks: list[int] = field(default_factory=list)  # native ids of all threads there are

    def holder_of(self, wait: SeenWait) -> SeenThread | None:
        """Whom it waits for, if that is known and has not ended."""
        if wait.holder is None:
            return None
        exact = self.threads.get(wait.holder.thread)
        if exact is not None or wait.holder.how in ("owns", "is"):
            return exact
        for number, thread in self.threads.items():
            if number & 0x7FFFFFFF == wait.holder.thread:
                return thread
        return None


def _field(data: bytes, kind: str, offset: int) -> int:
    (value,) = struct.unpack_from("=" + kind, data, offset)
    return int(value)


class SnapshotReader:
    """Reads a process, again and again."""

    def __init__(self, process: ProcessMemory) -> None:
        self.process = process
        self.table: Table = find_table(process)

    def snapshot(self) -> Snapshot:
        """Read it all. Raises Refused if that fails for good."""
        for _ in range(_TRIES):
            try:
                self._check()
                return _Look(self.process, self.table).snapshot
            except Astray:
                self.process.check()
        raise Refused(
            f"process {self.process.pid} changed while it was read, each of {_TRIES} times:"
            " try again",
            CHANGING,
        )

    def _check(self) -> None:
        """Raise Refused if what we have found is no more there."""
        self.process.check()
        try:
            same = self.process.read(self.table.at, len(self.table.data)) == self.table.data
        except Astray:
            same = False
        if not same:
            self.table = find_table(self.process)


class _Look:
    """One snapshot."""

    def __init__(self, process: ProcessMemory, table: Table) -> None:
        self.process, self.table = process, table
        self.types: dict[int, tuple[str, str]] = {}
        self.snapshot = Snapshot(process, table)
        self.snapshot.forks = self.number(table.forks, "I")
        self.read_threads()
        self.read_waits()
        # Once more: a thread that began meanwhile may hold what another waits for.
        if any(
            wait.thread not in self.snapshot.threads
            or (wait.holder is not None and self.snapshot.holder_of(wait) is None)
            for wait in self.snapshot.waits
        ):
            self.read_threads()
        self.snapshot.tasks = process.threads()

    def number(self, address: int, kind: str = _POINTER) -> int:
        return _field(self.process.read(address, struct.calcsize(kind)), kind, 0)

    def walk(self, head: int, size: int, next_at: int) -> list[tuple[int, bytes]]:
        """Addresses and contents of what is linked to a list."""
        found: dict[int, bytes] = {}
        address = self.number(head)
        while address != 0:
            if address in found or len(found) >= MOST or address % 4 != 0:
                raise Astray(f"{address:#x}")
            found[address] = self.process.read(address, size)
            address = _field(found[address], _POINTER, next_at)
        return list(found.items())

    def read_threads(self) -> None:
        previous: dict[int, tuple[int, int, int, bytes]] | None = None
        found: dict[int, tuple[int, int, int, bytes]] = {}
        self.snapshot.threads_changed = True
        for _ in range(_TRIES * 4):
            try:
                found = self.walk_threads()
            except Astray:
                continue
            if found == previous:
                self.snapshot.threads_changed = False
                break
            previous = found
        inside = self.process.native_ids_inside() if found else None
        self.snapshot.threads = {}
        for number, (ident, seen_id, at, name) in found.items():
            native_id = seen_id if inside is None else inside.get(seen_id, 0)
            text = printable(name.partition(b"\0")[0].decode("utf-8", "replace"))
            text = text or (self.process.thread_name(native_id) if native_id else "")
            self.snapshot.threads[number] = SeenThread(number, ident, native_id, text, at)

    def walk_threads(self) -> dict[int, tuple[int, int, int, bytes]]:
        table, found = self.table, {}
        threads = self.walk(table.threads, table.thread_size, table.thread_next)
        for _, data in threads:
            found[_field(data, "Q", table.thread_id)] = (
                _field(data, _POINTER, table.thread_ident),
                _field(data, _POINTER, table.thread_native_id),
                _field(data, _POINTER, table.thread_object),
                data[table.thread_name : table.thread_name + table.thread_name_room],
            )
        return found

    def read_waits(self) -> None:
        table = self.table
        waiters = self.walk(table.waiters, table.waiter_size, table.waiter_next)
        for address, first in waiters:
            data = first
            for _ in range(_TRIES):
                if not self.live(data):
                    break
                try:
                    wait = self.wait(address, data)
                except Astray:
                    wait = None
                # Nothing before this second look counts without it.
                again = self.process.read(address, table.waiter_size)
                if wait is not None and self.told(again) == self.told(data):
                    self.snapshot.waits.append(wait)
                    break
                data = again
            else:
                self.snapshot.changed += 1
        self.snapshot.waits.sort(key=lambda wait: wait.began)

    def live(self, data: bytes) -> bool:
        table = self.table
        return _field(data, "I", table.waiter_call + table.call_state) & table.call_live != 0

    def told(self, data: bytes) -> tuple[int, ...]:
        """What of a waiter says which call it is, and whether it still is live."""
        table, call = self.table, self.table.waiter_call
        return (
            self.live(data),
            _field(data, "Q", table.waiter_owner),
            _field(data, _POINTER, table.waiter_key),
            _field(data, _POINTER, call + table.call_object),
            _field(data, _POINTER, call + table.call_ident),
            _field(data, "q", call + table.call_began),
            _field(data, "q", call + table.call_until),
            data[call + table.call_reacquires],
        )

    def wait(self, address: int, data: bytes) -> SeenWait:
        _, thread, _, at, ident, began, until, reacquires = self.told(data)
        found = self.object(at) if at != 0 else None
        lock = self.lock_of(found)
        purpose = "wait"
        if found is not None and found.kind == "Thread":
            purpose = "join"
        elif reacquires:
            purpose = "reacquire"
        elif found is not None and found.kind in _ACQUIRED:
            purpose = "acquire"
        holder = None
        if lock is not None and purpose in ("acquire", "reacquire"):
            holder = self.holder(*lock)
        elif purpose == "join":
            holder = self.joined(at)
        return SeenWait(
            waiter=address,
            thread=thread,
            ident=ident,
            object=found,
            purpose=purpose,
            began=began,
            until=None if until == FOREVER else until,
            holder=holder,
        )

    def joined(self, address: int) -> SeenHolder | None:
        """The thread of a threading.Thread, which the join keeps at its address."""
        threads = self.snapshot.threads.values()
        number = next((thread.number for thread in threads if thread.object == address), None)
        return None if number is None else SeenHolder(number, "is")

    def object(self, address: int) -> SeenObject:
        kind = self.number(address + self.table.object_type)
        if kind not in self.types:
            self.types[kind] = self.type(kind)
        return SeenObject(address, *self.types[kind])

    def type(self, address: int) -> tuple[str, str]:
        """The name of a class, and which of our primitives it is."""
        name = ""
        for _ in range(64):
            dealloc = self.number(address + self.table.type_dealloc)
            text = self.process.read_text(self.number(address + self.table.type_name))
            name = name or text
            if dealloc in (self.table.lock_dealloc, self.table.rlock_dealloc):
                return name, "Lock" if dealloc == self.table.lock_dealloc else "RLock"
            package, _, kind = text.rpartition(".")
            if package == "ftthreading" and kind in _PRIMITIVES:
                return name, kind
            if text == "Thread":  # threading's own has a bare name
                return name, kind
            address = self.number(address + self.table.type_base)
            if address == 0:
                break
        return name, ""

    def lock_of(self, found: SeenObject | None) -> tuple[int, int] | None:
        """Address of the word of the lock in, or of, an object of ours; and of its RLock or 0."""
        table = self.table
        if found is None:
            return None
        rlock = lock = 0
        if found.kind == "Lock":
            lock = found.address + table.lock_in_object
        elif found.kind == "RLock":
            rlock = found.address + table.rlock_in_object
        elif found.kind == "Condition":
            rlock = self.number(found.address + table.condition_rlock)
            lock = self.number(found.address + table.condition_lock)
        if rlock != 0:
            lock = rlock + table.rlock_lock
        return (lock + table.lock_word, rlock) if lock != 0 else None

    def holder(self, word: int, rlock: int) -> SeenHolder | None:
        table = self.table
        if self.number(word, "I") & table.lock_locked == 0:
            return None
        if rlock != 0:
            owner = self.number(rlock + table.rlock_owner, "Q")
            return SeenHolder(owner, "owns") if owner != 0 else None
        note = self.number(word - table.lock_word + table.lock_holder, "I")
        return SeenHolder(note >> 1, "with" if note & 1 else "took") if note != 0 else None
