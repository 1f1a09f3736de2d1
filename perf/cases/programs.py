"""Programs and queues that know nothing of an implementation, run as they stand."""

from perf.programs import catalogue
from perf.results.case import Case

QUEUES = {
    "alone": "queue_pair --alone",
    "pair": "queue_pair",
    "pair_100": "queue_pair --maxsize 100",
    "pair_1": "queue_pair --maxsize 1",
}


def cases() -> list[Case]:
    queues = [Case("queue", name, "queue", 1 if name == "alone" else 2) for name in QUEUES]
    programs = [Case("program", name, "program", threads=0) for name in catalogue.QUICKSTART]
    return queues + programs
