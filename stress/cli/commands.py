"""What each command does; `command_line` has their options."""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import sys
from pathlib import Path

from toolkit.exits import Exit
from toolkit.tables import table

from ..engine import journal, plan, probe
from ..engine.journal import Run
from ..engine.plan import MODES, Options
from ..engine.runner import Runner
from ..mutation.matrix import Record
from ..mutation.planted import HISTORY, planted
from ..mutation.selftest import Selftest, selftest
from ..nemeses.catalogue import NEMESES
from . import compare, exports, page, report
from .doctor import doctor
from .repro import repro

KNOWN = Path(__file__).parents[1] / "known"
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Usage(Exception):
    """The command line does not make sense."""


def seconds(text: str) -> float:
    """Read a time: 90, 90s, 15m, 8h. Raises Usage."""
    unit = UNITS.get(text[-1:], 0.0)
    try:
        value = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        raise Usage(f"{text!r} is not a time such as 90s, 15m or 8h") from None
    if not 0 < value < float("inf"):
        raise Usage(f"a budget of {text} is no time" + " at all" * (not value > 0))
    return value


def files_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    return tuple(str(Path(path).resolve()) for path in arguments.scenarios)


def shard_of(text: str) -> tuple[int, int]:
    """Read ``3/8``. Raises Usage."""
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise Usage(f"--shard {text}: something like 3/8 is meant")
    return int(part), int(parts)


def known_in(name: str) -> tuple[str, ...]:
    """Read a file of known findings, or one that is shipped by this name. Raises Usage."""
    shipped = KNOWN / f"{name}.txt"
    try:
        path = Path(name) if Path(name).is_file() or not shipped.exists() else shipped
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"--known {name}: {error}") from None
    found = [line.partition("#")[0].split() for line in lines]
    return tuple(" ".join(words) for words in found if words)


def options_of(arguments: argparse.Namespace) -> Options:
    """Return the options that a `run` command line stands for. Raises Usage."""
    nemeses = tuple(NEMESES)
    if arguments.nemesis is not None:
        words = [word for word in arguments.nemesis.split(",") if word and word != "none"]
        if unknown := [word for word in words if word not in NEMESES]:
            raise Usage(f"no nemesis {', '.join(unknown)}; there are {', '.join(NEMESES)}")
        nemeses = tuple(words)
    try:
        threads = plan.thread_counts(arguments.threads) if arguments.threads else ()
    except ValueError as error:
        raise Usage(f"--threads {arguments.threads}: {error}") from None
    seed = random.SystemRandom().randrange(10**9) if arguments.seed is None else arguments.seed
    return Options(
        target=arguments.target,
        budget=seconds(arguments.budget) if arguments.budget else MODES[arguments.mode],
        threads=threads or plan.default_threads(),
        seed=seed,
        nemeses=nemeses,
        only=arguments.only,
        shard=shard_of(arguments.shard),
        until_failure=arguments.until_failure,
        exit_first=arguments.exit_first,
        known=known_in(arguments.known) if arguments.known else (),
        files=files_of(arguments),
    )


def cmd_list(arguments: argparse.Namespace) -> Exit:
    """Print scenarios and nemeses."""
    chosen = plan.chosen(arguments.only, files_of(arguments))
    rows = [[name, cls.subjects or "-", cls.summary()] for name, cls in chosen.items()]
    print(table(["scenario", "subjects", "what must hold"], rows, left=3))
    print()
    rows = [[name, nemesis.doc] for name, nemesis in NEMESES.items()]
    print(table(["nemesis", "what it does"], rows, left=2))
    return Exit.NOTHING_FOUND


def cmd_doctor(arguments: argparse.Namespace) -> Exit:
    """Look at this machine and interpreter."""
    return doctor(sys.executable, arguments.target)


def cmd_run(arguments: argparse.Namespace) -> Exit:
    """Run scenarios, on each interpreter and target; the gravest verdict counts."""
    check_reports(arguments)
    runs = prepared(arguments)
    verdicts = []
    for run in runs:
        announce(run)
        verdicts.append(Runner(run).go())
        print(report.text(run, arguments.output) + "\n", flush=True)
        if run.info["summary"]["stopped"]:
            break
    done = runs[: len(verdicts)]
    write_reports(arguments, done)
    if arguments.vs and len(done) > 1:
        for left, right in zip(done[1::2], done[::2], strict=False):
            print(compare.compare(left, right)[0])
    return gravest(verdicts)


