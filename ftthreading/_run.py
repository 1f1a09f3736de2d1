"""The launcher behind ``python -m ftthreading``: install, then run a program as python would.

The program runs in the interpreter's own `__main__` module, which stays in `sys.modules` to the
end, so that pickling, multiprocessing, exit handlers and threads that outlive the main program
find it. Modules, directories and archives go through the entry point of `runpy` that the
interpreter itself uses for ``-m``; scripts, ``-c`` and standard input are compiled here.

An exception that escapes the program leaves through this file's frames and the interpreter's, so
that its exit logic (exit codes, death by SIGINT, ``-i``) stays in force. Only the traceback is cut
to the program's part: see `_uncaught`.

What the program can still notice: the launcher's frames lie below its own (four of them, where
plain python has none for a script and two of `runpy` for a module). They show in a printed stack,
in a debugger's ``where`` after ``breakpoint()``, as the place of a warning that is attributed to
the caller of the main program, and in the depth at which recursion ends. And children that start a
fresh interpreter (subprocess, multiprocessing's spawn and forkserver) are not launched by us: they
run on whatever their own command line says, unless `_startup.commands` has been asked.

What is imported here has already been loaded to get this far: whatever is loaded before the
program cannot be shadowed by it, and delays its start.
"""

from __future__ import annotations

import importlib.machinery as machinery  # a "from" would make it load warnings (3.14)
import io
import marshal
import os
import runpy
import sys
from importlib.util import MAGIC_NUMBER

from ftthreading._cpython import wait_for_threads
from ftthreading._install import install
from ftthreading._uncaught import hide_launcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    type Step = tuple[Callable[..., object], tuple[object, ...]]  # what to call, with what
    type Prepare = Callable[[str, dict[str, object], list[str]], Step]

USAGE = """\
usage: python [python options] -m ftthreading [options] [-m module | script | -c code | -]
       [arguments]
       python -m ftthreading {dump | top} PID [options]
"""

HELP = f"""{USAGE}
Run an unmodified Python program with ftthreading in the place of threading.

  script       a file, or a directory or zip archive that has a __main__.py
  -m module    a module or package, found on sys.path
  -c code      the code itself
  -            a program read from standard input
  arguments    handed to the program in sys.argv

Options that look into the program (ftthreading.diagnostics):

  --dump-on=SIGNAL     at this signal, as USR1, print who waits for what, and all stacks
  --deadlocks[=WHAT]   tell of waits that cannot end, within two seconds. WHAT: report (the
                       default), raise (DeadlockError in one of the threads, if it is certain),
                       abort (exit code 86, if it is certain)
  --lock-order         tell of locks that are taken in orders that can deadlock, though they did
                       not in this run; exit code 66 if there were any and the program's is 0
  --lock-order-strict  the same, and 66 also for what is only possible
  --lock-order-suppressions=FILE
                       the same, without what a line of the file describes
  --profile[=FILE]     when the program ends, say which lines waited for locks, and which made
                       them wait: on standard error, or in a FILE that ends in .txt, .html,
                       .collapsed (stacks for flamegraph.pl), .speedscope.json or .firefox.json

  dump PID     show who waits for what in another process, which may hang (Linux)
  top PID      the same again and again; `dump --help` and `top --help` say more.
               A program that is called dump or top: ./dump, or without a number after it

Others:

  -h, --help   print this text
  --version    print the versions of ftthreading and of Python

  --enable-at-startup    have every interpreter that starts from this environment run on
                         ftthreading: writes one file into its site-packages
  --disable-at-startup   remove that file
  --status               say whether it is there and works, and what runs on ftthreading;
                         exit code 0 if new interpreters do, else 1

Only the one process runs on ftthreading otherwise: what it starts anew (multiprocessing's spawn,
subprocess, the workers of a server) has plain threading. ftthreading.status() tells a program.

Python's own options (-X, -W, -O, -i, -P, -I and so on) stand before -m ftthreading.
The exit code is the program's; it is 2 where there was nothing to run.
"""

# What the interpreter puts into `__main__` before it runs anything.
_MAIN_NAMES = {
    "__name__",
    "__doc__",
    "__package__",
    "__loader__",
    "__spec__",
    "__annotations__",
    "__builtins__",
}


