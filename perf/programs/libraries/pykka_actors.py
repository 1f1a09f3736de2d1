"""Pykka's actors: four clients that ask a dispatcher, which asks one of four workers."""

import threading

import pykka
from measured import Program

WORKERS = 4
CLIENTS = 4
QUESTIONS = 1_400  # of each client


class Worker(pykka.ThreadingActor):
    """Squares numbers."""

    def square(self, number: int) -> int:
        return number * number


class Dispatcher(pykka.ThreadingActor):
    """Hands each question to the next worker, and returns the future of its answer."""

    def __init__(self, workers: "list[pykka.ActorProxy[Worker]]") -> None:
        super().__init__()
        self.workers = workers
        self.asked = 0

    def square(self, number: int) -> "pykka.Future[int]":
        self.asked += 1
        future: pykka.Future[int] = self.workers[number % WORKERS].square(number)
        return future


class Clients:
    """Threads that ask, and add up what they are told."""

    def __init__(self, questions: int) -> None:
        self.questions = questions
        self.lock = threading.Lock()
        self.total = 0
        self.asked = 0

    def client(self, dispatcher: "pykka.ActorProxy[Dispatcher]", first: int) -> None:
        for number in range(first, first + self.questions):
            square = dispatcher.square(number).get().get()
            with self.lock:
                self.total += square

    def run(self) -> None:
        workers = [Worker.start().proxy() for _ in range(WORKERS)]
        dispatcher = Dispatcher.start(workers).proxy()
        threads = [
            threading.Thread(target=self.client, args=(dispatcher, i * self.questions))
            for i in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.asked = dispatcher.asked.get()
        pykka.ActorRegistry.stop_all()


def main() -> None:
    program = Program(__doc__)
    clients = Clients(max(1, round(QUESTIONS * program.parse())))
    with program.timed():
        clients.run()

    count = CLIENTS * clients.questions
    found = f"{clients.asked} questions, sum {clients.total}"
    right = f"{count} questions, sum {sum(number * number for number in range(count))}"
    program.finish(found, [] if found == right else [f"{found}; not {right}"])


if __name__ == "__main__":
    main()
