"""What came out of tests on two sides, `threading` and ftthreading, and whether that is alike.

What a test ends with on ours it has to end with on theirs, in one of its runs; or it passes.
So a test that fails now and then under `threading` too is told, but does not count.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from ci.sides import Side
from toolkit.child import Process
from toolkit.progress import Progress

TAIL = 60  # lines shown of what a failure said: as many as the stacks of a few threads
SHOWN = 40  # tests that differ of which a line is shown
AGAIN = 3  # times that what differs runs once more
EXIT = "exit code"


@dataclasses.dataclass
class File:
    """What came out of one test file, or of one suite, on one side, over all its runs.

    outcomes: what each test ended with, and the interpreter under the name EXIT.
    texts: what a test that failed had to say.
    """

    outcomes: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    texts: dict[str, str] = dataclasses.field(default_factory=dict)

    def add(self, name: str, outcome: str, text: str = "") -> None:
        """Note one end of a test."""
        self.outcomes.setdefault(name, set()).add(outcome)
        if text:
            self.texts[name] = text

    def merge(self, other: "File") -> None:
        """Note what came out of one more run."""
        for name, ends in other.outcomes.items():
            self.outcomes.setdefault(name, set()).update(ends)
        self.texts.update(other.texts)

    def of(self, name: str) -> set[str]:
        """Return what one test ended with."""
        return self.outcomes.get(name, {"not run"})

    def counts(self) -> dict[str, int]:
        """Return how many tests ended in which way."""
        ends = ["/".join(sorted(self.of(name))) for name in self.outcomes if name != EXIT]
        return {end: ends.count(end) for end in sorted({*ends})}


def alike(theirs: set[str], ours: set[str]) -> bool:
    """Whether all that came out on our side, but for passing, came out on theirs."""
    return ours <= theirs or (ours - {"passed", "0"} <= theirs and "not run" not in theirs)


def differing(theirs: File, ours: File, known: Collection[str]) -> list[str]:
    """Return the names of the tests in which our side differs from theirs, but for `known` ones."""
    names = {*theirs.outcomes, *ours.outcomes}
    found = {name for name in names if not alike(theirs.of(name), ours.of(name))}
    if {len(theirs.outcomes), len(ours.outcomes)} > {1}:
        return [EXIT]  # one side has no tests at all
    accepted = found & {*known}
    if accepted and found == {*accepted, EXIT}:
        return []  # it was these that made the exit code
    return sorted(found - accepted)


def unsteady(theirs: File, ours: File, names: Collection[str]) -> list[str]:
    """Return the tests, but for `names`, that did not end each time as they did on the other side.

    They fail now and then under `threading` too, or pass on our side alone.
    """
    others = sorted({*theirs.outcomes, *ours.outcomes} - {*names})
    return [name for name in others if theirs.of(name) != ours.of(name) or len(ours.of(name)) > 1]


def describe(theirs: File, ours: File, test: str) -> str:
    """Say what one test ended with on either side."""
    ends = (" or ".join(sorted(file.of(test))) for file in (theirs, ours))
    return "{} under threading, {} under ftthreading".format(*ends)


def tell(
    theirs: File,
    ours: File,
    names: Sequence[str],
    known: Mapping[str, str],
    command: Callable[[str], str],
) -> None:
    """Print what differs (`names`), with the command that shows it again, and what is unsteady."""
    for test in unsteady(theirs, ours, names):
        print(f"    {test}: {describe(theirs, ours, test)}; {known.get(test, 'not counted')}")
    shown: set[str] = set()
    for test in names[:SHOWN]:
        print(f"    {test}: {describe(theirs, ours, test)}")
        said = ours.texts.get(test) or theirs.texts.get(test, "")
        text = said.rstrip().splitlines()[-TAIL:]
        if {*text[-1:]} <= shown or (test == EXIT and len(names) > 1):
            continue  # many tests may have failed for one reason
        shown |= {*text[-1:]}
        print("\n".join(f"        {line}" for line in text))
        print(f"    to see it again: {command(test)}", flush=True)
    if len(names) > SHOWN:
        print(f"    and {len(names) - SHOWN} more that differ", flush=True)


def compare(
    both: Sequence[Side],
    run: Callable[[Side, int, Sequence[str]], File],
    known: Collection[str],
    again: int,
) -> tuple[File, File, list[str]]:
    """Run on both sides, and `again` times once more while they differ.

    run: gets the side, the number of the run, and what has differed so far (first nothing).
    Returns their side, ours, and the names of the tests that differ.
    """
    theirs, ours = files = File(), File()
    names: list[str] = []
    for number in range(1 + again):
        for side, file in zip(both, files, strict=True):
            file.merge(run(side, number, names))
        if not (names := differing(theirs, ours, known)):
            break
    return theirs, ours, names


def launch(
    command: Sequence[str],
    folder: Path,
    log: Path,
    limit: float,
    show: Progress,
    *,
    environment: Mapping[str, str],
    look: Callable[[], None] = lambda: None,
) -> int:
    """Run a command for `limit` seconds at most; return its exit code.

    What it says goes to `log`. look: called all along, to say how far it is. Raises Interrupted.
    """

    def tick() -> None:
        look()
        show.tick()

    with (
        log.open("wb") as output,
        Process(command, cwd=folder, env=environment, output=output) as process,
    ):
        process.watch(limit, tick=tick)
    code = process.exit_code()
    assert code is not None
    return code
