"""Two accounts, and two transfers that take their locks in the order in which they come."""

import threading


class Account:
    """Money, and the lock that guards it."""

    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.lock = threading.Lock()


def transfer(source: Account, target: Account, amount: int) -> None:
    """Move the amount, with both locks."""
    with source.lock:
        begun.wait()
        with target.lock:
            source.balance -= amount
            target.balance += amount


alice, bob = Account(100), Account(100)
begun = threading.Barrier(2)  # so that both have begun, as they would some day
threads = [
    threading.Thread(target=transfer, args=(alice, bob, 10), name="alice-to-bob", daemon=True),
    threading.Thread(target=transfer, args=(bob, alice, 20), name="bob-to-alice", daemon=True),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
