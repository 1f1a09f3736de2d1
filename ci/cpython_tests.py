"""Run CPython's own tests under `threading` and under ftthreading, and compare test by test.

Each test file runs in an interpreter of its own, once on each side. What a test ends with on one
side (passed, skipped, failed) it has to end with on the other, and so has the interpreter: its exit
code, which also tells of threads that a file leaves behind. A file in which the two differ runs
again on both sides. A test that fails now and then under threading too is told, but does not count.

Interpreters that the tests start run on threading, on both sides. With --startup each side is an
environment of its own, removed afterwards, and in one of them every interpreter that starts, from
the first on, runs on ftthreading.

Exit code 0: alike. 1: a difference. 2: usage. 3: no test was run, or a side is not what it
should be.
"""

import argparse
import importlib.util
import re
import shlex
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from ci.comparing import AGAIN, EXIT, File, compare, launch, tell
from ci.sides import PROBE, Side, environment, sides
from toolkit.child import INTERRUPTS, Interrupted
from toolkit.exits import Exit, call
from toolkit.machine import summary
from toolkit.progress import Progress

TESTS = [
    *("test_threading", "test_thread", "test_threading_local", "test_threadsignals", "test_queue"),
    *("test_concurrent_futures", "test_logging", "test_sched", "test_socketserver", "test_asyncio"),
    *("test_context", "test_fork1", "test_sys_settrace", "test_sys_setprofile"),
    *("test_free_threading", "test_faulthandler", "test_weakref", "test_gc"),
    # Imports by many threads; and threads beside processes, by each way to start one.
    *("test_importlib.test_threaded_import", "test_importlib.test_locks", "test_threadedtempfile"),
    *("test_multiprocessing_fork", "test_multiprocessing_forkserver", "test_multiprocessing_spawn"),
    *("test_multiprocessing_main_handling", "test_subprocess", "test_signal"),
    # Servers and clients, each in a thread.
    *("test_httpservers", "test_httplib", "test_xmlrpc", "test_docxmlrpc", "test_wsgiref"),
    *("test_urllib2_localnet", "test_ftplib", "test_imaplib", "test_poplib", "test_smtplib"),
    *("test_ssl", "test_socket", "test_poll"),
    # What else looks at threads, or is used by many.
    *("test_io", "test_bz2", "test_decimal", "test_functools", "test_contextlib", "test_enum"),
    *("test_hashlib", "test_frame", "test_code", "test_trace", "test_tracemalloc", "test_pdb"),
    *("test_sys", "test_os", "test_time"),
]
"""Left out, though they import threading: test_regrtest and test_support, which test the runner;
those of subinterpreters, where ftthreading is not loaded; test_embed and test_audit, whose programs
are not ours to start; and those that have it for one word: itertools, opcache, patma, peepholer,
readline, robotparser, super, syslog, termios, ioctl, largefile, webbrowser, android, winapi, winreg
"""

FRAMES = "wants frames of threading.py above a blocked wait(), which is C here"

KNOWN = {
    "test.test_faulthandler.FaultHandlerTests.test_dump_traceback_threads": f"--startup: {FRAMES}",
    "test.test_faulthandler.FaultHandlerTests.test_dump_traceback_threads_file": (
        f"--startup: {FRAMES}"
    ),
}
"""Tests that may differ, with the reason: private details that cannot hold. Five at most."""


def files_of(name: str) -> list[str]:
    """Return the files that regrtest's `name` stands for: one, or a folder's, or none."""
    try:
        spec = importlib.util.find_spec(f"test.{name}")
    except ModuleNotFoundError:
        spec = None
    if spec is None or not name.rpartition(".")[2].startswith("test_"):
        return []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    inside = sorted(path.stem for folder in folders for path in folder.glob("test_*.py"))
    return [f"{name}.{stem}" for stem in inside] or [name]


def run(side: Side, name: str, options: list[str], limit: int, show: Progress) -> File:
    """Run one test file on one side, for `limit` seconds at most."""
    report, log = side.folder / "report.xml", side.folder / "log"
    report.unlink(missing_ok=True)
    # The seed makes both sides alike. What costs nothing but time is granted.
    command = [*side.command, "-m", "test", "-v", "--randseed", "1", "--fail-env-changed"]
    command += ["-u", "cpu,walltime", "--timeout", str(limit), "--junit-xml", str(report), *options]
    # By the limit and 30 seconds regrtest has shown all stacks.
    code = launch([*command, name], side.folder, log, limit + 30, show, environment=environment())
    said = log.read_text(errors="replace")
    file = File()
    file.add(EXIT, str(code), said)
    if report.exists():
        read(ElementTree.parse(report), said, file)
    return file


