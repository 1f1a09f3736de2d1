"""Two transfers between two accounts, one after the other: this program never deadlocks."""

import threading


class Account:
    """What two transfers at once would deadlock on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 100


def transfer(source: Account, target: Account, amount: int) -> None:
    """Move the amount, with both accounts locked."""
    with source.lock:
        with target.lock:
            source.balance -= amount
            target.balance += amount


alice, bob = Account(), Account()
for name, pair in ("alice-to-bob", (alice, bob)), ("bob-to-alice", (bob, alice)):
    thread = threading.Thread(target=transfer, args=(*pair, 10), name=name)
    thread.start()
    thread.join()
