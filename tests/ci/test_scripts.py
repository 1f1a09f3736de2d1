"""The scripts in ci/: what they print, and what they refuse.

None of these tests builds an interpreter. They read the scripts' parts through bash.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", ["get-python", "env", "test", "stubs"])
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


@pytest.mark.parametrize("name", ["get-python", "env", "test", "lint", "stubs"])
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
    assert "making" not in second.stderr  # it may have waited for another call
    assert "building" not in second.stderr
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
