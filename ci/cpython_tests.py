"""Run CPython's own tests under `threading` and under ftthreading, and compare test by test.

Each side is one interpreter that runs the tests one after the other: worker processes would be
interpreters of their own, which nobody launched on ftthreading. A test that passes or is skipped on
one side has to do the same on the other.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TESTS = [
    *("test_threading", "test_thread", "test_threading_local", "test_threadsignals", "test_queue"),
    *("test_concurrent_futures", "test_logging", "test_sched", "test_socketserver", "test_asyncio"),
    *("test_context", "test_fork1", "test_sys_settrace", "test_sys_setprofile"),
    *("test_free_threading", "test_faulthandler", "test_weakref", "test_gc"),
]

KNOWN: dict[str, str] = {}
"""Tests that may differ, with the reason: private details that cannot hold."""

LIMIT = 1200  # seconds for one side
PREFIXES = {"threading": [], "ftthreading": ["-m", "ftthreading"]}


def run(side: str, tests: list[str], folder: str) -> dict[str, str]:
    """Return the outcome of each test by its name. Raises RuntimeError if nothing came out."""
    report = Path(folder, f"{side}.xml")
    log = Path(folder, f"{side}.log")
    # Warnings of deprecated names are expected in tests of them; the seed makes both sides alike.
    command = [sys.executable, *PREFIXES[side], "-m", "test", "--randseed", "1"]
    command += ["--timeout", "300", "--junit-xml", str(report), *tests]
    begin = time.monotonic()
    print(f"{side}: {' '.join(command)}", flush=True)
    with log.open("w") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=folder)
        try:
            child.wait(LIMIT)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    took = time.monotonic() - begin
    if not report.exists():
        raise RuntimeError(f"{side}: no result after {took:.0f} s\n{log.read_text()[-4000:]}")
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        names = {child.tag for child in case}
        outcome = next((tag for tag in ("failure", "error", "skipped") if tag in names), "passed")
        outcomes[case.get("name", "?")] = outcome
    counts = {word: list(outcomes.values()).count(word) for word in sorted({*outcomes.values()})}
    summary = ", ".join(f"{count} {word}" for word, count in counts.items())
    print(f"{side}: {len(outcomes)} tests in {took:.0f} s: {summary}", flush=True)
    return outcomes


def compare(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """Say in which tests the two differ."""
    return [
        f"{name}: {theirs.get(name, 'not run')} under threading, "
        f"{ours.get(name, 'not run')} under ftthreading"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name) and name not in KNOWN
    ]


def main() -> int:
    """Run both sides; return 0 if they are alike."""
    parser = argparse.ArgumentParser(prog="ci/cpython-tests [TAG]", description=__doc__)
    parser.add_argument("tests", nargs="*", default=TESTS, help="such as test_queue")
    options = parser.parse_args()
    os.environ.pop("FTTHREADING_AT_STARTUP", None)
    print(f"{len(options.tests)} test files on CPython {sys.version.split()[0]}, each side once")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            theirs = run("threading", options.tests, folder)
            ours = run("ftthreading", options.tests, folder)
        except RuntimeError as error:
            print(f"VERDICT: FAILED: {error}", file=sys.stderr)
            return 1
    different = compare(ours, theirs)
    for line in different:
        print(line)
    if different:
        print(
            f"VERDICT: FAILED: {len(different)} of {len(theirs)} tests differ; to see one again: "
            f"{sys.executable} -m ftthreading -m test -v TEST_FILE -m NAME",
            file=sys.stderr,
        )
        return 1
    print(f"VERDICT: {len(theirs)} tests, alike on both sides.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
