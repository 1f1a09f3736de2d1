"""Four ordinary threaded programs that import only the standard library.

They are measured as they stand, by `python PROGRAM` and by `python -m ftthreading PROGRAM`,
so nothing in them may know which module serves them. Each checks its own answer against a
count made without threads, and prints one line of JSON: the answer, and the seconds that the
threaded part took (`time.perf_counter`). Exit code 1 and a sentence on standard error mean
that the answer was wrong.
"""
