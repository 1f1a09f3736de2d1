"""What runs in a process of its own to measure there: `python -m perf.worker.NAME`."""
