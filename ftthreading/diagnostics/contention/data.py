"""What a contention profile consists of, and how it is put together from what the core recorded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ... import _core
from .._places import NOWHERE, Place, is_launcher, is_library, place, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from ..._core import _Entry

CONTENDED, AWAITED, BLAMED, JOINED = range(4)

_IMPORT = "<frozen importlib._bootstrap>"
_NAMED = 3  # of the threads that were joined

# The names of the types while they stand in for the interpreter's (core/types/stand_in.c).
_STANDING_IN = {"lock": "Lock"}
_CALLED = {
    "Lock": "Lock",
    "RLock": "RLock",
    "Condition": "Condition",
    "Semaphore": "Semaphore.acquire()",
    "BoundedSemaphore": "BoundedSemaphore.acquire()",
}


@dataclass(frozen=True, slots=True)
class ProfiledLock:
    """A lock, or all that were made at one place while the profile was on.

    Attributes:
        kind: ``"Lock"``, ``"RLock"``, the name of a subclass; ``"lock"`` if it is not known.
        made: where the program made it, or what has it in it; None if that was before.
        part_of: what has it in it, as ``"Queue"``; empty if it was made for itself.
        address: in memory, of one of them.
    """

    kind: str
    made: Place | None
    part_of: str
    address: int

    def __str__(self) -> str:
        what = f"{self.kind} of {self.part_of}" if self.part_of else self.kind
        if self.made is None:
            return f"{what} at {self.address:#x}"
        return f"{what} made at {short(self.made.file)}:{self.made.line}"


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits at one line, for one lock.

    Attributes:
        place: the line of the program.
        called: what it called there, as ``"Queue.get()"``; ``"Lock"`` is ``with lock`` or
            ``lock.acquire()``.
        lock: None for waits that are no contention.
        count: how many; an estimate if there were many (`Profile` says when).
        total: seconds, of all threads together.
        longest: seconds.
        awake: seconds of `total` before the waiting threads first slept.
        threads: names of those whose end was waited for, of a join; the longest wait first.
        stacks: whole stacks, the innermost line first, each with its part of `total`.
    """

    place: Place
    called: str
    lock: ProfiledLock | None
    count: float
    total: float
    longest: float
    awake: float
    stacks: tuple[tuple[tuple[Place, ...], float], ...] = field(repr=False, default=())
    threads: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What was waited for, in words; empty if it is no lock and no thread."""
        if not self.threads:
            return str(self.lock or "")
        named = ", ".join(f'"{name}"' for name in self.threads[:_NAMED])
        more = len(self.threads) - _NAMED
        end = f" and {more:,} more" if more > 0 else ""
        return f"Thread{'s' * (len(self.threads) > 1)} {named}{end}"


@dataclass(frozen=True, slots=True)
class Holds:
    """The releases at one line, of one lock, for which others had waited.

    Attributes:
        place: the line that released it; of a ``with`` statement, the line of that.
        called: what it called there.
        lock: which.
        count: how many released the lock to a thread that slept.
        total: seconds that others slept for it, all together.
        held: seconds during which it was held and waited for.
        longest: seconds; the longest of these.
        stacks: as those of `Waits`.
    """

    place: Place
    called: str
    lock: ProfiledLock
    count: float
    total: float
    held: float
    longest: float
    stacks: tuple[tuple[tuple[Place, ...], float], ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Data:
    """A profile's contents; each list begins with the longest total."""

    seconds: float = 0.0
    thread_seconds: float = 0.0
    contended: tuple[Waits, ...] = ()
    holders: tuple[Holds, ...] = ()
    awaited: tuple[Waits, ...] = ()
    lost: int = 0


type Base = list[tuple[float, float, float]]
"""Count, total and aside of the entries that were there before."""


def base_now() -> Base:
    """What is to be subtracted from a profile that begins now."""
    found = _core._profile_read()
    return [] if found is None else [entry[5:8] for entry in found[1]]


def read(base: Base, seconds: float, thread_seconds: float) -> Data | None:
    """The profile since `base`; None if nobody records, as in the child of a fork."""
    found = _core._profile_read()
    if found is None:
        return None
    lost, entries = found
    since: list[_Entry] = []
    for i, entry in enumerate(entries):
        before = base[i] if i < len(base) else (0.0, 0.0, 0.0)
        count, total, aside = (max(a - b, 0.0) for a, b in zip(entry[5:8], before, strict=True))
        if count > 0:
            since.append((*entry[:5], count, total, aside, *entry[8:]))
    locks = _locks(since)
    contended, awaited, holders = (
        _rows([entry for entry in since if entry[0] in kinds], locks)
        for kinds in ((CONTENDED,), (AWAITED, JOINED), (BLAMED,))
    )
    return Data(
        seconds,
        thread_seconds,
        tuple(contended),
        tuple(
            Holds(
                row.place,
                row.called,
                row.lock or _lock_of(None, 0, "lock"),
                row.count,
                row.total,
                row.awake,
                row.longest,
                row.stacks,
            )
            for row in holders
        ),
        tuple(awaited),
        lost,
    )


