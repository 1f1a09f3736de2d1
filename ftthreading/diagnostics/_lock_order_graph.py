"""A graph of what was wanted while something else was held, and the cycles in it.

An edge from A to B says that somebody held A and wanted B. A cycle of edges is an order that
contradicts itself; it is a danger if the threads of its edges can come that far at the same time,
each holding what another wants. They cannot if two of them hold one lock in common (a gate): so
each edge keeps with which other locks held it was seen, in a few `Sighting`s, and a cycle counts
if there is a choice of sightings, one for each edge, that hold nothing in common.

That check is from the Goodlock algorithm (Havelund 2000; Bensalem and Havelund 2005). Whether an
edge closes a cycle at all is kept cheap by an order of the nodes in which every edge leads upwards
(Pearce and Kelly, "A Dynamic Topological Sort Algorithm for Directed Acyclic Graphs", 2006): an
edge that does so already, as nearly all do, closes none. An edge that closes one is kept beside
the order ("contrary"), and only while there are such is the whole graph searched, within a budget.

Not thread-safe: the caller has a lock. But a signal handler may raise in the midst of a change;
the graph, which is torn then, begins anew.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from ._lock_order_nodes import Node
    from ._lock_order_stacks import Stack

MOST_SIGHTINGS = 4  # of an edge
MOST_STEPS = 10_000  # of one search
LONGEST_CYCLE = 12  # edges


class Sighting:
    """One time that a lock was wanted while another one was held.

    Attributes:
        held: the numbers of all locks that the thread held.
        thread: the thread's number; name: its name at that time.
        holder, wanted: the locks. taken, wants: where the one was taken, the other was wanted.
    """

    __slots__ = ("held", "holder", "name", "taken", "thread", "wanted", "wants")

    def __init__(
        self,
        held: frozenset[int],
        thread: int,
        name: str,
        holder: Node,
        wanted: Node,
        taken: Stack,
        wants: Stack,
    ) -> None:
        self.held = held
        self.thread = thread
        self.name = name
        self.holder = holder
        self.wanted = wanted
        self.taken = taken
        self.wants = wants


class Edge:
    """What is known of one order of two locks."""

    __slots__ = ("contrary", "sightings")

    def __init__(self) -> None:
        self.sightings: list[Sighting] = []
        self.contrary = False  # not in the order of the nodes: it closes a cycle

    def add(self, sighting: Sighting) -> bool:
        """Keep it if it may tell more than those that are kept; return whether it is kept."""
        like = 0
        for known in self.sightings:
            if known.held <= sighting.held:
                if known.thread == sighting.thread:
                    return False
                like += 1
        if like >= 2 or len(self.sightings) >= MOST_SIGHTINGS:
            return False  # the same from two threads is enough to tell of two threads
        self.sightings.append(sighting)
        return True


class Graph:
    """Nodes are named by what the caller likes."""

    def __init__(self, most_edges: int) -> None:
        self.most_edges = most_edges
        self.full = False  # an edge has been left out
        self._clear()

    def _clear(self) -> None:
        self.edges = 0
        self._torn = False
        self._out: dict[Hashable, dict[Hashable, Edge]] = {}
        self._in: dict[Hashable, set[Hashable]] = {}
        self._place: dict[Hashable, int] = {}
        self._ends = [0, 0]  # the highest place, and the lowest
        self._contrary = 0

    def add(self, start: Hashable, end: Hashable, sighting: Sighting) -> list[Sighting] | None:
        """Add what was seen; return a cycle that this completes, beginning with it, if any."""
        if self._torn:
            self._clear()
        edge = self._out.get(start, {}).get(end)
        if edge is None:
            if self.edges >= self.most_edges:
                self.full = True
                return None
            edge = Edge()
            self._torn = True
            self._enter(start, first=True)
            self._enter(end, first=False)
            self._out[start][end] = edge
            self._in[end].add(start)
            self.edges += 1
            edge.contrary = not self._put_in_order(start, end)
            self._contrary += edge.contrary
            self._torn = False
        if not edge.add(sighting) or not self._contrary:
            return None
        return self._search(start, end, sighting)

    def remove(self, node: Hashable) -> None:
        """Forget a node and its edges."""
        if self._torn:
            self._clear()
        self._torn = True
        for end, edge in self._out.pop(node, {}).items():
            self._in[end].discard(node)
            self._drop(edge)
        for start in self._in.pop(node, ()):
            self._drop(self._out[start].pop(node))
        self._place.pop(node, None)
        self._torn = False

    def _drop(self, edge: Edge) -> None:
        self.edges -= 1
        self._contrary -= edge.contrary

    def _enter(self, node: Hashable, *, first: bool) -> None:
        """Add a node where its first edge leads upwards."""
        if node not in self._place:
            self._ends[first] += -1 if first else 1
            self._place[node] = self._ends[first]
            self._out[node] = {}
            self._in[node] = set()

    def _put_in_order(self, start: Hashable, end: Hashable) -> bool:
        """Move nodes so that the new edge leads upwards; False if it closes a cycle."""
        place = self._place
        low, high = place[end], place[start]
        if high < low:
            return True
        above = {end}  # what `end` leads to, up to `start`
        todo = [end]
        while todo:
            for node, edge in self._out[todo.pop()].items():
                if node == start and not edge.contrary:
                    return False
                if node not in above and place[node] < high and not edge.contrary:
                    above.add(node)
                    todo.append(node)
        below = {start}  # what leads to `start`, down to `end`
        todo = [start]
        while todo:
            end_of = todo.pop()
            for node in self._in[end_of]:
                contrary = self._out[node][end_of].contrary
                if node not in below and place[node] > low and not contrary:
                    below.add(node)
                    todo.append(node)
        nodes = sorted(below, key=place.__getitem__) + sorted(above, key=place.__getitem__)
        for node, at in zip(nodes, sorted(map(place.__getitem__, nodes)), strict=True):
            place[node] = at
        return True

    def _search(self, start: Hashable, end: Hashable, first: Sighting) -> list[Sighting] | None:
        """A shortest cycle through the edge; one of several threads rather than of one."""
        fallback = None
        for cycle in self._cycles(start, end, first):
            if len({sighting.thread for sighting in cycle}) > 1:
                return cycle
            fallback = fallback or cycle
        return fallback

    def _cycles(self, start: Hashable, end: Hashable, first: Sighting) -> Iterator[list[Sighting]]:
        """Cycles without a gate through the edge, the short ones first."""
        reaches = self._reaching(start)
        steps = 0
        paths = deque([(end, [first], first.held, frozenset((start, end)))])
        while paths:
            node, cycle, held, passed = paths.popleft()
            for following, edge in self._out[node].items():
                if following not in reaches or (following in passed and following != start):
                    continue
                for sighting in edge.sightings:
                    steps += 1
                    if steps > MOST_STEPS:
                        return
                    if not held.isdisjoint(sighting.held):
                        continue
                    if following == start:
                        yield [*cycle, sighting]
                    elif len(cycle) + 1 < LONGEST_CYCLE:
                        paths.append(
                            (
                                following,
                                [*cycle, sighting],
                                held | sighting.held,
                                passed | {following},
                            )
                        )

    def _reaching(self, goal: Hashable) -> set[Hashable]:
        """The nodes from which a way leads to `goal`, as far as the budget goes."""
        found = {goal}
        todo = [goal]
        while todo and len(found) < MOST_STEPS:
            for node in self._in[todo.pop()]:
                if node not in found:
                    found.add(node)
                    todo.append(node)
        return found
