"""The commands of ``python -m stress``, and what they print and write."""
