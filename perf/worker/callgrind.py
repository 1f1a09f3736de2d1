"""What runs under callgrind: `python -m perf.worker.callgrind OUT IMPL[,IMPL...] CASE...`.

A call of `native.spin` ends one part of the profile and begins the next, as
perf/runner/instructions.py tells callgrind; PARTS of them belong to each implementation and case,
in the order of the arguments. OUT gets a line of JSON with the blocks of memory that each
statement left behind.
"""

import json
import sys

from perf import native
from perf.cases.uncontended import BY_ID, UNROLLED, Statement
from perf.instruments.implementations import Implementation
from perf.worker.process import prepare, side_of

FEW, MANY = 20, 120
# What an allocation takes depends on how full the heap's page happens to be, 4 % of a `with` and
# more. So the heap is filled a little before each repeat, and the cheapest one counts.
REPEATS = 12
FILL = 5
PARTS = 1 + 3 * REPEATS  # what leads up to all; in each repeat what leads up to it, and two loops
OPERATIONS = (MANY - FEW) * UNROLLED


def count(statement: Statement, side: Implementation) -> int:
    """Run the loops between marks; return by how many blocks the heap grew in the last."""
    primitive = side.make(statement.type)
    statement.prepare(primitive)
    loop = statement.loop()
    loop(primitive, FEW)
    native.spin(0)
    held: list[object] = []
    for _ in range(REPEATS):
        held += [[].append for _ in range(FILL)]  # a bound method, as `with` makes
        native.spin(0)
        for loops in FEW, MANY:
            loop(primitive, loops)
            native.spin(0)
    before = sys.getallocatedblocks()
    loop(primitive, MANY)
    return sys.getallocatedblocks() - before - 1  # `before` itself is one


def main() -> int:
    """Run all cases under all implementations."""
    out, impls, *cases = sys.argv[1:]
    sides = [side_of(name) for name in impls.split(",")]
    prepare()
    native.spin(0)
    blocks = []
    for side in sides:
        with side.measured():
            blocks += [count(BY_ID[case], side) for case in cases]
    with open(out, "w", encoding="utf-8") as file:
        json.dump(blocks, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
