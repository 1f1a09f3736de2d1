"""Declares the packages and the C extension ``ftthreading._core``; all else is in pyproject.toml.

Why not there as well: setuptools calls its table for extensions experimental with a warning at
every build, and it can neither collect files nor refuse a platform with a sentence.
"""

import os
import sys
import sysconfig
from glob import glob

from setuptools import Extension, find_packages, setup

if sys.platform == "win32":
    sys.exit(
        "ftthreading does not support Windows yet: its core waits by Linux futexes or by POSIX"
        " mutexes and condition variables."
    )


def optimisation() -> list[str]:
    """The interpreter's own level of optimisation, where CFLAGS took it away.

    setuptools lets CFLAGS replace all of the interpreter's flags: one that says nothing of
    optimisation, -g or -march=native, would make a core of half the speed.
    """
    mine = os.environ.get("CFLAGS")
    if mine is None or any(flag.startswith("-O") for flag in mine.split()):
        return []
    theirs = (sysconfig.get_config_var("CFLAGS") or "").split()
    levels = [flag for flag in theirs if flag.startswith("-O")][-1:]
    checks = [flag for flag in theirs if flag == "-DNDEBUG" and "-UNDEBUG" not in mine]
    return levels + checks[:1]


# What lies beside ftthreading in a checkout is installed in a folder of its own, which says why. A
# build without them is one of the package alone: `perf ab` makes such.
TOOLS = [tool for tool in ("perf", "stress", "toolkit") if os.path.isdir(tool)]
packages = find_packages(include=["ftthreading*"])
for tool in TOOLS:
    packages += [f"ftthreading_tools.{name}" for name in find_packages(include=[f"{tool}*"])]

setup(
    packages=packages,
    package_dir={f"ftthreading_tools.{tool}": tool for tool in TOOLS},
    ext_modules=[
        Extension(
            "ftthreading._core",
            sources=sorted(glob("ftthreading/core/**/*.c", recursive=True)),
            depends=sorted(glob("ftthreading/core/*/*.h")),
            include_dirs=["ftthreading/core"],
            extra_compile_args=[
                *("-std=c11", "-fvisibility=hidden", "-Wall", "-Wextra"),
                *optimisation(),
            ],
        )
    ],
)
