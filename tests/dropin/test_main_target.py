"""`python -m ftthreading` finds and reads what it is to run as plain python does.

Scripts, code and modules of every shape, those that are not there, and what may be loaded and put
on `sys.path` before the program.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.launching import LAUNCHER, check_alike, environment, run

pytestmark = pytest.mark.thread_unsafe(reason="starts interpreters, in directories of its own")

SHOW_NAMES = "import sys; print(__name__, __file__, __package__, type(__loader__), sys.argv)"
SHOW_PATH = "import sys, helper; print(sys.path[:2], helper.__file__, __file__, sys.argv)"

NOT_THERE = {
    "file": ("missing.py",),
    "file_in_missing_directory": ("missing/app.py", "argument"),
    "file_below_a_file": ("text.txt/app.py",),
    "file_with_quotes": ("it's.py",),
    "module": ("-m", "missing"),
    "module_in_missing_package": ("-m", "missing.module"),
    "module_with_suffix": ("-m", "module.py"),
    "module_relative": ("-m", ".module"),
    "module_empty": ("-m", ""),
    "module_missing_in_package": ("-m", "package.missing"),
    "package_without_main": ("-m", "package"),
    "package_that_fails": ("-m", "failing"),
    "module_of_package_that_fails": ("-m", "failing.module"),
    "namespace_package": ("-m", "namespace"),
    "directory_without_main": ("namespace",),
    "empty_name": ("",),
    "current_directory": (".",),
    "current_directory_with_slash": ("./",),
    "builtin": ("-m", "sys"),
}


@pytest.mark.parametrize("arguments", NOT_THERE.values(), ids=NOT_THERE)
def test_nothing_to_run(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "module.py").write_text("print('module')")
    (tmp_path / "namespace").mkdir()
    for package, source in {"package": "", "failing": "import nothing_like_this"}.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(source)
    code, _, _ = check_alike(tmp_path, *arguments)
    assert code == (2 if "file" in arguments[0] or arguments[0].endswith(".py") else 1)


SOURCES = {
    "empty": b"",
    "no_newline": b"print(1)",
    "dos": b"print(1)\r\nprint(2)\r\n1/0\r\n",
    "byte_order_mark": b"\xef\xbb\xbfprint('\xc3\xa9')\n",
    "latin_1": b"# -*- coding: latin-1 -*-\nprint('\xe9')\n1/0 # \xe9\n",
    "unfinished": b"print(\n",
    "unfinished_text": b'x = """\n',
    "interpreter_line": b"#!/usr/bin/env python\nprint(__file__)\n",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_script_source(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "app.py").write_bytes(source)
    check_alike(tmp_path, "app.py")


def test_script_that_cannot_be_decoded(tmp_path: Path) -> None:
    """The words are those of `compile`, which the interpreter itself does not use for scripts."""
    (tmp_path / "app.py").write_bytes(b"print('never')\nprint('\xe9')\n")
    plain = run(tmp_path, "app.py")
    ours = run(tmp_path, *LAUNCHER, "app.py")
    assert ours[:2] == plain[:2] == (1, "")
    for errors in (plain[2], ours[2]):
        assert "SyntaxError: " in errors
        assert "app.py" in errors
        assert "Traceback" not in errors


COMMANDS = {
    "empty": "",
    "one_line": "print(1)",
    "several_lines": "def f():\n    1 / 0\n\nf()\n",
    "indented": "\n    x = 1\n\n    if x:\n        1 / 0\n",
    "not_ascii": "print('\xe9'); raise ValueError('\u20ac')",
    "coding_is_a_comment": "# coding: latin-1\nprint('\xe9')",
    "nested_string": "exec('def f(): 1 / 0')\nf()",
}


@pytest.mark.parametrize("code", COMMANDS.values(), ids=COMMANDS)
def test_command_source(tmp_path: Path, code: str) -> None:
    check_alike(tmp_path, "-c", code, "-c", "argument")


def test_command_attached(tmp_path: Path) -> None:
    check_alike(tmp_path, f"-c{COMMANDS['several_lines']}", "-c", "argument")


def test_module_name_attached(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SHOW_NAMES)
    check_alike(tmp_path, "-mapp", "-x")


def test_compiled_script(tmp_path: Path) -> None:
    import py_compile

    (tmp_path / "app.py").write_text(f"{SHOW_NAMES}\n1 / 0\n")
    py_compile.compile(str(tmp_path / "app.py"), str(tmp_path / "other.pyc"))
    (tmp_path / "renamed").write_bytes((tmp_path / "other.pyc").read_bytes())
    (tmp_path / "bad.pyc").write_bytes(b"not compiled code")
    for name in ("other.pyc", "renamed", "bad.pyc"):
        check_alike(tmp_path, name)


@pytest.fixture
def scattered(tmp_path: Path) -> Path:
    """A working directory and a script elsewhere, each with a module of the same name."""
    for place in ("here", "there", "links"):
        (tmp_path / place).mkdir()
    (tmp_path / "here" / "helper.py").touch()
    (tmp_path / "there" / "helper.py").touch()
    (tmp_path / "there" / "app.py").write_text(SHOW_PATH)
    (tmp_path / "links" / "app.py").symlink_to(tmp_path / "there" / "app.py")
    (tmp_path / "links" / "again.py").symlink_to("app.py")
    return tmp_path


@pytest.mark.parametrize(
    "script", ["../there/app.py", "../links/app.py", "../links/again.py", ".././there//app.py"]
)
def test_first_path_is_the_scripts(scattered: Path, script: str) -> None:
    _, output, _ = check_alike(scattered / "here", script)
    assert str(scattered / "there" / "helper.py") in output
    check_alike(scattered, str(scattered / "here" / script))


def test_working_directory_is_gone(scattered: Path) -> None:
    program = scattered / "there" / "app.py"
    outputs = []
    for launcher in ("", "-m ftthreading"):
        shell = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} {launcher}"
        outputs.append(
            subprocess.run(
                ["sh", "-c", f"{shell} {program}"],
                cwd=scattered,
                env=environment(),
                capture_output=True,
                timeout=60,
                check=False,
            )
        )
    plain, ours = ((p.returncode, p.stdout, p.stderr) for p in outputs)
    assert ours == plain


def test_programs_modules_hide_the_librarys(tmp_path: Path) -> None:
    names = ["queue", "argparse", "dataclasses", "inspect", "re", "logging", "code", "textwrap"]
    for name in names:
        (tmp_path / f"{name}.py").write_text("MINE = True\n")
    (tmp_path / "app.py").write_text(f"import {', '.join(names)}\nprint(queue.MINE, re.MINE)\n")
    (tmp_path / "elsewhere").mkdir()
    check_alike(tmp_path, "app.py")
    check_alike(tmp_path / "elsewhere", "../app.py")


def test_little_is_loaded_before_the_program(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import sys; print(*sys.modules)")
    (tmp_path / "with_threading.py").write_text("import threading, sys; print(*sys.modules)")
    plain = set(run(tmp_path, "-m", "with_threading")[1].split())
    ours = set(run(tmp_path, *LAUNCHER, "-m", "app")[1].split())
    mine = {name for name in ours if name.partition(".")[0] == "ftthreading"}
    # The primitives have a deque and compute with times.
    deque = {"collections", "collections.abc", "_operator", "operator", "keyword", "reprlib"}
    math = {"math", "math.integer", "_math_integer"}
    assert ours - plain - mine <= deque | math | {"__future__", "atexit"}
