"""Who holds which locks, and in which order they were wanted: what core/tracing/tracing.c tells.

Each thread has a list of what it holds, which only that thread changes. When it wants a lock
without limit, each lock that it holds gives an edge to that one, in a graph of lock objects and in
one of the lines where locks are made. A try and a wait with a timeout give none, for they end by
themselves; but a lock that was got so is held like any other (lockdep's rule for a trylock).

An order by objects that contradicts itself is a fact. One by lines, of which no two objects were
ever taken in both orders, is no more than a hint: the program may have a rule which object comes
first. For the same reason an edge from a line to itself, such as of the locks of a list that are
taken in the order of their id(), says nothing, and is not kept.

A plain Lock has no owner. One that was taken by one thread and released by another is a signal,
such as "there is work", or the lock of a group of readers: the order of locks has no meaning for
it, and it takes no part from then on. What was reported of it before is withdrawn
(`Inversion.withdrawn`).

Signal handlers, finalizers and weakref callbacks may run anywhere here, and no lock of theirs is
told to us meanwhile; and if a handler raises, what was to be noted may be noted in part. So
nothing here is called by a weakref callback but an append to a deque, the guard of the graphs is
held by `_holding`, which no exception leaves locked, and before anything follows from a list, the
locks in it are asked whether they are taken at all. A fork gives the child a guard of its own; it
has one thread, whose list is right.

Memory is bounded: see MOST_LOCKS, MOST_EDGES. Beyond, locks and edges are left out, which the
summary says.
"""

from __future__ import annotations

import _thread
import os
from collections import deque

from .._core import _holding, _trace
from .._cpython import private
from ._lock_order_graph import Graph, Sighting
from ._lock_order_nodes import Hold, Holder, Node, Ref
from ._lock_order_stacks import caller, forget, key, site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._lock_order_stacks import Stack

MOST_LOCKS = 100_000  # alive at one time; about 600 bytes each
MOST_EDGES = 20_000  # between objects, and as many between lines; 1 to 3 KB each
MOST_KNOWN = 10_000  # orders that a thread has told already, each about 200 bytes
MOST_REPORTS = 1_000


def thread_name() -> str:
    """The name of the calling thread; without making a Thread object for one that has none."""
    thread = private._active.get(_thread.get_ident())
    return f"{_thread.get_ident()}" if thread is None else f'"{thread.name}"'


class Suspicion:
    """What was found, before it is put into words.

    Attributes:
        kind: "objects", "lines" or "twice" (the same lock, by the thread that holds it).
        cycle: the sightings; of "twice", one whose locks are the same.
    """

    __slots__ = ("cycle", "kind", "nodes", "several", "stuck")

    def __init__(self, kind: str, cycle: list[Sighting], stuck: bool, nodes: list[Node]) -> None:
        self.kind: str = kind
        self.cycle: list[Sighting] = cycle
        self.stuck: bool = stuck
        self.nodes: list[Node] = nodes
        self.several: bool = len({sighting.thread for sighting in cycle}) > 1


class Watch:
    """All that is known, from when it is turned on until it is turned off."""

    def __init__(self, report: Callable[[Suspicion], None]) -> None:
        self.report = report
        self.guard = _thread.allocate_lock()
        self.local = _thread._local()
        self.nodes: dict[int, Node] = {}
        self.dead: deque[Ref] = deque()
        self.objects = Graph(MOST_EDGES)
        self.lines = Graph(MOST_EDGES)
        self.numbers = 0
        self.threads = 0
        self.left_out = 0  # locks for which there was no room
        self.told: set[frozenset[object]] = set()

    # Threads and locks

    def me(self) -> Holder:
        try:
            holder: Holder = self.local.holder
        except AttributeError:
            self.threads += 1  # a number twice would do no more than name two threads as one
            holder = self.local.holder = Holder(self.threads)
        return holder

    def node(self, lock: Any, made: Stack | None = None) -> Node | None:
        node = self.nodes.get(id(lock))
        if node is not None and node.ref() is lock:
            return node
        return _holding(self.guard, self._make_node, lock, made)

    def _make_node(self, lock: Any, made: Stack | None) -> Node | None:
        self._bury()
        address = id(lock)
        node = self.nodes.get(address)
        if node is not None:
            if node.ref() is lock:
                return node
            self.objects.remove(node.number)
        if len(self.nodes) >= MOST_LOCKS:
            self.left_out += 1
            return None
        ref = Ref(lock, self.dead.append)
        ref.address = address
        self.numbers += 1
        node = self.nodes[address] = Node(self.numbers, ref, lock, made)
        return node

    def _bury(self) -> None:
        """Forget locks that are no more."""
        while self.dead:
            try:
                ref = self.dead.popleft()
            except IndexError:
                return
            node = self.nodes.get(ref.address)
            if node is not None and node.ref is ref:
                del self.nodes[ref.address]
                self.objects.remove(node.number)

    # Orders

    def wants(self, me: Holder, node: Node, held: list[Hold], stack: Stack) -> None:
        """Note that the holder of `held` wants another lock."""
        numbers = [hold.node.number for hold in held]
        order = (*numbers, node.number)
        if order in me.known:
            return
        found = _holding(self.guard, self._add_edges, me, node, list(held), numbers, stack)
        if len(me.known) >= MOST_KNOWN:
            me.known.clear()
        me.known.add(order)
        for each in found:
            self.report(each)

    def _add_edges(
        self, me: Holder, node: Node, held: list[Hold], numbers: list[int], stack: Stack
    ) -> list[Suspicion]:
        self._bury()
        found = []
        all_held = frozenset(numbers)
        name = thread_name()
        for hold in held:
            sighting = Sighting(all_held, me.number, name, hold.node, node, hold.stack, stack)
            cycle = self.objects.add(hold.node.number, node.number, sighting)
            found += self._found("objects", cycle)
            here, there = line_of(hold.node), line_of(node)
            if here is not None and there is not None and here != there:
                cycle = self.lines.add(here, there, sighting)
                found += self._found("lines", cycle)
        return found

    def _found(self, kind: str, cycle: list[Sighting] | None) -> list[Suspicion]:
        if cycle is None or any(sighting.wanted.signal for sighting in cycle):
            return []
        nodes = [sighting.holder for sighting in cycle]
        made = frozenset(line_of(node) or node.number for node in nodes)
        if kind == "lines" and made in self.told:
            return []
        # Once for the lines where it happens, however many objects go through them.
        places = frozenset(
            (key(site(sighting.taken)), key(site(sighting.wants))) for sighting in cycle
        )
        if places in self.told or len(self.told) > 2 * MOST_REPORTS:
            return []
        self.told |= {places, made}
        return [Suspicion(kind, cycle, False, nodes)]

    def twice(self, me: Holder, hold: Hold, stack: Stack, stuck: bool) -> None:
        """Note that a thread wants a plain Lock that it has."""
        places = frozenset((key(site(hold.stack)), key(site(stack))))
        if places in self.told or len(self.told) > 2 * MOST_REPORTS:
            return
        self.told.add(places)
        node = hold.node
        sighting = Sighting(
            frozenset((node.number,)), me.number, thread_name(), node, node, hold.stack, stack
        )
        self.report(Suspicion("twice", [sighting], stuck, [node]))