def read(report: "ElementTree.ElementTree[ElementTree.Element]", said: str, into: File) -> None:
    """Note what each test ended with, by regrtest's report and by what the tests `said`."""
    for case in report.iter("testcase"):
        end = next((each for each in case if each.tag in ("failure", "error", "skipped")), None)
        if name := case.get("name"):
            text = "" if end is None or end.tag == "skipped" else end.text or ""
            into.add(name, "passed" if end is None else end.tag, text)
    # The report does not name a test of which only subtests failed.
    for word, name in re.findall(r"^(FAIL|ERROR): \w+ \(([\w.]+)\)", said, re.MULTILINE):
        if name not in into.outcomes:
            _, _, text = said.partition(f"{word}: {name.rpartition('.')[2]} ({name})")
            into.add(name, "failure" if word == "FAIL" else "error", text.partition("=" * 70)[0])


def compare_file(
    both: Sequence[Side], name: str, options: argparse.Namespace, show: Progress
) -> bool:
    """Run one file on both sides, more than once if they differ, and say what came out."""
    words = [word for pattern in options.only for word in ("--match", pattern)]

    def once(side: Side, number: int, _: Sequence[str]) -> File:
        again = f", again ({number} of {AGAIN})" if number else ""
        show.show(options.done, name, f"under {side.name}{again}")
        return run(side, name, words, options.limit, show)

    def command(test: str) -> str:
        only = [] if test == EXIT or " " in test else ["--only", test]
        startup = ["--startup"] if options.startup else []
        return shlex.join(["ci/cpython-tests", options.tag, *startup, *only, name])

    theirs, ours, names = compare(both, once, KNOWN, AGAIN)
    show.clear()
    counts = ", ".join(f"{count} {end}" for end, count in ours.counts().items()) or "no tests"
    print(f"{name}: {counts}: {'DIFFERENT' if names else 'alike'}", flush=True)
    tell(theirs, ours, names, KNOWN, command)
    options.tests_run += sum(ours.counts().values())
    return not names


def parse() -> argparse.Namespace:
    """Read the command line; a name that is no test ends it."""
    parser = argparse.ArgumentParser(
        prog="ci/cpython-tests",
        usage="ci/cpython-tests [TAG] [--startup] [--limit S] [--only NAME] [TEST ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tag", metavar="TAG", help="such as 3.14t (default 3.13t)")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="such as test_queue")
    parser.add_argument("--startup", action="store_true", help="on ftthreading in children too")
    parser.add_argument("--limit", type=int, default=900, metavar="S", help="seconds for a file")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only these")
    options = parser.parse_intermixed_args()
    found = {name: files_of(name) for name in options.tests or TESTS}
    absent = [name for name, files in found.items() if not files]
    if absent and options.tests:
        parser.error(f"CPython {sys.version.split()[0]} has no such test: {', '.join(absent)}")
    if absent:
        print(f"not tests of this interpreter: {', '.join(absent)}")
    options.files = [file for files in found.values() for file in files]
    options.done = options.tests_run = 0
    return options


def main() -> int:
    """Run both sides; return 0 if they are alike."""
    options = parse()
    try:
        with INTERRUPTS.watched():
            return compare_all(options)
    except Interrupted as stop:
        print(f"interrupted by {stop}", file=sys.stderr)
        return 128 + stop.signum


def compare_all(options: argparse.Namespace) -> int:
    """Run both sides; return 0 if they are alike. Raises Interrupted."""
    total = len(options.files)
    print(f"{total} test files on both sides; {summary()}", flush=True)
    show = Progress(total)
    failed = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            both = sides(Path(folder), startup=options.startup)
            for side in both:
                probe = run(side, PROBE, ["--testdir", str(side.folder)], 60, show)
                if not side.proved(probe.outcomes):
                    raise RuntimeError(f"{side.name} is not in force: {probe}")
        except RuntimeError as error:
            print(f"VERDICT: FAILED: {error}", file=sys.stderr)
            return Exit.TOO_LITTLE
        for name in options.files:
            if not compare_file(both, name, options, show):
                failed.append(name)
            options.done += 1
    if failed or not options.tests_run:
        reason = f"different in {len(failed)} of {total} files: {', '.join(failed)}"
        print(f"VERDICT: FAILED: {reason if failed else 'no test was run'}", file=sys.stderr)
        return Exit.FOUND if failed else Exit.TOO_LITTLE
    print(f"VERDICT: {options.tests_run} tests of {total} files, alike on both sides.")
    return 0


if __name__ == "__main__":
    sys.exit(call(main))
