"""Says whether a run here would mean anything, and what is missing for a better one."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from toolkit.exits import Exit
from toolkit.machine import cpu_model

from ..engine import probe
from ..engine.catalogue import find
from ..engine.children import Children
from ..engine.runner import reservations
from ..records.batch import Batch


def quota() -> str:
    """Return the processors that the control group allows, in words."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return "no quota" if limit == "max" else f"{int(limit) / int(period):.2f} CPUs by quota"
    except (OSError, ValueError):
        return "no quota known"


def controls(python: str, target: str) -> list[str]:
    """Run the scenarios that must show something; return what they did not show."""
    failed = []
    for name in ("control_unlocked", "control_deadlock"):
        folder = Path(tempfile.mkdtemp(prefix="stress-doctor-"))
        try:
            batch = Batch(name, target, 1, 4, seconds=3.0)
            with Children(folder / "child", python) as children:
                result = children.run(batch, folder / "batch", native=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        missing = find(name).must_see - set(result.outcomes)
        if missing or result.error:
            failed.append(f"{name}: {result.error or ', '.join(missing) + ' was not seen'}")
    return failed


def doctor(python: str, target: str) -> Exit:
    """Print one line for each thing that matters; return TOO_LITTLE if runs would prove little."""
    print(f"looking at {python} and {target}; the controls take some seconds", flush=True)
    about = probe.ask(python, target)
    kind = "free-threaded" if about["free_threaded"] else "ordinary"
    extras = [word for word in ("debug", "sanitizer") if about[word]]
    lines = {
        "interpreter": f"{about['version']} {kind} {' '.join(extras)}".strip(),
        "GIL": "ON" if about["gil"] else f"off, also after importing {target}",
        "target": f"{target}, {'C' if about['indivisible'] else 'Python'}, {about['file']}",
        "processors": f"{about['cpus']} usable ({cpu_model()}), {quota()}",
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "native stacks": shutil.which("pystack")
        or shutil.which("gdb")
        or "neither pystack nor gdb",
        "processes": str(resource.getrlimit(resource.RLIMIT_NPROC)[0]),
        "clock": f"{time.get_clock_info('monotonic').resolution:g} s",
    }
    for name, value in lines.items():
        print(f"{name + ':':16}{value}")
    troubles = reservations(about) + controls(python, target)
    for trouble in troubles:
        print(f"trouble:        {trouble}")
    if troubles:
        print("VERDICT: quiet runs would prove little here")
        return Exit.TOO_LITTLE
    print("VERDICT: threads run at once here, and a deadlock is noticed")
    return Exit.NOTHING_FOUND
