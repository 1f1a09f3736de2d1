"""Measurements of any `threading`-shaped module, run from a checkout; not part of the wheel.

Every number here is a ratio: both sides run in the same process or by turns, and the
medians of several rounds are compared, because absolute times on a shared machine are noise.
"""
