"""Threads that wait for each other through each primitive: seconds a hand-off, or a round.

Between two threads every operation is a wait that the other thread ends, and what counts is how
fast a waiting thread goes on. The same is done in C, without Python, twice: by spinning, which is
the floor, and by sleeping in the kernel for each hand-off. Barrier and notify_all count rounds:
a round of a barrier ends when all parties have passed, one of notify_all when all waiters (there is
one thread fewer than the case's name says) have run, each for its section, and wait again.
"""

import time

from perf import native
from perf.cases.contended import switches
from perf.cases.handoff_workloads import HANDOFFS, Handoff
from perf.instruments.bench import Axes, Bench, Broken, Family, Sample, broken, overlap, overlapping
from perf.instruments.implementations import Implementation
from perf.instruments.team import Team
from perf.results.case import ATTRIBUTE, FLOOR, NATIVE, Case

FIRST_ROUNDS = 50
LIMIT_SECONDS = 120.0
BY_ID = {each.case.id: each for each in HANDOFFS}


class Once:
    """So many rounds: seconds from the first begin to the last end, and what they cost."""

    def __init__(self, team: Team, handoff: Handoff, side: Implementation, rounds: int) -> None:
        """Do the rounds. Raises Broken or TimeoutError."""
        jobs, check = handoff.setup(side, rounds, handoff.shape)
        cpu, switched = time.process_time(), switches()
        team.start(jobs)
        begins, ends = zip(*team.finish(LIMIT_SECONDS), strict=True)
        self.cpu, self.switches = time.process_time() - cpu, switches() - switched
        if not check():
            raise Broken(f"wrong after {rounds} rounds")
        self.seconds = max(ends) - min(begins)
        self.overlap = overlap(begins, ends)


def measure_c(bench: Bench, case: Case, kernel: bool) -> Sample:
    """Make hand-offs in C for about one short window."""
    rounds = FIRST_ROUNDS
    while (took := native.ping_pong(rounds, kernel)) < bench.short / 4:
        rounds *= 2
    rounds = max(1, round(rounds * bench.short / took))
    # Two hand-offs make the one operation that a round of a barrier is.
    one = native.ping_pong(rounds, kernel) / (2 * rounds)
    return Sample([one * 2 / BY_ID[case.id].operations])


def measure(bench: Bench, case: Case, side: Implementation) -> Sample:
    """Measure one way to hand over. Raises Broken, Rejected or TimeoutError."""
    if side.name in (FLOOR, NATIVE):
        return measure_c(bench, case, side.name == NATIVE)
    handoff = BY_ID[case.id]
    team = bench.team(case.threads)
    rounds = FIRST_ROUNDS
    try:
        while (took := Once(team, handoff, side, rounds).seconds) < bench.window / 10:
            rounds *= 2

        def attempt(seconds: float) -> tuple[float, tuple[Once, int]]:
            wanted = max(1, round(rounds * seconds / took))
            once = Once(team, handoff, side, wanted)
            return once.overlap, (once, wanted * handoff.operations)

        (once, operations), rejected = overlapping(bench.window, attempt)
    except Broken as error:
        raise broken(case, side, str(error)) from None
    metrics = {
        "ftt_cpu": once.cpu / operations,
        "ftt_switches": once.switches / operations,
        "ftt_overlap": once.overlap,
        "ftt_rejected": float(rejected),
    }
    return Sample([once.seconds / operations], metrics)


def cases(_axes: Axes) -> list[Case]:
    return [each.case for each in HANDOFFS]


def references(case: Case) -> tuple[str, ...]:
    return (FLOOR, NATIVE) if case.threads == 2 and case.shape == ATTRIBUTE else ()


FAMILY = Family("handoff", cases, measure, references)
