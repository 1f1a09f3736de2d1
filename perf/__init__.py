"""Measurements of any `threading`-shaped module, in a checkout or installed.

`python -m perf` is the command, or `python -m ftthreading.perf`. All sides of a comparison are
measured by turns in one run, and what people are shown are ratios: absolute times on a shared
machine are noise.
"""