def prepared(arguments: argparse.Namespace) -> list[Run]:
    """Return the runs that a command line stands for, the old one to go on with or new ones."""
    if arguments.resume:
        return [journal.open_run(arguments.output, arguments.resume)]
    base = options_of(arguments)
    plan.chosen(base.only, base.files)
    targets = [base.target, *([arguments.vs] if arguments.vs else [])]
    pythons = arguments.python or [sys.executable]
    budget = base.budget / (len(targets) * len(pythons))
    cells = [
        (dataclasses.replace(base, target=t, python=p, budget=budget), probe.ask(p, t))
        for p in pythons
        for t in targets
    ]
    return [journal.new_run(arguments.output, options, about) for options, about in cells]


def announce(run: Run) -> None:
    """Say what is about to be done."""
    options, about = run.options, run.info["python"]
    limit = "until something is found" if options.until_failure else f"for {options.budget:g} s"
    part = "" if options.shard == (1, 1) else f", shard {options.shard[0]}/{options.shard[1]}"
    planned = plan.Plan(options, probe.unfit(about), about["names"]).scenarios
    print(
        f"running {len(planned)} scenarios on {options.target}"
        f" ({about['version']}{'t' if about['free_threaded'] else ''}) {limit},"
        f" seed {options.seed}{part}, in {run.folder}",
        flush=True,
    )


def gravest(verdicts: list[Exit]) -> Exit:
    """Return the verdict that counts: a finding before a failure before too little."""
    order = (Exit.FOUND, Exit.BROKEN, Exit.TOO_LITTLE, Exit.NOTHING_FOUND)
    return min(verdicts, key=order.index)


def check_reports(arguments: argparse.Namespace) -> None:
    """See to it that what is asked for can be written in the end. Raises Usage."""
    for name in ("json", "junit", "sarif", "html"):
        path: Path | None = getattr(arguments, name)
        if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
            raise Usage(f"--{name} {path}: cannot be written")


def write_reports(arguments: argparse.Namespace, runs: list[Run]) -> None:
    """Write the files that were asked for."""
    if arguments.json:
        exports.write_json(runs, arguments.json, arguments.output)
    if arguments.junit:
        exports.write_junit(runs, arguments.junit, arguments.output)
    if arguments.sarif:
        exports.write_sarif(runs, arguments.sarif, arguments.output)
    if arguments.html:
        past = journal.all_runs(arguments.output)
        arguments.html.write_text(page.page(runs, past, arguments.output), encoding="utf-8")


def cmd_report(arguments: argparse.Namespace) -> Exit:
    """Print, or write, what a run has found."""
    check_reports(arguments)
    run = journal.open_run(arguments.output, arguments.run)
    if "summary" not in run.info:
        Runner(run).conclude()
    print(report.text(run, arguments.output))
    write_reports(arguments, [run])
    return Exit(run.info["summary"]["exit"])


def cmd_compare(arguments: argparse.Namespace) -> Exit:
    """Compare two runs."""
    left, right = (journal.open_run(arguments.output, name) for name in arguments.run)
    text, verdict = compare.compare(left, right)
    print(text)
    return verdict


def cmd_history(arguments: argparse.Namespace) -> Exit:
    """Print all runs."""
    print(compare.history(journal.all_runs(arguments.output)))
    return Exit.NOTHING_FOUND


def cmd_repro(arguments: argparse.Namespace) -> Exit:
    """Show a finding again."""
    finding = journal.find_finding(arguments.output, arguments.finding)
    python = arguments.python or sys.executable
    return repro(finding, arguments.seconds, arguments.output, python)


def cmd_selftest(arguments: argparse.Namespace) -> Exit:
    """Measure the harness."""
    families = {one.family for one in planted().values()}
    families &= {HISTORY} if arguments.held_out else families - {HISTORY}
    every = {name: one for name, one in planted().items() if one.family in families}
    names = list(every)
    if arguments.only == "none":
        names = []
    elif arguments.only != "all":
        wanted = arguments.only.split(",")
        if unknown := [name for name in wanted if name not in names]:
            raise Usage(f"no mutant {', '.join(unknown)}; there are {', '.join(names)}")
        names = wanted
    if arguments.held_out and arguments.focused:
        raise Usage("--focused is for mutants: a held-out bug has no scenarios of its own")
    if arguments.seeds < 1 or arguments.golden < 0:
        raise Usage("--seeds must be above zero, --golden not below")
    test = Selftest(
        [every[name] for name in names],
        arguments.seeds,
        seconds(arguments.budget),
        arguments.golden,
        Record(arguments.record),
        focused=arguments.focused,
        known=known_in(arguments.known) if arguments.known else (),
    )
    return selftest(test, shard_of(arguments.shard), arguments.resume, arguments.json)
