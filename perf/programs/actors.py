"""Four actors that ask each other and reply, each with an inbox of its own (`queue.Queue`).

An actor asks its peers in turn and waits for no reply: it handles whatever comes next, a
question or a reply, so that no two can wait for each other.
"""

import dataclasses
import queue
import threading

from measured import Program

ACTORS = 4
QUESTIONS = 8_000  # that each actor asks


@dataclasses.dataclass(frozen=True)
class Ask:
    """A question: the asker waits for its square."""

    asker: "Actor"
    number: int


@dataclasses.dataclass(frozen=True)
class Reply:
    """The answer to a question."""

    number: int
    square: int


@dataclasses.dataclass(frozen=True)
class Done:
    """One actor has asked all its questions."""


class Actor:
    """Handles one message after the other."""

    def __init__(self, questions: int) -> None:
        self.inbox: queue.Queue[Ask | Reply | Done] = queue.Queue()
        self.peers: list[Actor] = []
        self.questions = questions
        self.total = 0
        self.faults: list[str] = []

    def ask(self, number: int) -> None:
        """Ask the peer whose turn it is."""
        self.peers[number % len(self.peers)].inbox.put(Ask(self, number))

    def run(self) -> None:
        """Handle messages until no peer asks any more."""
        done = 0
        self.ask(0)
        while done <= len(self.peers):
            message = self.inbox.get()
            if isinstance(message, Ask):
                message.asker.inbox.put(Reply(message.number, message.number * message.number))
            elif isinstance(message, Done):
                done += 1
            else:
                self.take(message)

    def take(self, reply: Reply) -> None:
        if reply.square != reply.number**2:
            self.faults.append(f"the square of {reply.number} was {reply.square}")
        self.total += reply.square
        if reply.number + 1 < self.questions:
            self.ask(reply.number + 1)
            return
        for actor in (self, *self.peers):
            actor.inbox.put(Done())


def run(actors: list[Actor]) -> None:
    threads = [threading.Thread(target=actor.run) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    program = Program(__doc__)
    questions = max(1, round(QUESTIONS * program.parse()))
    actors = [Actor(questions) for _ in range(ACTORS)]
    for actor in actors:
        actor.peers = [peer for peer in actors if peer is not actor]
    with program.timed():
        run(actors)

    faults = [fault for actor in actors for fault in actor.faults]
    right = sum(number * number for number in range(questions))
    faults += [f"a sum is {a.total}, not {right}" for a in actors if a.total != right]
    program.finish(f"{ACTORS} actors, {questions} questions, sum {right}", faults)


if __name__ == "__main__":
    main()
