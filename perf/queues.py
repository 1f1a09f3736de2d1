"""`queue.Queue` with one producer and one consumer, under `threading` and under `ftthreading`.

The queue is the standard library's own: what differs is the Lock and the Conditions that it is
made of. Each side is a process of its own, as in perf/sidebyside.py. The first row, one thread
that puts and gets, is the floor for the second.
"""

import argparse
import sys

from perf import sidebyside

CASES = ("queue_pair --alone", "queue_pair", "queue_pair --maxsize 100", "queue_pair --maxsize 1")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m perf.queues", description=__doc__.splitlines()[0]
    )
    sidebyside.add_options(parser, rounds=6)
    options = parser.parse_args()
    return sidebyside.measure(parser, options, CASES)


if __name__ == "__main__":
    sys.exit(main())
