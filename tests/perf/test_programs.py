"""The programs of perf/programs: right under both modules, and able to notice a wrong answer."""

import importlib
import json
import pathlib
import queue
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from perf.programs import catalogue

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = (*catalogue.STANDARD, "queue_pair")
SCALE = "0.02"

pytestmark = pytest.mark.thread_unsafe(reason="starts processes, and replaces a module's names")


def answer(options: list[str], program: str) -> str:
    """Run the program in a process of its own and return its answer."""
    command = [sys.executable, *options, catalogue.file_of(program), "--scale", SCALE]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert result["program"] == program
    assert result["seconds"] > 0
    assert result["cpu"] > 0
    return str(result["answer"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_same_answer_under_both_modules(program: str) -> None:
    assert answer([], program) == answer(["-m", "ftthreading"], program)


@pytest.mark.parametrize("program", catalogue.LIBRARIES)
def test_same_answer_with_libraries(program: str) -> None:
    pytest.importorskip(catalogue.LIBRARIES[program])
    assert answer([], program) == answer(["-m", "ftthreading"], program)


@pytest.mark.parametrize("maxsize", ["1", "100"])
def test_bounded_queue_hands_all_over(maxsize: str) -> None:
    words = ["perf/programs/queue_pair.py", "--scale", SCALE, "--maxsize", maxsize]
    answers = set()
    for options in ([], ["-m", "ftthreading"]):
        done = subprocess.run(
            [sys.executable, *options, *words],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert (done.returncode, done.stderr) == (0, "")
        answers.add(json.loads(done.stdout)["answer"])
    assert answers == {f"4000 items in order, maxsize {maxsize}"}


def forget_words(module: ModuleType) -> Any:
    return lambda _files: Counter(word=1)


def forget_a_tree(module: ModuleType) -> Any:
    whole = module.run
    return lambda trees: {tree: root for tree, root in whole(trees).items() if tree != 0}


def tear_a_line(module: ModuleType) -> Any:
    whole = module.run

    def run(path: pathlib.Path, records: int) -> None:
        whole(path, records)
        text = path.read_text(encoding="utf-8")
        path.write_text(text[:-40] + "\n", encoding="utf-8")

    return run


def steal(module: ModuleType) -> Any:
    whole = module.run

    def run(path: pathlib.Path, plans: list[Any]) -> list[str]:
        faults: list[str] = whole(path, plans)
        with module.contextlib.closing(module.open_database(path)) as connection:
            connection.execute("UPDATE account SET balance = balance - 1 WHERE id = 7")
        return faults

    return run


def swap_items(module: ModuleType) -> Any:
    whole = module.run

    class Swapping(queue.Queue[int]):
        def _put(self, item: int) -> None:
            super()._put({5: 6, 6: 5}.get(item, item))

    def run(items: int, maxsize: int) -> list[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.queue, "Queue", Swapping)
            faults: list[str] = whole(items, maxsize)
        return faults

    return run


@pytest.mark.parametrize(
    ("program", "spoil"),
    [
        ("pipeline", forget_words),
        ("executor", forget_a_tree),
        ("logs", tear_a_line),
        ("pool", steal),
        ("queue_pair", swap_items),
    ],
)
def test_wrong_answer_is_noticed(
    program: str,
    spoil: Callable[[ModuleType], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = importlib.import_module(f"perf.programs.{program}")
    monkeypatch.setattr(sys, "argv", [program, "--scale", SCALE])
    monkeypatch.setattr(module, "run", spoil(module))
    assert module.main() == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{program}: ")


def plus_one(total: Any) -> Any:
    return total + 1


# What is spoilt after the work: an attribute of the one who did it, and how.
@pytest.mark.parametrize(
    ("program", "worker", "attribute", "spoil"),
    [
        ("actors", "Actor", "total", plus_one),
        ("queues", "Exchange", "count", plus_one),
        ("http_keepalive", "Clients", "total", plus_one),
        ("http_close", "Clients", "total", plus_one),
        ("timers", "Storm", "late", plus_one),
        ("thread_per_task", "Tasks", "results", lambda _: {}),
        ("phases", "Grid", "rows", lambda rows: [row[::-1] for row in rows]),
        ("board", "Pipeline", "total", plus_one),
        ("to_thread", "", "", plus_one),
        ("map", "", "", plus_one),
    ],
)
def test_wrong_state_is_noticed(
    program: str,
    worker: str,
    attribute: str,
    spoil: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # As if it were run as a file; loaded so, as its name may be that of another module.
    monkeypatch.syspath_prepend(ROOT / "perf" / "programs")
    monkeypatch.setattr(sys, "argv", [f"{program}.py", "--scale", SCALE])
    module = importlib.import_module(f"perf.programs.{program}")
    holder = getattr(module, worker) if worker else module
    whole = holder.run

    def run(*arguments: Any) -> Any:
        result = whole(*arguments)
        if not worker:
            return spoil(result)
        setattr(arguments[0], attribute, spoil(getattr(arguments[0], attribute)))
        return result

    async def run_async(calls: int) -> int:
        return int(spoil(await whole(calls)))

    monkeypatch.setattr(holder, "run", run_async if program == "to_thread" else run)
    with pytest.raises(SystemExit) as caught:
        module.main()
    assert str(caught.value.code).startswith(f"{program}: ")
    assert capsys.readouterr().out == ""


def test_programs_import_only_the_standard_library() -> None:
    code = (
        "import runpy, sys\n"
        "sys.path.insert(0, 'perf/programs')\n"
        f"for name in {PROGRAMS!r}:\n"
        "    runpy.run_path(f'perf/programs/{name}.py')\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " - sys.stdlib_module_names - {'__main__', '_missing_stdlib_info', 'measured', 'web'}))\n"
    )
    # -S leaves out what an environment's own start-up files import.
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
