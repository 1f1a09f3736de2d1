"""Controls: what has to be seen on any target, or else a run proves nothing."""

from __future__ import annotations

from ..scenario import ACCEPTABLE, Actor, Scenario, actor


class ControlUnlocked(Scenario):
    """Two threads count without a lock: an update must get lost, or nothing here runs at once."""

    outcomes = {"lost updates": ACCEPTABLE, "all counted": ACCEPTABLE}
    must_see = frozenset({"lost updates"})

    def setup(self) -> None:
        self.counter = 0

    @actor(2)
    def count(self, me: Actor) -> None:
        for _ in range(300):
            value = self.counter
            self.counter = value + 1
        me.ops += 300

    def arbiter(self) -> str:
        return "all counted" if self.counter == 600 else "lost updates"


class ControlDeadlock(Scenario):
    """Two threads take two locks crosswise: that hang must be noticed."""

    core = False
    outcomes = {"deadlock noticed": ACCEPTABLE, "got through": ACCEPTABLE}
    must_see = frozenset({"deadlock noticed"})
    expects_hang = True
    least = 1

    def setup(self) -> None:
        self.locks = self.target.Lock(), self.target.Lock()

    def both(self, me: Actor, first: int) -> None:
        with self.locks[first]:
            for _ in range(2000):
                pass
            with self.locks[1 - first]:
                me.did("both")

    @actor()
    def one_way(self, me: Actor) -> None:
        self.both(me, 0)

    @actor()
    def other_way(self, me: Actor) -> None:
        self.both(me, 1)

    def arbiter(self) -> str:
        return "got through"
