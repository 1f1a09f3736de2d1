"""Run a program under plain python and under the launcher, in processes of their own."""

import os
import re
import sys
import tempfile
import zipfile
from pathlib import Path

import ftthreading
from tests.support import DEFAULT_SIGNALS
from toolkit import child

ROOT = str(Path(ftthreading.__file__).parent.parent)
LAUNCHER = ["-m", "ftthreading"]


def environment() -> dict[str, str]:
    """What every interpreter here runs with: this package, and nothing that colours its output."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") or name in ("PYTHONPATH", "PYTHON_GIL")
    }
    path = [ROOT, *filter(None, [variables.get("PYTHONPATH")])]
    return variables | {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "PYTHONDONTWRITEBYTECODE": "1",  # a second run would not compile and not warn
        "PYTHON_COLORS": "0",
        "PYTHON_BASIC_REPL": "1",
        "TERM": "dumb",
    }


def run(cwd: Path, *arguments: str, input: str = "") -> tuple[int, str, str]:
    """Run the interpreter; return exit code, output and errors, without objects' addresses."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(input.encode())
        stdin.seek(0)
        command = [*DEFAULT_SIGNALS, sys.executable, *arguments]
        done = child.run(command, cwd=cwd, env=environment(), stdin=stdin, limit=120)
    assert not done.ended_by_us, f"{done.fault}\n{done.stdout}\n{done.stderr}"
    output, errors = (
        re.sub(r" at 0x[0-9a-f]+", " at 0x", text) for text in (done.stdout, done.stderr)
    )
    return done.code, output, errors


def check_alike(
    cwd: Path, *arguments: str, options: tuple[str, ...] = (), input: str = ""
) -> tuple[int, str, str]:
    """Run a program both ways, check that nothing differs, and return what came out."""
    plain = run(cwd, *options, *arguments, input=input)
    ours = run(cwd, *options, *LAUNCHER, *arguments, input=input)
    assert ours == plain
    return ours


MODES = ["script", "command", "module", "stdin"]
FURTHER_MODES = ["package", "directory", "zip"]  # to the launcher all the same as a module


def place(cwd: Path, mode: str, source: str) -> tuple[tuple[str, ...], str]:
    """Lay a program down; return the arguments that name it and what goes to standard input."""
    if mode == "script":
        (cwd / "app.py").write_text(source)
        return ("./app.py",), ""
    if mode == "command":
        return ("-c", source), ""
    if mode == "stdin":
        return ("-",), source
    if mode == "module":
        (cwd / "app.py").write_text(source)
        return ("-m", "app"), ""
    if mode == "zip":
        with zipfile.ZipFile(cwd / "app.zip", "w") as archive:
            archive.writestr("__main__.py", source)
        return ("app.zip",), ""
    package = cwd / "app"
    package.mkdir()
    (package / "__main__.py").write_text(source)
    if mode == "package":
        (package / "__init__.py").write_text("print('package', __name__, __file__)\n")
        return ("-m", "app"), ""
    return ("app/",), ""
