"""Threads that put numbers into a `janus.Queue`, and tasks of an event loop that take them."""

import asyncio
import threading

import janus
from measured import Program

PRODUCERS = 4
CONSUMERS = 4
ITEMS = 6_000  # of each producer
MAXSIZE = 16


class Exchange:
    """A queue with a side for threads and one for tasks, and what came out of it."""

    def __init__(self, items: int) -> None:
        self.items = items
        self.count = 0
        self.total = 0

    def produce(self, first: int) -> None:
        for number in range(first, first + self.items):
            self.queue.sync_q.put(number)

    async def consume(self) -> None:
        while (number := await self.queue.async_q.get()) is not None:
            self.count += 1
            self.total += number

    async def run(self) -> None:
        self.queue: janus.Queue[int | None] = janus.Queue(MAXSIZE)
        threads = [
            threading.Thread(target=self.produce, args=(i * self.items,)) for i in range(PRODUCERS)
        ]
        consumers = [asyncio.create_task(self.consume()) for _ in range(CONSUMERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for _ in consumers:
            await self.queue.async_q.put(None)
        await asyncio.gather(*consumers)
        await self.queue.aclose()


def main() -> None:
    program = Program(__doc__)
    exchange = Exchange(max(1, round(ITEMS * program.parse())))
    with program.timed():
        asyncio.run(exchange.run())

    count = PRODUCERS * exchange.items
    found = f"{exchange.count} numbers, sum {exchange.total}"
    right = f"{count} numbers, sum {sum(range(count))}"
    program.finish(found, [] if found == right else [f"{found}; put were {right}"])


if __name__ == "__main__":
    main()
