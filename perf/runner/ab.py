"""Two builds measured by turns: rounds A B, B A, ..., a worker process for each side and round."""

import dataclasses
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from perf.analysis import verdicts
from perf.analysis.inference import Interval, steady
from perf.analysis.rounds import alternate
from perf.analysis.verdicts import GateVerdict, Judged, Sides
from perf.results.case import OWN, Case
from perf.results.measurement import Measurement, Round
from perf.runner import instructions
from perf.runner.builds import Build
from perf.worker.round import Order
from toolkit import child
from toolkit.progress import Progress

CANARY = 0.15  # a round in which fixed work took so much longer or shorter counts for nothing
WINDOW, SHORT = 0.25, 0.02
MARGIN_SECONDS = 240.0


class DuelFailed(Exception):
    """A worker died, or a primitive did what it must never do; says on which side."""


@dataclasses.dataclass
class Duel:
    """Base and head, and how they are measured. Main thread only."""

    base: Build
    head: Build
    harness: pathlib.Path
    folder: pathlib.Path
    interrupts: child.Interrupts
    window: float = WINDOW

    def check(self) -> None:
        """Make sure that each side imports its own build.

        Raises DuelFailed or child.Interrupted.
        """
        for side in (self.base, self.head):
            done = child.run(
                [sys.executable, "-P", "-c", f"import {OWN}._core as c; print(c.__file__)"],
                cwd=str(self.folder),
                env=side.environment(self.harness),
                limit=MARGIN_SECONDS,
                interrupts=self.interrupts,
            )
            if done.fault or not pathlib.Path(done.stdout.strip()).is_relative_to(side.folder):
                raise DuelFailed(
                    f"{side.name}: imports {done.stdout}{done.stderr}, not {side.folder}"
                )

    def count(self, cases: Sequence[str]) -> list[Judged]:
        """Compare instructions; one that is slower is counted a second time.

        Raises instructions.CannotCount or child.Interrupted.
        """
        first = self._counted(cases)
        if suspects := [each.case for each in first if each.finding is GateVerdict.SLOWER]:
            return verdicts.confirmed(first, self._counted(suspects))
        return first

    def _counted(self, cases: Sequence[str]) -> list[Judged]:
        base, head = (
            instructions.count([OWN], cases, self.interrupts, side.environment(self.harness))
            for side in (self.base, self.head)
        )
        found = []
        for case in cases:
            own, before = head[OWN, case], base[OWN, case]
            ratio = own.instructions / before.instructions
            slower = ratio > instructions.THRESHOLD or own.blocks > max(before.blocks, 0)
            finding = GateVerdict.SLOWER if slower else GateVerdict.SAME
            if ratio < 1 / instructions.THRESHOLD and not slower:
                finding = GateVerdict.FASTER
            found.append(Judged(case, Interval(ratio, ratio, ratio), 0.0, finding))
        return found

    def measure(
        self, cases: Sequence[Case], rounds: int, what: str
    ) -> tuple[list[Measurement], list[Measurement]]:
        """Measure the cases in so many rounds of each side.

        Raises DuelFailed or child.Interrupted.
        """
        found: dict[str, list[Measurement]] = {"base": [], "head": []}
        progress = Progress(2 * rounds)
        for done, (number, side) in enumerate(alternate(("base", "head"), rounds)):
            progress.show(done, what, f"round {number + 1} of {rounds}, {side}")
            found[side] += self._round(side, cases, number, progress)
        progress.clear()
        return found["base"], found["head"]

    def clock(
        self, cases: Sequence[Case], rounds: int, threshold: float
    ) -> tuple[list[Judged], list[Measurement], list[Measurement]]:
        """Measure; once more what is undecided; once more apart what seems slower.

        Returns what was found, and all but the confirming measurements of base and head. Raises
        DuelFailed or child.Interrupted.
        """
        base, head = self.measure(cases, rounds, "clock")
        judged = verdicts.judge(sides(cases, base, head), threshold)
        doubtful = {each.case for each in judged if each.finding is GateVerdict.UNSURE}
        if doubtful:
            again = [case for case in cases if case.id in doubtful]
            more = self.measure(again, rounds, "clock, what is inconclusive")
            base, head = base + later(more[0], rounds), head + later(more[1], rounds)
            judged = verdicts.judge(sides(cases, base, head), threshold)
        suspects = {each.case for each in judged if each.finding is GateVerdict.SLOWER}
        if suspects:
            again = [case for case in cases if case.id in suspects]
            apart = self.measure(again, rounds, "clock, confirming what is slower")
            judged = verdicts.confirmed(judged, verdicts.judge(sides(again, *apart), threshold))
        return judged, base, head

    def _round(
        self, side: str, cases: Sequence[Case], number: int, progress: Progress
    ) -> list[Measurement]:
        build = self.base if side == "base" else self.head
        out, paper = self.folder / "out", self.folder / "order"
        out.write_text("")
        limit = MARGIN_SECONDS + 10 * self.window * len(cases)
        jobs = [(case.metadata(), OWN) for case in cases]
        order = Order(str(out), jobs, self.window, SHORT, True, limit)
        paper.write_text(json.dumps(dataclasses.asdict(order)))
        ended = child.run(
            [sys.executable, "-P", "-m", "perf.worker.round", str(paper)],
            cwd=str(self.folder),
            env=build.environment(self.harness),
            limit=limit + MARGIN_SECONDS,
            interrupts=self.interrupts,
            tick=progress.tick,
        )
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        for line in lines:
            if "broken" in line:
                raise DuelFailed(f"{side} ({build.name}): {line['broken']}")
        if ended.fault:
            raise DuelFailed(f"{side} ({build.name}): {ended.fault}\n{ended.stderr[-3000:]}")
        known: dict[str, Any] = {"ftt_commit": build.commit, "ftt_dirty": int(build.dirty)}
        for line in lines:
            known |= line.get("metadata", {})
        return [
            _measurement(cases[line["index"]], number, line, known)
            for line in lines
            if "values" in line
        ]


def _measurement(
    case: Case, number: int, line: Mapping[str, Any], known: Mapping[str, Any]
) -> Measurement:
    one = Round(number, tuple(line["values"]), line["metrics"], {**known, **line["notes"]})
    return Measurement(case, OWN, (one,), line["unit"])


def later(found: Sequence[Measurement], rounds: int) -> list[Measurement]:
    """Number rounds on from those that were before."""
    return [
        dataclasses.replace(
            each,
            rounds=tuple(
                dataclasses.replace(one, number=one.number + rounds) for one in each.rounds
            ),
        )
        for each in found
    ]


def sides(
    cases: Sequence[Case], base: Sequence[Measurement], head: Sequence[Measurement]
) -> dict[str, Sides]:
    """Return each case's medians, one a round, without those of a disturbed machine."""
    found: dict[str, Sides] = {}
    for case in cases:
        both = [[each for each in side if each.case == case] for side in (base, head)]
        canaries = [
            [each.rounds[0].metrics.get("ftt_canary", 1.0) for each in side] for side in both
        ]
        fit = steady([*canaries[0], *canaries[1]], CANARY) if any(canaries) else []
        kept = iter(fit)
        values = [[each.median for each in side if next(kept)] for side in both]
        found[case.id] = (values[0], values[1])
    return found
