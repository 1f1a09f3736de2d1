"""The commands of `python -m perf`, a module each.

A module has `configure(parser)`, which adds its options, and `main(parser, options)`, which
returns the exit code. Its name stands in perf/__main__.py.
"""