# Which lock.


def _key(entry: _Entry) -> object:
    _, address, _, made, *_ = entry
    return address if made is None else tuple((id(code), line) for code, line in made)


def _type_name(type: object) -> str:
    name = getattr(type, "__name__", "lock")
    return _STANDING_IN.get(name, name)


def _locks(entries: Iterable[_Entry]) -> dict[object, ProfiledLock]:
    """The locks by their keys."""
    locks: dict[object, ProfiledLock] = {}
    for entry in entries:
        kind, address, type, made, *_ = entry
        if kind in (AWAITED, JOINED):
            continue
        key = _key(entry)
        name = "lock" if type is None else _type_name(type)
        lock = locks.get(key)
        if lock is None:
            locks[key] = _lock_of(made, address, name)
        elif lock.kind in ("lock", "Condition") and name != "lock":
            # A condition is what a lock is waited for through; it says less than the lock's type.
            locks[key] = replace(lock, kind=name)
    return locks


def _lock_of(
    made: tuple[tuple[CodeType, int], ...] | None, address: int, kind: str
) -> ProfiledLock:
    if made is None:
        return ProfiledLock(kind, None, "", address)
    place, called = _split(made)
    return ProfiledLock(kind, place, called.removesuffix("()").removesuffix(".__init__"), address)


# Which line.


def _split(stack: tuple[tuple[CodeType, int], ...]) -> tuple[Place, str]:
    """The program's line, and the function of the library that it called, if it called one."""
    called = ""
    for code, line in stack:
        if code.co_filename == _IMPORT:
            called = "import"
        elif is_library(code):
            called = f"{code.co_qualname}()"
        else:
            return place(code, line), called
    # A thread of the library's own.
    return (place(*stack[0]), "") if stack else (NOWHERE, "")


def _cleaned(stack: tuple[tuple[CodeType, int], ...]) -> tuple[Place, ...]:
    """Without what runs programs and threads, at the bottom."""
    end = len(stack)
    while end > 1 and (is_launcher(stack[end - 1][0]) or is_library(stack[end - 1][0])):
        end -= 1
    return tuple(place(code, line) for code, line in stack[:end]) or (NOWHERE,)


def _rows(entries: list[_Entry], locks: dict[object, ProfiledLock]) -> list[Waits]:
    """One for each line, what is called there, and lock."""
    rows: dict[object, Waits] = {}
    stacks: dict[object, dict[tuple[Place, ...], float]] = {}
    threads: dict[object, dict[str, float]] = {}
    for entry in entries:
        kind, _, type, _, where, count, total, aside, longest, joined = entry
        place, function = _split(where)
        lock = None if kind in (AWAITED, JOINED) else locks[_key(entry)]
        name = lock.kind if type is None and lock is not None else _type_name(type)
        called = function or _called(kind, name)
        key = (place, called, lock)
        total, aside, seconds = total * 1e-9, aside * 1e-9, longest * 1e-9
        row = rows.get(key) or Waits(place, called, lock, 0.0, 0.0, 0.0, 0.0)
        rows[key] = replace(
            row,
            count=row.count + count,
            total=row.total + total,
            longest=max(row.longest, seconds),
            awake=row.awake + aside,
        )
        of_row = stacks.setdefault(key, {})
        cleaned = _cleaned(where)
        of_row[cleaned] = of_row.get(cleaned, 0.0) + total
        if kind == JOINED:
            names = threads.setdefault(key, {})
            names[joined] = names.get(joined, 0.0) + total
    found = [
        replace(
            row,
            stacks=tuple(stacks[key].items()),
            threads=_longest_first(threads.get(key, {})),
        )
        for key, row in rows.items()
    ]
    return sorted(found, key=lambda row: -row.total)


def _longest_first(totals: dict[str, float]) -> tuple[str, ...]:
    return tuple(sorted(totals, key=lambda name: -totals[name]))


def _called(kind: int, name: str) -> str:
    if kind == AWAITED:
        return f"{name}.wait()"
    if kind == BLAMED:
        return f"{name}.release()" if "Semaphore" in name else name
    return _CALLED.get(name, name)
