"""`python -m perf run`: measure the cases of a tier, or those named, and keep the result."""

import argparse
import json
import pathlib
import resource
import shlex
import sys

from perf.cases.catalogue import TIERS
from perf.cli import result_names
from perf.cli.options import add_implementations, implementations
from perf.results import provenance, store
from perf.results.store import BadResult
from perf.runner.session import FOREVER, MeasurementFailed, MeasurementPlan, Session
from toolkit import address, child, machine
from toolkit.exits import Exit

TIER = "gate"
UNFINISHED = "unfinished"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--tier", choices=TIERS, help=f"how much is measured (default {TIER})")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="of all cases those of this name (`lock.with`, `'*T4*attribute'`), primitive or kind, "
        "as long as the tier measures; more than once is more",
    )
    add_implementations(parser)
    parser.add_argument("--rounds", type=int, help="rounds of each case (default: the tier's)")
    parser.add_argument(
        "--no-pin", dest="pin", action="store_false", help="leave threads to the scheduler"
    )
    parser.add_argument(
        "--budget", type=float, default=FOREVER, metavar="SECONDS", help="begin no case later"
    )
    parser.add_argument(
        "--resume",
        metavar="RESULT",
        help="go on with a result folder, or `last`, as it was begun; `unfinished`: the last one "
        "of the same commit and options where it is not whole, else a new one",
    )
    result_names.add_output(parser)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON instead")


def resumed(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> tuple[MeasurementPlan, pathlib.Path]:
    """Return the plan and the folder of a result that was begun; end with a usage error."""
    here = (provenance.identity(), provenance.tag())
    path = pathlib.Path(options.resume)
    if options.resume == "last":
        known = store.find(options.output, *here)
        if not known:
            parser.error(f"--resume last: no result of this machine and interpreter below {path}")
        path = known[-1]
    try:
        result = store.read(path)
        plan = MeasurementPlan.of(str(result.metadata["ftt_plan"]))
    except (BadResult, KeyError, ValueError, TypeError) as error:
        parser.error(f"--resume: {error}")
    if (result.machine, result.tag) != here:
        parser.error(f"--resume: {path} is of another machine or interpreter")
    if (result.commit, result.dirty) != provenance.checkout():
        parser.error(f"--resume: {path} is of another commit than what is checked out")
    return plan, path


def planned(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> tuple[MeasurementPlan, pathlib.Path]:
    """Return the plan that the options make, and a new folder; end with a usage error."""
    tier = TIERS[options.tier or TIER]
    impls = tuple(side.name for side in implementations(parser, options))
    rounds = tier.rounds if options.rounds is None else options.rounds
    plan = MeasurementPlan(tier.name, impls, rounds, tuple(options.only), options.pin)
    try:
        plan.cases()
    except LookupError as error:
        parser.error(f"--only {error}: no such case; `{address.command('perf')} list` names all")
    here = (options.output, provenance.identity(), provenance.tag())
    commit, dirty = provenance.checkout()
    if options.resume == UNFINISHED and not dirty:
        for path in reversed(store.find(*here, commit=commit)):
            if unfinished(path, plan):
                return plan, path
    return plan, store.new_folder(*here, commit, dirty)


def unfinished(path: pathlib.Path, plan: MeasurementPlan) -> bool:
    """Say whether a result is of this plan, of unchanged files, and not whole."""
    try:
        result = store.read(path)
    except BadResult:
        return False
    parts = [each for cases in result.measurements.values() for each in cases.values()]
    done = sum(len(each.rounds) for each in parts)
    same = result.metadata.get("ftt_plan") == plan.text() and not result.dirty
    return same and done < plan.total()


def reproduce(plan: MeasurementPlan, failure: MeasurementFailed) -> str:
    """Return the command that shows a failure again."""
    words = [sys.executable, *address.words("perf"), "run", "--tier", plan.tier]
    words += ["--impl", ",".join(plan.impls)]
    for pattern in [failure.job[0].id] if failure.job else plan.only:
        words += ["--only", pattern]
    return f"to see it again: cd {shlex.quote(str(address.ROOT))} && {shlex.join(words)}"


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Measure; return the exit code."""
    anew = options.resume in (None, UNFINISHED)
    if not anew and (options.tier or options.only or options.rounds):
        parser.error("--resume goes on with the result's own --tier, --only and --rounds")
    plan, path = (planned if anew else resumed)(parser, options)
    # A hung worker is aborted for its stacks, not for a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    interrupts = child.Interrupts()
    interrupts.watch()
    session = Session(plan, path, options.budget, interrupts)
    if not options.json:
        already = f", {session.done} of them done" if session.done else ""
        print(
            f"{machine.summary()}\ntier {plan.tier}: {session.total} measurements of "
            f"{len(plan.cases())} cases{already}, about {plan.estimate():.0f} s\n",
            flush=True,
        )
    try:
        whole = session.run()
    except MeasurementFailed as failure:
        verdict = f"FAILED: {failure}\n{reproduce(plan, failure)}"
        return finish(session, options, verdict, 1)
    except child.Interrupted as interrupted:
        print(f"interrupted by {interrupted}; {go_on(session)}", file=sys.stderr)
        return child.die_of(interrupted.signum)
    return finish(session, options, *judged(session, whole))


def go_on(session: Session) -> str:
    """Say how the rest can be measured."""
    if not session.parts:
        return "nothing was measured"
    return f"to go on: {address.command('perf')} run --resume {session.path}"


def judged(session: Session, whole: bool) -> tuple[str, int]:
    """Return the verdict and the exit code of a run in which nothing was broken."""
    verdict = f"{session.done} of {session.total} measured, all results right"
    if session.rejected:
        names = sorted({f"{case.id} ({impl})" for case, impl in session.rejected})
        lost = sum(len(why) for why in session.rejected.values())
        verdict += f"; {lost} rejected, for threads did not overlap: {', '.join(names)}"
        if lost > session.total / 2:
            return f"TOO NOISY: {verdict}", Exit.TOO_LITTLE
    if not session.parts:
        return f"the time was over before anything was measured: {verdict}", Exit.TOO_LITTLE
    if not whole:
        verdict += f"; the time is over, {go_on(session)}"
    return verdict, 0


def finish(session: Session, options: argparse.Namespace, verdict: str, code: int) -> int:
    """Print where the result is, and the verdict; return the exit code."""
    kept = str(session.path) if session.parts else ""
    if options.json:
        plain = {"result": kept, "verdict": verdict, "code": code, "measured": session.done}
        print(json.dumps(plain))
        return code
    if kept:
        print(f"result: {kept}\nmore: {address.command('perf')} compare {kept}")
    print(f"VERDICT: {verdict}", file=sys.stderr if code == 1 else sys.stdout, flush=True)
    return code
