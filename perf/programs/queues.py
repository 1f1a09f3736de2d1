"""Many producers and many consumers on one bounded `queue.Queue`."""

import queue
import threading

from measured import Program

PRODUCERS = 6
CONSUMERS = 6
ITEMS = 20_000  # of each producer
MAXSIZE = 64


class Exchange:
    """A queue, and what came out of it."""

    def __init__(self, items: int) -> None:
        self.items = items
        self.queue: queue.Queue[int | None] = queue.Queue(MAXSIZE)
        self.lock = threading.Lock()
        self.count = 0
        self.total = 0

    def produce(self, first: int) -> None:
        for number in range(first, first + self.items):
            self.queue.put(number)

    def consume(self) -> None:
        """Take numbers until the end, and add up what was taken."""
        count = total = 0
        while (number := self.queue.get()) is not None:
            count += 1
            total += number
        with self.lock:
            self.count += count
            self.total += total

    def run(self) -> None:
        producers = [
            threading.Thread(target=self.produce, args=(i * self.items,)) for i in range(PRODUCERS)
        ]
        consumers = [threading.Thread(target=self.consume) for _ in range(CONSUMERS)]
        for thread in consumers + producers:
            thread.start()
        for thread in producers:
            thread.join()
        for _ in consumers:
            self.queue.put(None)
        for thread in consumers:
            thread.join()


def main() -> None:
    program = Program(__doc__)
    exchange = Exchange(max(1, round(ITEMS * program.parse())))
    with program.timed():
        exchange.run()

    count = PRODUCERS * exchange.items
    found = f"{exchange.count} numbers, sum {exchange.total}"
    right = f"{count} numbers, sum {sum(range(count))}"
    program.finish(found, [] if found == right else [f"{found}; put were {right}"])


if __name__ == "__main__":
    main()
