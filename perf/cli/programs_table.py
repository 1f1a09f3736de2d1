"""The table of programs that ran under two modules, and what all its rounds say."""

import statistics
from collections.abc import Sequence

from perf.analysis.rounds import Spread, judge, ratios
from perf.results.case import BASE, OWN
from perf.runner.programs import Found, ProgramRun
from toolkit.tables import table


def _ratio(results: dict[str, list[ProgramRun]], field: str) -> Spread:
    times = {side: [getattr(run, field) for run in runs] for side, runs in results.items()}
    return ratios(times[BASE], times[OWN])


def show(found: Found, rounds: int, notes: Sequence[str]) -> None:
    """Print the table, what its columns mean, the notes, and the verdict."""
    rows = []
    verdicts: dict[str, list[str]] = {}
    speedups, savings = [], []
    for name, results in found.items():
        speedup, saving = _ratio(results, "seconds"), _ratio(results, "cpu")
        verdict = judge(speedup, rounds)
        verdicts.setdefault(verdict, []).append(name)
        speedups.append(speedup.median)
        savings.append(saving.median)
        rows.append(
            [
                name,
                *(str(Spread.of([run.seconds for run in runs])) for runs in results.values()),
                f"{speedup.median:.2f}x",
                f"{speedup.low:.2f}-{speedup.high:.2f}",
                f"{saving.median:.2f}x",
                verdict,
            ]
        )
    if len(found) > 1:
        means = [f"{statistics.geometric_mean(values):.2f}x" for values in (speedups, savings)]
        rows.append(["geometric mean", "", "", means[0], "", means[1], ""])
    sides = next(iter(found.values()))
    heads = ["program", *(f"{side}, s" for side in sides)]
    print(table([*heads, "ratio", "range", "CPU ratio", "all rounds say"], rows))
    print(
        f"\nMedians (lowest-highest) of {rounds} alternating rounds. "
        "ratio = threading's time / ftthreading's: above 1, ftthreading is faster. "
        "CPU ratio = the same of processor time (user and system, of all threads)."
    )
    for note in filter(None, notes):
        print(note)
    summary = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in verdicts.items())
    print(f"VERDICT: all answers equal. {summary}.")
