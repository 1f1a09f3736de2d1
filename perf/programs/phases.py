"""Eight threads that relax a row of cells in phases, with a `Barrier` between them.

Each thread owns a part of the row. A phase reads the old row and writes the new one; two rows
change places, so that one barrier a phase is enough.
"""

import threading

from measured import Program

THREADS = 8
CELLS = 4  # of each thread
PHASES = 3_000
MODULUS = 1_000_003


def relaxed(row: list[int], cell: int) -> int:
    return (row[cell - 1] + 3 * row[cell] + row[(cell + 1) % len(row)]) % MODULUS


class Grid:
    """The two rows, and the threads that work on them."""

    def __init__(self, phases: int) -> None:
        self.phases = phases
        size = THREADS * CELLS
        self.rows = [list(range(size)), [0] * size]
        self.barrier = threading.Barrier(THREADS)

    def relax(self, first: int) -> None:
        for phase in range(self.phases):
            old, new = self.rows[phase % 2], self.rows[1 - phase % 2]
            for cell in range(first, first + CELLS):
                new[cell] = relaxed(old, cell)
            self.barrier.wait()

    def run(self) -> None:
        threads = [threading.Thread(target=self.relax, args=(i * CELLS,)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def result(self) -> list[int]:
        return self.rows[self.phases % 2]


def expected(phases: int) -> list[int]:
    """Return the row after as many phases of one thread."""
    row = list(range(THREADS * CELLS))
    for _ in range(phases):
        row = [relaxed(row, cell) for cell in range(len(row))]
    return row


def main() -> None:
    program = Program(__doc__)
    grid = Grid(max(1, round(PHASES * program.parse())))
    with program.timed():
        grid.run()

    faults = []
    if grid.result() != expected(grid.phases):
        faults.append("the row differs from that of one thread")
    program.finish(f"{grid.phases} phases, sum {sum(grid.result())}", faults)


if __name__ == "__main__":
    main()
