"""What the machine and its interpreter say of themselves."""

import os
import pathlib
import platform
import sys
import sysconfig

CPU = pathlib.Path("/sys/devices/system/cpu")


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model() -> str:
    """Return the processors' name, or their architecture where there is none."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def gil_enabled() -> bool:
    """Say whether threads run by turns here and now."""
    probe = getattr(sys, "_is_gil_enabled", None)
    return probe is None or bool(probe())


def summary() -> str:
    """Describe what was measured on, in one line."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    gil = "GIL on" if gil_enabled() else "GIL off"
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"CPython {platform.python_version()}{'t' if free_threaded else ''} ({gil}), "
        f"{usable_cpus()} usable CPUs of {cpu_model()}, {platform.system()}, load {load}"
    )


def read(path: str | pathlib.Path) -> str:
    """Return a small file's text without its outer white space, or "" where it cannot be read."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def governor() -> str:
    """Return who sets the processors' frequency, or "" where the machine does not say."""
    return read(CPU / "cpu0/cpufreq/scaling_governor")


def virtualised() -> str:
    """Return what the machine runs in: a hypervisor's name or "yes", or "" where none shows."""
    if "hypervisor" not in read("/proc/cpuinfo"):
        return ""
    return read("/sys/class/dmi/id/sys_vendor") or "yes"


def cpu_quota() -> str:
    """Return the control group's limit of CPU time ("max 100000" is none), or ""."""
    path = read("/proc/self/cgroup").rpartition("::")[2].partition("\n")[0]
    for folder in (f"/sys/fs/cgroup{path}", "/sys/fs/cgroup"):
        if found := read(f"{folder}/cpu.max"):
            return found
    return ""


def caches() -> str:
    """Return the first processor's caches, such as "L1 Data 32K, L2 Unified 1024K"."""
    found = []
    for folder in sorted((CPU / "cpu0/cache").glob("index*")):
        level, kind, size = (read(folder / name) for name in ("level", "type", "size"))
        found.append(f"L{level} {kind} {size}")
    return ", ".join(found)
