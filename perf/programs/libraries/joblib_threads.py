"""`joblib.Parallel` with its threads, over many small calls."""

import zlib

import joblib
from measured import Program

ROUNDS = 40
CALLS = 100  # a round
WORKERS = 8


def work(number: int) -> int:
    return zlib.crc32(b"call %d;" % number * 512)


def run(rounds: int) -> int:
    total = 0
    with joblib.Parallel(WORKERS, backend="threading", batch_size=1) as parallel:
        for i in range(rounds):
            numbers = range(i * CALLS, (i + 1) * CALLS)
            total += sum(parallel(joblib.delayed(work)(number) for number in numbers))
    return total


def main() -> None:
    program = Program(__doc__)
    rounds = max(1, round(ROUNDS * program.parse()))
    with program.timed():
        total = run(rounds)

    right = sum(map(work, range(rounds * CALLS)))
    faults = [] if total == right else [f"the sum is {total}, not {right}"]
    program.finish(f"{rounds * CALLS} calls, sum {total}", faults)


if __name__ == "__main__":
    main()
