"""python -m ftthreading: run a program with ftthreading in threading's place.

This file's namespace is the one the program is about to use as its `__main__`, so it holds as
little as possible, and no function: the launcher lives in `_run`, which empties it first.
"""

from ftthreading import _run

if __name__ == "__main__":  # others (documentation tools, type checkers) import every module
    _run.main()
