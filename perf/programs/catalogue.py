"""The programs of perf/programs: which there are, where each is, and what it needs.

Four of them, in `QUICKSTART`, are what `ci/quickstart` shows.
"""

import importlib.util

QUICKSTART = ("pipeline", "executor", "logs", "pool")
STANDARD = (
    *QUICKSTART,
    "ring",
    "actors",
    "queues",
    "to_thread",
    "http_close",
    "http_keepalive",
    "timers",
    "thread_per_task",
    "phases",
    "board",
    "map",
)
# Programs on libraries, and the module that each needs; the dependency group `programs` pins
# the libraries.
LIBRARIES = {
    "anyio_to_thread": "anyio",
    "trio_to_thread": "trio",
    "janus_queue": "janus",
    "pykka_actors": "pykka",
    "dask_graph": "dask",
    "joblib_threads": "joblib",
    "sqlalchemy_pool": "sqlalchemy",
    "urllib3_pool": "urllib3",
    "cachetools_lock": "cachetools",
    "waitress_web": "waitress",
    "gunicorn_web": "gunicorn",
}
ALL = (*STANDARD, *LIBRARIES)


def file_of(name: str) -> str:
    """Return where a program is in the checkout."""
    return f"perf/programs/{'libraries/' if name in LIBRARIES else ''}{name}.py"


def missing(name: str) -> str:
    """Return the name of the module that a program needs and that is not installed, or ""."""
    module = LIBRARIES.get(name, "")
    return module if module and importlib.util.find_spec(module) is None else ""
