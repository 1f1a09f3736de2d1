"""Measurements of any `threading`-shaped module, run from a checkout; not part of the wheel.

`python -m perf` is the command. All sides of a comparison are measured by turns in one run, and
what people are shown are ratios: absolute times on a shared machine are noise.
"""
