"""`python -m perf doctor`: what disturbs measurements on this machine, and what to do about it."""

import argparse
import dataclasses
import os
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable

import psutil

from perf import native
from perf.native import wait_costs
from perf.results import provenance
from toolkit import machine
from toolkit.exits import Exit
from toolkit.machine import CPU, read
from toolkit.tables import table

LOOK_SECONDS = 1.0
CANARY_STEPS = 1_000_000
# Beyond these nothing can be told from noise.
WORST_STEAL = 0.05
WORST_CANARY = 0.10
GOOD_CANARY = 0.03

GOOD, NOISE, SPOILT = "good", "noise", "SPOILT"


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """What was looked at, how it is, what it does to measurements and what helps."""

    what: str
    how: str
    grade: str = GOOD
    remedy: str = ""


def cpus() -> Disturbance:
    usable = machine.usable_cpus()
    if usable >= 4:
        return Disturbance("processors", f"{usable} usable")
    remedy = "more than so many threads are oversubscribed: nothing here shows scaling"
    return Disturbance("processors", f"{usable} usable", NOISE, remedy)


def load() -> Disturbance:
    one = os.getloadavg()[0]
    share = one / machine.usable_cpus()
    how = f"{one:.2f} in the last minute"
    if share <= 0.1:
        return Disturbance("load", how)
    return Disturbance(
        "load", how, SPOILT if share > 0.75 else NOISE, "end what else runs, or wait"
    )


def stolen() -> Disturbance:
    """Look for a second whether the hypervisor gives the processors to others."""
    times = psutil.cpu_times_percent(LOOK_SECONDS)
    share = getattr(times, "steal", 0.0) / 100  # Linux alone knows it
    how = f"{share:.1%} of the last second"
    if share < 0.005:
        return Disturbance("steal time", how)
    grade = SPOILT if share > WORST_STEAL else NOISE
    return Disturbance("steal time", how, grade, "a host with fewer guests; more rounds")


def steadiness() -> Disturbance:
    """Do the same work for a while and see how its time spreads."""
    times = []
    end = time.monotonic() + LOOK_SECONDS
    while time.monotonic() < end:
        times.append(native.canary(CANARY_STEPS))
    middle = statistics.median(times)
    spread = statistics.median(abs(each / middle - 1) for each in times)
    late = sum(each > 1.5 * middle for each in times) / len(times)
    how = f"the same work takes +- {spread:.1%}; {late:.1%} of runs are interrupted"
    worst = max(spread, late)
    if worst <= GOOD_CANARY:
        return Disturbance("steadiness", how)
    grade = SPOILT if worst > WORST_CANARY else NOISE
    return Disturbance("steadiness", how, grade, "a quiet machine; fixed frequency; more rounds")


def governor() -> Disturbance:
    name = machine.governor()
    if name in ("performance", ""):
        return Disturbance(
            "frequency governor", name or "not shown (a virtual machine's host has it)"
        )
    return Disturbance("frequency governor", name, NOISE, "python -m pyperf system tune (as root)")


def turbo() -> Disturbance:
    on = read(CPU / "intel_pstate/no_turbo") == "0" or read(CPU / "cpufreq/boost") == "1"
    if not on:
        return Disturbance("turbo", "off, or not shown")
    remedy = "python -m pyperf system tune (as root); one thread runs faster than many"
    return Disturbance("turbo", "on", NOISE, remedy)


def smt() -> Disturbance:
    if read(CPU / "smt/active") != "1":
        return Disturbance("simultaneous multithreading", "off, or not shown")
    remedy = "two threads on one core: echo off > /sys/devices/system/cpu/smt/control (as root)"
    return Disturbance("simultaneous multithreading", "on", NOISE, remedy)


def virtual() -> Disturbance:
    where = machine.virtualised()
    if not where:
        return Disturbance("virtual machine", "no")
    remedy = "how far apart two processors are may change: compare only what ran by turns (`ab`)"
    return Disturbance("virtual machine", where, NOISE, remedy)


