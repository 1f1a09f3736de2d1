"""Ordinary threaded programs; perf/programs/catalogue.py says which.

They are measured as they stand, by `python PROGRAM` and by `python -m ftthreading PROGRAM`,
so nothing in them may know which module serves them. Each checks its own answer against one
made without threads, and prints one line of JSON: the answer, the seconds that the threaded
part took (`time.perf_counter`) and its processor time (`time.process_time`). Exit code 1 and a
sentence on standard error mean that the answer was wrong. Of its own folder a program
imports `measured`, and maybe `web`; no file there may have the name of a library.
"""
