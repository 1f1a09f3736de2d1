"""Pass a token round a ring of six threads: each waits on its own event and sets the next one's.

Only one thread can run at any time, so that the time is that of the hand-overs.
"""

import threading

from measured import Program

MEMBERS = 6
LAPS = 6_000


class Ring:
    """Members with an event each, who count the token's passes."""

    def __init__(self, members: int, laps: int) -> None:
        self.turns = [threading.Event() for _ in range(members)]
        self.laps = laps
        self.passes = 0
        self.faults: list[str] = []

    def member(self, number: int) -> None:
        """Pass the token on once a lap."""
        for lap in range(self.laps):
            self.turns[number].wait()
            self.turns[number].clear()
            if self.passes != lap * len(self.turns) + number:
                self.faults.append(f"member {number} has pass {self.passes} in lap {lap}")
            self.passes += 1
            self.turns[(number + 1) % len(self.turns)].set()

    def run(self) -> None:
        threads = [threading.Thread(target=self.member, args=(i,)) for i in range(len(self.turns))]
        for thread in threads:
            thread.start()
        self.turns[0].set()
        for thread in threads:
            thread.join()


def main() -> None:
    program = Program(__doc__)
    ring = Ring(MEMBERS, max(1, round(LAPS * program.parse())))
    with program.timed():
        ring.run()
    program.finish(f"{ring.passes} passes by {MEMBERS} members", ring.faults)


if __name__ == "__main__":
    main()