def quota() -> Disturbance:
    limit = machine.cpu_quota()
    first, _, period = limit.partition(" ")
    if not first.isdecimal():
        return Disturbance("limit of the control group", limit or "none shown")
    share = int(first) / max(1, int(period or 100_000))
    grade = SPOILT if share < machine.usable_cpus() else NOISE
    how = f"{share:g} CPUs for {machine.usable_cpus()} usable"
    return Disturbance(
        "limit of the control group", how, grade, "no limit: threads are stopped by it"
    )


def isolated() -> Disturbance:
    cores = read(CPU / "isolated")
    if not cores:
        return Disturbance("isolated processors", "none")
    remedy = "the scheduler does not spread threads over them: do not use --no-pin"
    return Disturbance("isolated processors", cores, NOISE, remedy)


def gil() -> Disturbance:
    if not machine.gil_enabled():
        return Disturbance("GIL", "off")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        remedy = "unset PYTHON_GIL, leave out -X gil=1"
        return Disturbance("GIL", "on, in a free-threaded build", SPOILT, remedy)
    return Disturbance("GIL", "on", NOISE, "threads run by turns: use a free-threaded build")


def build() -> Disturbance:
    flags = str(sysconfig.get_config_var("CFLAGS"))
    debug = hasattr(sys, "gettotalrefcount")
    slow = [
        word for word in ("-O0", "-Og", "-O1", "-fsanitize=thread", "--coverage") if word in flags
    ]
    if debug or slow:
        how = ", ".join((["debug build"] if debug else []) + slow)
        return Disturbance("interpreter", how, SPOILT, "a release build: ci/env 3.13t")
    level = next((word for word in reversed(flags.split()) if word.startswith("-O")), "no -O")
    return Disturbance("interpreter", f"{provenance.tag()}, release, {level}")


def surroundings() -> Disturbance:
    set_here = [
        name
        for name in (
            "PYTHONMALLOC",
            "PYTHONDEVMODE",
            "PYTHONTRACEMALLOC",
            "PYTHONPROFILEIMPORTTIME",
        )
        if os.environ.get(name)
    ]
    if sys.gettrace() or sys.getprofile():
        set_here.append("a trace or profile function")
    if not set_here:
        return Disturbance("debugging aids", "none")
    return Disturbance("debugging aids", ", ".join(set_here), SPOILT, "unset them")


def waiting() -> Disturbance:
    found = ", ".join(f"{what} {ns:,.0f} ns" for what, ns in wait_costs.measure().items())
    return Disturbance("what waiting costs", found)


CHECKS: tuple[Callable[[], Disturbance], ...] = (
    cpus,
    load,
    stolen,
    steadiness,
    governor,
    turbo,
    smt,
    virtual,
    quota,
    isolated,
    gil,
    build,
    surroundings,
    waiting,
)


def configure(_parser: argparse.ArgumentParser) -> None:
    """Add no options."""


def main(_parser: argparse.ArgumentParser, _options: argparse.Namespace) -> int:
    """Look, and say what was found; return the exit code."""
    print(f"{machine.summary()}\nlooking for {2 * LOOK_SECONDS:g} s\n", flush=True)
    return tell([check() for check in CHECKS])


def tell(findings: list[Disturbance]) -> int:
    """Print the findings, the worst first; return the exit code."""
    order = (SPOILT, NOISE, GOOD)
    findings = sorted(findings, key=lambda each: order.index(each.grade))
    rows = [(each.grade, each.what, each.how, each.remedy) for each in findings]
    print(table(("", "what", "how it is", "what to do about it"), rows, left=4))
    spoilt = [each.what for each in findings if each.grade == SPOILT]
    noise = [each.what for each in findings if each.grade == NOISE]
    if spoilt:
        print(f"\nVERDICT: TOO NOISY to tell anything by wall-clock time: {', '.join(spoilt)}")
        return Exit.TOO_LITTLE
    print(f"\nVERDICT: can measure; adds noise: {', '.join(noise) or 'nothing'}")
    return 0