def main() -> None:
    """Run what the command line names. Called once, by `__main__`."""
    options, arguments = _split_options(sys.argv[1:])
    prepare, operand, sys.argv[:] = _parse(arguments)
    begin = _diagnostics(options) if options else None
    install()
    exit_code = begin() if begin is not None else None
    frames = _frames(sys._getframe())
    untrace = vars(type(frames[0]))["f_trace"].__set__
    namespace = vars(sys.modules["__main__"])
    leftovers: list[str] = []  # names that `__main__` loses when the program has ended
    _reset(namespace)
    try:
        step, operands = prepare(operand, namespace, leftovers)
        # On one line, and with calls into C only: a debugger that the program started traces the
        # frames below the program too, and would stop in them when the program has ended.
        _ = step(*operands), [untrace(frame, None) for frame in frames]
        for name in leftovers:
            namespace.pop(name, None)
    except BaseException as exception:
        if sys.version_info >= (3, 14):  # older: once it was shown, and not for SystemExit
            while leftovers:
                namespace.pop(leftovers.pop(), None)
        # SystemExit ends the interpreter without a traceback, unless -i asks for one.
        if not isinstance(exception, SystemExit) or sys.flags.inspect:
            hide_launcher(exception, globals(), namespace, leftovers)
        if exit_code and isinstance(exception, SystemExit) and exception.code in (None, 0):
            _exit(exit_code)
        raise
    finally:
        frames.clear()  # this frame is one of them: a cycle
    if exit_code:
        _exit(exit_code)


def _exit(exit_code: Callable[[], int | None]) -> None:
    """End a program that has ended with 0, with what was found out about it as its exit code.

    Its threads still run, and count; the interpreter waits for them here, too, but cannot change
    its exit code any more.
    """
    wait_for_threads()
    code = exit_code()
    if code:
        raise SystemExit(code) from None


# Options that look into the program.
_LOOKING = (
    "--dump-on",
    "--deadlocks",
    "--profile",
    "--lock-order",
    "--lock-order-strict",
    "--lock-order-suppressions",
)


