"""Keeps what `perf programs` found as a result, and shows it on the page."""

import pathlib
import shlex

from perf.dashboard import data, page
from perf.results import provenance, store
from perf.results.case import Case, Plain
from perf.results.measurement import Measurement, Round
from perf.runner.programs import Found
from perf.worker.process import collected
from toolkit.address import words
from toolkit.files import write_atomically


def measurements(found: Found, scale: float, loaded: bool) -> list[Measurement]:
    """Return the runs as measurements, with the command that repeats them.

    loaded: they ran beside a load, which makes cases of their own.
    """
    commit, dirty = provenance.checkout()
    common: dict[str, Plain] = {**collected(), "ftt_commit": commit, "ftt_dirty": int(dirty)}
    made = []
    for name, sides in found.items():
        for side, runs in sides.items():
            command = (
                f"{' '.join(words('perf'))} programs {name} --rounds {len(runs)} --scale {scale:g}"
            )
            command += " --beside-load" if loaded else ""
            metadata = {**common, "ftt_command": command}
            rounds = [
                Round(number, (run.seconds / scale,), {"ftt_cpu": run.cpu / scale}, metadata)
                for number, run in enumerate(runs)
            ]
            case = Case("program", name, "program", threads=0, shape="loaded" if loaded else "")
            made.append(Measurement(case, side, tuple(rounds)))
    return made


def keep(found: Found, scale: float, loaded: bool, root: pathlib.Path, output: pathlib.Path) -> str:
    """Write the runs below `root`, and the page of them; say where both are.

    Raises OSError, store.BadResult and page.NoPlotly.
    """
    path = store.new_folder(root, provenance.identity(), provenance.tag(), *provenance.checkout())
    store.write(path, measurements(found, scale, loaded))
    write_atomically(output, page.page(data.build([store.read(path)])))
    return (
        f"The runs are kept in {shlex.quote(str(path))}.\n"
        f"The same as a page, which opens without a network: {output.resolve().as_uri()}"
    )
