"""Bugs of the hooks for exceptions, traces and profiles."""

from __future__ import annotations

from .bug import Bug, Edit

BUGS = (
    Bug(
        "excepthook_error_is_lost",
        "hooks",
        "bpo-1230540 (under review)",
        "an exception that threading.excepthook raises is not given to sys.excepthook",
        "threading",
        (Edit("            sys_excepthook(*sys_exc_info())\n", ""),),
    ),
    Bug(
        "excepthook_of_the_past",
        "hooks",
        "getsentry/sentry-python#376 (run() is wrapped when the thread is made)",
        "a thread calls the excepthook that was there when it was made",
        "threading",
        (Edit("            hook = excepthook\n", "            hook = old_excepthook\n"),),
    ),
    Bug(
        "trace_of_running_threads_only",
        "hooks",
        "gh-93503 (under review)",
        "settrace_all_threads() is not for threads that start later",
        "threading",
        (
            Edit(
                "    settrace(func)\n    _sys._settraceallthreads(func)\n",
                "    _sys._settraceallthreads(func)\n",
            ),
        ),
    ),
)
