"""What a result has to say of the machine, the interpreter and the checkout it came from."""

import functools
import hashlib
import os
import pathlib
import platform
import subprocess
import sys
import sysconfig

from toolkit.address import IN_CHECKOUT, ROOT
from toolkit.machine import (
    CPU,
    caches,
    cpu_model,
    cpu_quota,
    gil_enabled,
    governor,
    read,
    usable_cpus,
    virtualised,
)

NO_COMMIT = "0" * 12


def identity() -> str:
    """Return the name that this machine's results are kept under: results never mix machines."""
    kernel = platform.release().partition(".")[0]
    parts = (cpu_model(), str(usable_cpus()), platform.system(), kernel, governor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def tag() -> str:
    """Return the running interpreter's tag as ci/get-python writes it, such as "3.13t-opt"."""
    free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    debug = "d" if hasattr(sys, "gettotalrefcount") else ""
    thread_sanitizer = "-fsanitize=thread" in str(sysconfig.get_config_var("CFLAGS"))
    ending = "san" if thread_sanitizer else debug
    flags = str(sysconfig.get_config_var("CONFIG_ARGS"))
    optimised = "--enable-optimizations" in flags and "--with-lto" in flags
    kind = "-opt" if free and optimised and not ending else ending
    return f"{sys.version_info.major}.{sys.version_info.minor}{free}{kind}"


def _git(*words: str) -> str:
    if not IN_CHECKOUT:  # what is installed may lie in somebody else's
        return ""
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words], check=False, capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def checkout() -> tuple[str, bool]:
    """Return the commit that is checked out, in 12 digits, and whether files differ from it.

    In an installation it is NO_COMMIT.
    """
    commit = _git("rev-parse", "--short=12", "HEAD") or NO_COMMIT
    return commit, bool(_git("status", "--porcelain", "--untracked-files=no"))


@functools.cache
def describe() -> dict[str, str | int]:
    """Return what pyperf does not collect, ready to be metadata; what cannot be read is absent."""
    found: dict[str, str | int] = {
        "ftt_machine": identity(),
        "ftt_tag": tag(),
        "ftt_cpus": usable_cpus(),
        "ftt_smt": read(CPU / "smt/active"),
        "ftt_caches": caches(),
        "ftt_numa_nodes": len(list(pathlib.Path("/sys/devices/system/node").glob("node[0-9]*"))),
        "ftt_cpu_max": cpu_quota(),
        "ftt_virtualised": virtualised(),
        "ftt_governor": governor(),
        "ftt_gil_before": int(gil_enabled()),
        "ftt_compiler": platform.python_compiler(),
        "ftt_malloc": os.environ.get("PYTHONMALLOC", ""),
    }
    return {name: value for name, value in found.items() if value != ""}
