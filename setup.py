"""Declares the C extension ``ftthreading._core``; everything else is in pyproject.toml.

Why not there as well: setuptools calls its table for extensions experimental with a warning at
every build, and it can neither collect the source files nor refuse a platform with a sentence.
"""

import sys
from glob import glob

from setuptools import Extension, setup

if sys.platform == "win32":
    sys.exit(
        "ftthreading does not support Windows yet: its core waits by Linux futexes or by POSIX"
        " mutexes and condition variables."
    )

setup(
    ext_modules=[
        Extension(
            "ftthreading._core",
            sources=sorted(glob("ftthreading/core/*.c")),
            depends=sorted(glob("ftthreading/core/*.h")),
            extra_compile_args=["-std=c11", "-fvisibility=hidden", "-Wall", "-Wextra"],
        )
    ]
)
