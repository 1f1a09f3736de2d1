"""rich and tqdm draw from threads of their own; loops in other threads feed them."""

import io
import threading

import pytest
from running import SECONDS, from_threads, until


def test_rich_live():
    live = pytest.importorskip("rich.live")
    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, width=40)
    drawn = threading.Semaphore(0)

    class Shown:
        def __rich__(self):
            drawn.release()
            return "x"

    with live.Live(Shown(), console=console, refresh_per_second=50) as shown:
        for _ in range(5):
            assert drawn.acquire(timeout=SECONDS)
        from_threads(8, lambda _: [shown.update(Shown(), refresh=True) for _ in range(10)])
    assert not shown.is_started


def test_rich_progress():
    progress = pytest.importorskip("rich.progress")
    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, width=60)
    with progress.Progress(console=console, refresh_per_second=50) as shown:
        task = shown.add_task("work", total=800)
        from_threads(8, lambda _: [shown.advance(task) for _ in range(100)])
        assert shown.finished
    assert list(progress.track(range(5), console=console)) == [0, 1, 2, 3, 4]


def test_rich_status_and_prints():
    console_module = pytest.importorskip("rich.console")
    output = io.StringIO()
    console = console_module.Console(file=output, force_terminal=True, highlight=False)
    with console.status("busy"):
        from_threads(8, lambda number: [console.print(f"<{number}>") for _ in range(10)])
    text = output.getvalue()
    assert [text.count(f"<{number}>") for number in range(8)] == [10] * 8


def test_tqdm_threads():
    tqdm = pytest.importorskip("tqdm")
    output = io.StringIO()
    with tqdm.tqdm(total=800, file=output, mininterval=0) as bar:

        def work(_):
            for _ in range(100):
                with bar.get_lock():
                    bar.update()

        from_threads(8, work)
        assert bar.n == 800


def test_tqdm_thread_map():
    concurrent = pytest.importorskip("tqdm.contrib.concurrent")
    output = io.StringIO()
    assert concurrent.thread_map(abs, range(-50, 0), max_workers=4, file=output) == list(
        range(50, 0, -1)
    )


def test_tqdm_monitor():
    tqdm = pytest.importorskip("tqdm")
    monitor = tqdm.TMonitor(tqdm.tqdm, 0.01)
    assert monitor.report()
    until(lambda: monitor.woken, "it wakes")
    monitor.exit()
    assert not monitor.is_alive()


def test_tqdm_lock():
    tqdm = pytest.importorskip("tqdm.std")
    lock = tqdm.TqdmDefaultWriteLock()
    with lock:
        lock.acquire()
        lock.release()
