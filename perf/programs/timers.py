"""A storm of `threading.Timer`: jobs that are due soon, each with a watchdog that is cancelled."""

import threading

from measured import Program

STORMS = 12
JOBS = 50  # a storm
DUE_SECONDS = 0.002
NEVER_SECONDS = 3600.0


class Storm:
    """Jobs that run when their timers fire."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done = 0
        self.late = 0

    def job(self) -> None:
        with self.lock:
            self.done += 1

    def overdue(self) -> None:
        with self.lock:
            self.late += 1

    def run(self) -> None:
        """Start all timers; cancel each watchdog once its job is done."""
        jobs = [threading.Timer(DUE_SECONDS * i / JOBS, self.job) for i in range(JOBS)]
        watchdogs = [threading.Timer(NEVER_SECONDS, self.overdue) for _ in jobs]
        for job, watchdog in zip(jobs, watchdogs, strict=True):
            watchdog.start()
            job.start()
        for job, watchdog in zip(jobs, watchdogs, strict=True):
            job.join()
            watchdog.cancel()
        for watchdog in watchdogs:
            watchdog.join()


def main() -> None:
    program = Program(__doc__)
    storms = max(1, round(STORMS * program.parse()))
    storm = Storm()
    with program.timed():
        for _ in range(storms):
            storm.run()

    faults = []
    if (storm.done, storm.late) != (storms * JOBS, 0):
        faults.append(f"{storm.done} jobs done and {storm.late} late, of {storms * JOBS}")
    program.finish(f"{storm.done} jobs done", faults)


if __name__ == "__main__":
    main()
