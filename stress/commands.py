"""What each command does; `__main__` has their options."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from perf.report import table

from . import journal, plan, probe, report
from .doctor import doctor
from .mutants import mutants
from .nemesis import NEMESES
from .plan import MODES, Options
from .repro import repro
from .runner import Runner
from .selftest import selftest
from .totals import Exit

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
    if not value > 0:
        raise Usage(f"a budget of {text} is no time at all")
    return value


def files_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    return tuple(str(Path(path).resolve()) for path in arguments.scenarios)


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
        until_failure=arguments.until_failure,
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
    """Run scenarios."""
    options = options_of(arguments)
    plan.chosen(options.only, options.files)
    about = probe.ask(sys.executable, options.target)
    run = journal.new_run(arguments.runs, options, about)
    limit = "until something is found" if options.until_failure else f"for {options.budget:g} s"
    print(
        f"running {len(plan.Plan(options, True).scenarios)} scenarios on {options.target}"
        f" ({about['version']}{'t' if about['free_threaded'] else ''}) {limit},"
        f" seed {options.seed}, in {run.folder}",
        flush=True,
    )
    verdict = Runner(run).go()
    print(report.text(run, arguments.runs))
    if arguments.json:
        report.write_json(run, arguments.json)
    if arguments.junit:
        report.write_junit([run], arguments.junit, arguments.runs)
    return verdict


def cmd_repro(arguments: argparse.Namespace) -> Exit:
    """Show a finding again."""
    finding = journal.find_finding(arguments.runs, arguments.finding)
    return repro(finding, arguments.seconds, arguments.runs, sys.executable)


def cmd_selftest(arguments: argparse.Namespace) -> Exit:
    """Measure the harness."""
    names = list(mutants())
    if arguments.mutants == "none":
        names = []
    elif arguments.mutants != "all":
        wanted = arguments.mutants.split(",")
        if unknown := [name for name in wanted if name not in names]:
            raise Usage(f"no mutant {', '.join(unknown)}; there are {', '.join(names)}")
        names = wanted
    if arguments.seeds < 1 or not arguments.slice > 0 or arguments.golden < 0:
        raise Usage("--seeds and --slice must be above zero, --golden not below")
    return selftest(names, arguments.seeds, arguments.slice, arguments.golden, arguments.json)
