"""Write one log file from many threads through one `logging` handler.

The handler's lock is all that keeps two records from being written into each other.
"""

import argparse
import hashlib
import json
import logging
import pathlib
import re
import sys
import tempfile
import threading
import time

THREADS = 8
RECORDS = 16000  # a thread

LINE = re.compile(r"^\S+ \S+ (?P<thread>writer-\d+) INFO order (?P<number>\d+): (?P<rest>.*)$")


def message(number: int) -> tuple[int, int]:
    return number % 97, number * 31 % 1009


def write(logger: logging.Logger, records: int) -> None:
    for number in range(records):
        items, price = message(number)
        logger.info("order %d: %d items, %d paid", number, items, price)


def run(path: pathlib.Path, records: int) -> None:
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    threads = [
        threading.Thread(target=write, args=(logger, records), name=f"writer-{i}")
        for i in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logger.removeHandler(handler)
    handler.close()


def check(path: pathlib.Path, records: int) -> str:
    """Return the file's fault in words, or an empty string: each thread's records, in order."""
    following = {f"writer-{i}": 0 for i in range(THREADS)}
    for place, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = LINE.match(line)
        if found is None or found["thread"] not in following:
            return f"line {place} is torn or strange: {line!r}"
        number = int(found["number"])
        if number != following[found["thread"]]:
            return f"line {place}: {found['thread']} wrote {number} out of order"
        items, price = message(number)
        if found["rest"] != f"{items} items, {price} paid":
            return f"line {place} has the wrong text: {line!r}"
        following[found["thread"]] += 1
    short = {name: n for name, n in following.items() if n != records}
    return f"records lost: {short}, {records} expected of each" if short else ""


def digest(path: pathlib.Path) -> str:
    """Digest the lines without their times, in an order that does not depend on the run."""
    lines = sorted(line.split(" ", 2)[2] for line in path.read_text(encoding="utf-8").splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    scale = parser.parse_args().scale
    if scale <= 0:
        parser.error("--scale must be positive")

    records = max(1, round(RECORDS * scale))
    with tempfile.TemporaryDirectory(prefix="logs-") as folder:
        path = pathlib.Path(folder, "shop.log")
        cpu = time.process_time()
        begin = time.perf_counter()
        run(path, records)
        seconds = time.perf_counter() - begin
        cpu = time.process_time() - cpu
        fault = check(path, records)
        if fault:
            print(f"logs: {fault}", file=sys.stderr)
            return 1
        answer = f"{THREADS * records} lines, {digest(path)}"
    found = {"program": "logs", "answer": answer, "seconds": seconds, "cpu": cpu}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
