"""Build hash trees with `ThreadPoolExecutor`: small tasks, chained futures.

Each leaf of a tree is a task. When both children of a node are done, the callback of the
second one submits the node; the root's digest resolves the tree's own future. The main
thread submits all leaves, waits for them with `wait`, and collects roots with `as_completed`.
"""

import argparse
import concurrent.futures
import hashlib
import json
import sys
import threading
import time

TREES = 160
LEAVES = 256  # a tree; a power of two
WORKERS = 8


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def hash_leaf(tree: int, leaf: int) -> bytes:
    return digest(b"tree %d leaf %d;" % (tree, leaf) * 8)


def hash_pair(left: bytes, right: bytes) -> bytes:
    return digest(left + right)


class Tree:
    """One hash tree; `root` is a future of its root's digest."""

    def __init__(self, pool: concurrent.futures.ThreadPoolExecutor, number: int) -> None:
        self.pool = pool
        self.number = number
        self.root: concurrent.futures.Future[bytes] = concurrent.futures.Future()
        self._lock = threading.Lock()
        self._waiting: dict[tuple[int, int], bytes] = {}  # (level, index) of a lone child

    def submit_leaf(self, leaf: int) -> "concurrent.futures.Future[bytes]":
        """Hash one leaf, and all above it that wait for nothing else."""
        future = self.pool.submit(hash_leaf, self.number, leaf)
        future.add_done_callback(lambda done: self._child_done(done, LEAVES, leaf))
        return future

    def _child_done(
        self, future: "concurrent.futures.Future[bytes]", width: int, index: int
    ) -> None:
        try:
            own = future.result()
            if width == 1:
                self.root.set_result(own)
                return
            with self._lock:
                other = self._waiting.pop((width, index ^ 1), None)
                if other is None:
                    self._waiting[width, index] = own
                    return
            left, right = (other, own) if index & 1 else (own, other)
            parent = self.pool.submit(hash_pair, left, right)
            parent.add_done_callback(lambda done: self._child_done(done, width // 2, index // 2))
        except BaseException as error:
            self.root.set_exception(error)


def run(trees: int) -> dict[int, bytes]:
    with concurrent.futures.ThreadPoolExecutor(max_workers=WORKERS) as pool:
        forest = [Tree(pool, number) for number in range(trees)]
        leaves = [tree.submit_leaf(leaf) for tree in forest for leaf in range(LEAVES)]
        concurrent.futures.wait(leaves)
        number_of = {tree.root: tree.number for tree in forest}
        return {
            number_of[root]: root.result() for root in concurrent.futures.as_completed(number_of)
        }


def expected(tree: int) -> bytes:
    """Hash one tree with one thread, level by level."""
    level = [hash_leaf(tree, leaf) for leaf in range(LEAVES)]
    while len(level) > 1:
        level = [hash_pair(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="amount of work (default 1)")
    scale = parser.parse_args().scale
    if scale <= 0:
        parser.error("--scale must be positive")

    trees = max(1, round(TREES * scale))
    cpu = time.process_time()
    begin = time.perf_counter()
    roots = run(trees)
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - cpu

    wrong = [tree for tree in range(trees) if roots.get(tree) != expected(tree)]
    if wrong:
        print(
            f"executor: wrong root in {len(wrong)} of {trees} trees, first {wrong[0]}",
            file=sys.stderr,
        )
        return 1
    whole = digest(b"".join(roots[tree] for tree in range(trees))).hex()
    answer = f"{trees} trees, {trees * (2 * LEAVES - 1)} tasks, {whole}"
    found = {"program": "executor", "answer": answer, "seconds": seconds, "cpu": cpu}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