def line_of(node: Node) -> tuple[str, int] | None:
    """The line in the program where the lock was made."""
    return None if node.made is None else key(site(node.made))


_watch: Watch | None = None


def made(lock: Any, _: bool, __: bool) -> None:
    """A lock has been made."""
    watch = _watch
    if watch is not None:
        watch.node(lock, caller())


def wanted(lock: Any, with_: bool, stuck: bool) -> bool:
    """A lock is going to be waited for; return whether the caller may be waiting for itself."""
    watch = _watch
    if watch is None:
        return False
    me = watch.me()
    held = me.held()
    if not held:
        return False
    node = watch.node(lock)
    if node is None or node.signal:
        return False
    for hold in held:
        if hold.node is node:
            if node.reentrant:
                return False
            if not hold.with_ and not stuck:
                return True  # another thread may release it: give it a second
            watch.twice(me, hold, caller(), stuck)
            return False
    watch.wants(me, node, held, caller())
    return False


def taken(lock: Any, with_: bool, _: bool) -> None:
    """A lock has been taken."""
    watch = _watch
    if watch is None:
        return
    me = watch.me()
    node = watch.node(lock)
    if node is None or node.signal:
        return
    before = node.holder
    if before is not None and not before.gone:
        if before.thread is me and node.reentrant and before in me.holds:
            return  # a signal handler of this thread has taken it, and kept it
        before.gone = True  # nobody has told us that it was released
    hold = Hold(node, me, caller(), with_)
    node.holder = hold
    me.held().append(hold)


def waits(lock: Any, _: bool, __: bool) -> bool:
    """Condition.wait() releases the lock, and takes it back while the other ones are held.

    Returns whether it was held.
    """
    watch = _watch
    if watch is None:
        return False
    me = watch.me()
    node = watch.node(lock)
    if node is None or node.signal:
        return False
    held = me.held()
    mine = [hold for hold in held if hold.node is node]
    if not mine:
        return False
    others = [hold for hold in held if hold.node is not node]
    if others:
        watch.wants(me, node, others, caller())
    for hold in mine:
        hold.gone = True
    node.holder = None
    return True


def released(lock: Any, _: bool, __: bool) -> None:
    """A lock is going to be released, by whoever."""
    watch = _watch
    if watch is None:
        return
    node = watch.nodes.get(id(lock))
    if node is None or node.ref() is not lock:
        return
    hold = node.holder
    if hold is None:
        return
    was_true = hold.is_true()
    hold.gone = True
    node.holder = None
    me = watch.me()
    if hold.thread is me:
        if me.holds and me.holds[-1] is hold:
            me.holds.pop()
    elif was_true and not node.reentrant:
        node.signal = True


def turn_on(report: Callable[[Suspicion], None]) -> Watch:
    """Begin to watch; RuntimeError if somebody does already."""
    global _watch
    if _watch is not None:
        raise RuntimeError("the order of locks is being watched already")
    _watch = watch = Watch(report)
    _trace(made, wanted, taken, waits, released)
    return watch


def turn_off(watch: Watch) -> None:
    """End it."""
    global _watch
    if _watch is watch:
        _trace(None)
        _watch = None
        forget()


def _after_fork() -> None:
    if _watch is not None:
        _watch.guard = _thread.allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
