"""The scripts in ci/: what they print, what they refuse, and that an interrupt breaks nothing.

None of these tests builds an interpreter. They read the scripts' parts through bash.
"""

import fcntl
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support import DEFAULT_SIGNALS

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "ci"
NAMES = ("get-python", "env", "test", "lint", "cpython-tests", "suites", "nightly", "quickstart")
COMMANDS = [*(CI / name for name in NAMES), ROOT / ".ci" / "run"]
DEADLINE = 120.0

pytestmark = [
    pytest.mark.once,
    pytest.mark.thread_unsafe(reason="runs processes that share files and locks"),
]


def call(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it said."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def start(script: str) -> subprocess.Popen[str]:
    """Start a bash script that has the shared parts loaded."""
    return subprocess.Popen(
        [*DEFAULT_SIGNALS, "bash", "-c", f". {CI}/lib.sh; {script}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def environment_name() -> str:
    """Return the name of the ci/env environment that runs this test, or skip."""
    prefix = Path(sys.prefix)
    if prefix.parent != ROOT / ".venv":
        pytest.skip("not run by the python of an environment that ci/env made")
    return prefix.name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.name)
def test_commands_are_executable_and_parse(command: Path) -> None:
    assert os.access(command, os.X_OK)
    assert call("bash", "-n", command).returncode == 0


@pytest.mark.parametrize("name", ["get-python", "env", "test"])
@pytest.mark.parametrize("tag", ["3.12t", "3.13x", "t", "3.13t/../..", "--bogus"])
def test_unknown_tag_is_refused(name: str, tag: str) -> None:
    result = call(CI / name, tag)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"usage: ci/{name}")


@pytest.mark.parametrize("name", ["get-python", "env"])
def test_a_tag_is_required(name: str) -> None:
    result = call(CI / name)
    assert result.returncode == 2
    assert result.stderr.startswith(f"usage: ci/{name}")


@pytest.mark.parametrize("name", ["get-python", "env", "test", "lint"])
def test_help_is_no_failure(name: str) -> None:
    result = call(CI / name, "--help")
    assert result.returncode == 0
    assert result.stderr.startswith(f"usage: ci/{name}")


def test_get_python_prints_one_line_and_it_is_right() -> None:
    tag = environment_name().removesuffix("-posix")
    result = call(CI / "get-python", tag)
    assert result.returncode == 0, result.stderr
    (path,) = result.stdout.splitlines()
    probe = "import sys, sysconfig; print(sys.version_info[:2], sysconfig.get_config_var('SOABI'))"
    answer = call(path, "-I", "-c", probe)
    assert answer.stdout.strip() == f"{sys.version_info[:2]} {sysconfig.get_config_var('SOABI')}"


def test_get_python_refuses_an_impostor_on_path(tmp_path: Path) -> None:
    tag = environment_name().removesuffix("-posix")
    impostor = tmp_path / f"python{tag}"
    impostor.write_text("#!/bin/sh\necho 'no such luck'\nexit 0\n")
    impostor.chmod(0o755)
    result = call(CI / "get-python", tag, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() != str(impostor)


def test_env_rebuilds_nothing_when_nothing_changed() -> None:
    name = environment_name()
    first = call(CI / "env", name)
    assert first.returncode == 0, first.stderr
    package = Path(sysconfig.get_path("platlib")) / "ftthreading"
    (core,) = package.glob("_core*.so")
    before = core.stat()
    second = call(CI / "env", name)
    assert second.returncode == 0, second.stderr
    assert second.stderr == ""
    assert second.stdout == f"{sys.prefix}/bin/python\n"
    after = core.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


MAIN = "http://mirror.example/debian"
SOURCES = {
    "deb822": (
        (
            "# a comment\nTypes: deb\n# another\nURIs: http://mirror.example/debian\n"
            "Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /k/a.gpg\n\n"
            "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\n"
            "Components: main\n"
        ),
        f"{MAIN}|/k/a.gpg",
    ),
    "security first": (
        (
            "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: trixie-security\n"
            "Components: main\n\nTypes: deb deb-src\nURIs: http://mirror.example/debian/\n"
            "Suites: trixie\nComponents: main\n"
        ),
        f"{MAIN}/|",
    ),
    "disabled": (
        (
            "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: sid\n"
            "Components: main\n\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: sid\n"
            "Components: main\n"
        ),
        f"{MAIN}|",
    ),
    "one line": ("deb http://mirror.example/debian bookworm main contrib\n", f"{MAIN}|"),
    "one line with options": (
        "deb [arch=amd64 signed-by=/k/b.gpg] http://mirror.example/debian stable main\n",
        f"{MAIN}|/k/b.gpg",
    ),
    "a vendor with the same look": (
        (
            "deb http://vendor.example/browser stable main\n"
            "deb http://mirror.example/debian bookworm main\n"
        ),
        f"{MAIN}|",
    ),
    "another component": ("deb http://mirror.example/debian bookworm non-free\n", ""),
    "nothing": ("# deb http://mirror.example/debian bookworm main\n", ""),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_debian_entry_of_either_kind_of_source_file(kind: str, tmp_path: Path) -> None:
    text, expected = SOURCES[kind]
    path = tmp_path / "sources"
    path.write_text(text)
    result = call("bash", "-c", f". {CI}/lib-python.sh; debian_entry '{path}'")
    assert result.stdout.strip() == expected


def test_a_second_call_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiter = start(f"lock '{path}' 'the build'; echo got it")
        assert waiter.stderr is not None
        assert "busy with the build; waiting" in waiter.stderr.readline()
        assert waiter.poll() is None
        fcntl.flock(held, fcntl.LOCK_UN)
        out, err = waiter.communicate(timeout=DEADLINE)
    assert (waiter.returncode, out) == (0, "got it\n")
    assert "the other call is over" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_interrupted_step_ends_its_children_and_cleans_up(
    number: signal.Signals, tmp_path: Path
) -> None:
    left = tmp_path / "half-built"
    child = tmp_path / "child"
    os.mkfifo(child)
    script = start(
        f"touch '{left}'; CLEANUPS+=(\"rm '{left}'\");"
        # The grandchild tells its number, then sleeps far past the deadline of this test.
        f"step '{tmp_path}/log' title bash -c 'bash -c \"echo \\$\\$ >{child}; sleep 9999\"; true';"
        "echo went on"
    )
    grandchild = os.pidfd_open(int(child.read_text()))
    assert left.exists()
    script.send_signal(number)
    out, _ = script.communicate(timeout=DEADLINE)
    assert script.returncode in (130, 143)
    assert "went on" not in out
    assert not left.exists()
    ended, _, _ = select.select([grandchild], [], [], DEADLINE)
    os.close(grandchild)
    assert ended, "the grandchild outlived the script"


def test_step_interrupted_before_its_number_is_known_ends_too(tmp_path: Path) -> None:
    left = tmp_path / "left"
    os.mkfifo(left)
    # Whoever has the pipe open for writing is alive.
    reader = os.open(left, os.O_RDONLY | os.O_NONBLOCK)
    script = start(
        "trap '[[ $BASH_COMMAND != pid=* ]] || kill -TERM $$' DEBUG; set -T;"
        f"step '{tmp_path}/log' title sleep 9999 3>'{left}'; echo went on"
    )
    out, _ = script.communicate(timeout=DEADLINE)
    assert (script.returncode, out) == (143, "")
    ended, _, _ = select.select([reader], [], [], DEADLINE)
    os.close(reader)
    assert ended, "the step outlived the script"


def test_failed_step_shows_the_log_and_its_status(tmp_path: Path) -> None:
    script = start(f"step '{tmp_path}/log' 'the thing' bash -c 'echo the reason; exit 7'")
    out, err = script.communicate(timeout=DEADLINE)
    assert (script.returncode, out) == (7, "")
    assert "the thing: FAILED" in err
    assert "    the reason" in err
    assert f"{tmp_path}/log" in err


def machine_names() -> set[str]:
    """Return what this machine calls its mirrors and folders: words no tracked file may hold."""
    words = {f"{ROOT}/", f"{Path.home()}/"} if len(ROOT.parts) > 2 else set()
    settings = [*Path("/etc/apt").glob("sources.list*"), *Path("/etc/apt").glob("*.d/*")]
    texts = [path.read_text(errors="replace") for path in settings if path.is_file()]
    texts.append(call(sys.executable, "-m", "pip", "config", "list").stdout)
    for text in texts:
        words |= set(re.findall(r"\w://([\w.-]+\.[a-z]{2,})[/:\s]", text))
    return words


def test_no_tracked_file_names_a_mirror_or_a_folder_of_this_machine() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = call("git", "ls-files", "-co", "--exclude-standard", "-z")
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    assert Path(__file__).resolve() in paths
    words = machine_names()
    found = [
        (str(path.relative_to(ROOT)), word)
        for path in paths
        if path.is_file()
        for word in words
        if word.encode() in path.read_bytes()
    ]
    assert found == []
