"""Sums of small chunks by `dask.threaded.get`: a graph that a pool of threads works off."""

import dask.threaded
from measured import Program

CHUNKS = 64
GRAPHS = 60
WORKERS = 8


def chunk(first: int) -> list[int]:
    return [number * number for number in range(first, first + 50)]


def graph(first: int) -> dict[object, object]:
    """Return a graph of chunks, their sums, and a tree of additions whose root is `total`."""
    made: dict[object, object] = {}
    for i in range(CHUNKS):
        made["chunk", i] = (chunk, first + 50 * i)
        made["sum", i] = (sum, ("chunk", i))
    level = [("sum", i) for i in range(CHUNKS)]
    depth = 0
    while len(level) > 1:
        depth += 1
        pairs = zip(level[::2], level[1::2], strict=True)
        for i, pair in enumerate(pairs):
            made[f"add {depth}", i] = (sum, list(pair))
        level = [(f"add {depth}", i) for i in range(len(level) // 2)]
    made["total"] = level[0]
    return made


def run(graphs: int) -> list[int]:
    return [
        dask.threaded.get(graph(i * CHUNKS * 50), "total", num_workers=WORKERS)
        for i in range(graphs)
    ]


def main() -> None:
    program = Program(__doc__)
    graphs = max(1, round(GRAPHS * program.parse()))
    with program.timed():
        totals = run(graphs)

    size = CHUNKS * 50
    right = [sum(n * n for n in range(i * size, (i + 1) * size)) for i in range(graphs)]
    faults = [] if totals == right else [f"the sums are {totals}, not {right}"]
    program.finish(f"{graphs} graphs, sum {sum(totals)}", faults)


if __name__ == "__main__":
    main()