def _split_options(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options that look into the program, and what follows them."""
    count = 0
    while count < len(arguments) and arguments[count].partition("=")[0] in _LOOKING:
        count += 1
    return arguments[:count], arguments[count:]


def _diagnostics(options: list[str]) -> Callable[[], Callable[[], int | None] | None]:
    """What to call before the program runs; SystemExit where an option is wrong.

    It returns what gives the exit code of a program that ended with 0; None for its own.
    """
    from ftthreading.diagnostics import _options

    try:
        return _options.parse(options)
    except _options.BadOptionError as error:
        raise _usage_error(f"{error}\n") from None


def _parse(arguments: list[str]) -> tuple[Prepare, str, list[str]]:
    """How to prepare the program, what it is, and its sys.argv; SystemExit for anything else."""
    if not arguments:
        raise _usage_error("")
    first, *rest = arguments
    if first in ("-h", "--help"):
        sys.stdout.write(HELP)
        raise SystemExit(0)
    if first in ("-V", "--version"):
        sys.stdout.write(f"ftthreading {_version()} (Python {sys.version})\n")
        raise SystemExit(0)
    if first in ("--enable-at-startup", "--disable-at-startup", "--status") and not rest:
        from ftthreading._startup.commands import COMMANDS

        raise SystemExit(COMMANDS[first]())
    if first in ("dump", "top"):
        from ftthreading.diagnostics.outside import command

        if command.is_command(arguments):
            raise SystemExit(command.main(arguments))
    if first == "-":
        return _prepare_stdin, first, [first, *rest]
    option = first[:2]
    if option in ("-m", "-c"):
        operands = [first[2:], *rest] if first[2:] else rest
        if operands:
            prepare = _prepare_module if option == "-m" else _prepare_command
            return prepare, operands[0], [option, *operands[1:]]
        raise _usage_error(f"Argument expected for the {option} option\n")
    if first.startswith("-"):
        raise _usage_error(
            f"Unknown option: {first} (python's own options stand before -m ftthreading)\n"
        )
    return _prepare_file, first, [first, *rest]


def _usage_error(reason: str) -> SystemExit:
    sys.stderr.write(f"{reason}{USAGE}Try `python -m ftthreading --help` for more.\n")
    return SystemExit(2)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("ftthreading")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _reset(namespace: dict[str, object]) -> None:
    """Make the namespace of `__main__` what it is when the interpreter starts."""
    for name in [name for name in namespace if name not in _MAIN_NAMES]:
        del namespace[name]
    namespace.update(
        __name__="__main__",
        __doc__=None,
        __package__=None,
        __loader__=machinery.BuiltinImporter,
        __spec__=None,
    )


def _name_file(namespace: dict[str, object], leftovers: list[str], file: str) -> None:
    """Set the names that a file gives to `__main__`, and takes away when it has ended."""
    leftovers += "__file__", "__cached__"
    namespace["__file__"] = file
    if sys.version_info < (3, 15):
        namespace["__cached__"] = None


def _set_first_path(path: str, *, always: bool = False) -> None:
    """Put `path` where the interpreter put the current directory, because it was given ``-m``."""
    if sys.flags.safe_path:
        if always:
            sys.path.insert(0, path)
        return
    try:
        os.getcwd()
    except OSError:  # a directory that is gone: the interpreter has put nothing
        sys.path.insert(0, path)
    else:
        sys.path[0:1] = [path]


def _prepare_module(name: str, _: dict[str, object], __: list[str]) -> Step:
    if hasattr(runpy, "_run_module_as_main"):
        return runpy._run_module_as_main, (name,)
    return lambda: runpy.run_module(name, run_name="__main__", alter_sys=True), ()


def _prepare_file(name: str, namespace: dict[str, object], leftovers: list[str]) -> Step:
    try:
        path = os.getcwd() if name in ("", ".") else os.path.join(os.getcwd(), name)
    except OSError:
        path = name
    if _is_import_path(path):  # a directory or an archive
        _set_first_path(path, always=True)
        if hasattr(runpy, "_run_module_as_main"):
            return runpy._run_module_as_main, ("__main__", False)
        return lambda: runpy.run_path(path, run_name="__main__"), ()
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        program = sys.orig_argv[0] if sys.orig_argv else sys.executable
        sys.stderr.write(
            f"{program}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n"
        )
        raise SystemExit(2) from None
    _set_first_path(os.path.dirname(os.path.realpath(name)))
    _name_file(namespace, leftovers, path)
    if path.endswith(".pyc") or source.startswith(MAGIC_NUMBER):
        namespace["__loader__"] = machinery.SourcelessFileLoader("__main__", path)
        if not source.startswith(MAGIC_NUMBER):
            raise RuntimeError("Bad magic number in .pyc file")
        return exec, (marshal.loads(source[16:]), namespace)
    namespace["__loader__"] = machinery.SourceFileLoader("__main__", path)
    return exec, (compile(source, path, "exec", dont_inherit=True), namespace)


def _is_import_path(path: str) -> bool:
    """Whether one of the import system's path hooks knows what to do with `path`."""
    if path not in sys.path_importer_cache:
        sys.path_importer_cache[path] = None
        for hook in sys.path_hooks:
            try:
                sys.path_importer_cache[path] = hook(path)
                break
            except ImportError:
                continue
    return sys.path_importer_cache[path] is not None


def _prepare_command(code: str, namespace: dict[str, object], _: list[str]) -> Step:
    import linecache  # python -c loads it too

    _set_first_path("")
    if sys.version_info >= (3, 14) and code.lstrip("\r\n")[:1] in (" ", "\t"):
        from textwrap import dedent

        code = dedent(code)
    source = code + "\n"
    compiled = compile(source, "<string>", "exec", dont_inherit=True)
    # Tracebacks show the lines of -c. Before 3.13.1 the cache knew the file's name only.
    if hasattr(linecache, "_register_code") and hasattr(linecache, "_interactive_cache"):
        linecache._register_code(compiled, source, "<string>")
    else:
        lines = source.splitlines(keepends=True)
        linecache.cache["<string>"] = (len(source), None, lines, "<string>")
    return exec, (compiled, namespace)


def _prepare_stdin(_: str, namespace: dict[str, object], leftovers: list[str]) -> Step:
    _set_first_path("")
    if sys.stdin is not None and sys.stdin.isatty():
        import code

        return code.interact, (None, None, namespace, "")
    source = sys.stdin.buffer.read() if sys.stdin is not None else b""
    _name_file(namespace, leftovers, "<stdin>")
    return exec, (compile(source, "<stdin>", "exec", dont_inherit=True), namespace)


def _frames(frame: FrameType | None) -> list[FrameType]:
    """`frame` and the frames that called it."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames
