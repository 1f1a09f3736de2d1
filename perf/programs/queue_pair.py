"""One producer, one consumer, one `queue.Queue`: what each item costs to hand over.

The producer puts numbers in order, the consumer checks that each comes once and in order. With
`--maxsize 1` each item is a hand-off in both directions; without a bound the two may run apart.
With `--alone` one thread does all of it, which is the floor: every line of the queue runs under
its one lock, so that two threads can hardly be faster.
"""

import argparse
import json
import queue
import sys
import threading
import time

ITEMS = 200_000


def run(items: int, maxsize: int) -> list[str]:
    """Hand the items over; return what the consumer found wrong."""
    pipe: queue.Queue[int] = queue.Queue(maxsize)
    faults: list[str] = []

    def consume() -> None:
        for number in range(items):
            item = pipe.get()
            pipe.task_done()
            if item != number:
                faults.append(f"item {number} was {item}")

    consumer = threading.Thread(target=consume)
    consumer.start()
    for number in range(items):
        pipe.put(number)
    pipe.join()
    consumer.join()
    if not pipe.empty():
        faults.append(f"{pipe.qsize()} items left over")
    return faults


def run_alone(items: int) -> list[str]:
    """The same by one thread: nobody to hand over to, and nothing to wait for."""
    pipe: queue.Queue[int] = queue.Queue()
    faults: list[str] = []
    for number in range(items):
        pipe.put(number)
        item = pipe.get()
        pipe.task_done()
        if item != number:
            faults.append(f"item {number} was {item}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    parser.add_argument("--maxsize", type=int, default=0, help="bound (default 0: none)")
    parser.add_argument("--alone", action="store_true", help="in one thread, unbounded")
    options = parser.parse_args()
    if options.scale <= 0:
        parser.error("--scale must be positive")

    items = max(1, round(ITEMS * options.scale))
    cpu = time.process_time()
    begin = time.perf_counter()
    faults = run_alone(items) if options.alone else run(items, options.maxsize)
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - cpu

    if faults:
        print(f"queue_pair: {len(faults)} faults, first: {faults[0]}", file=sys.stderr)
        return 1
    answer = f"{items} items in order, maxsize {options.maxsize}"
    found = {"program": "queue_pair", "answer": answer, "seconds": seconds, "cpu": cpu}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
