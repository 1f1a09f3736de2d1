"""celery: a worker with prefork, threads or solo pool does its tasks and ends on SIGTERM."""

import importlib
import signal

import pytest
from running import SECONDS, python, running

TASKS = 20


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_worker(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("CELERY_FOLDER", str(tmp_path))
    tasks = importlib.reload(importlib.import_module("celery_app"))
    options = ["-P", pool, "-c", "2", "-l", "WARNING", "--without-mingle", "--without-gossip"]
    with running(*python(), "-m", "celery", "-A", "celery_app", "worker", *options) as child:
        results = [tasks.add.delay(number, 1) for number in range(TASKS)]
        assert [each.get(SECONDS) for each in results] == list(range(1, TASKS + 1))
        with pytest.raises(ValueError, match="as asked"):
            tasks.fail.delay().get(SECONDS)
        child.send_signal(signal.SIGTERM)
        assert child.wait(SECONDS) == 0
